//! Settings of a speed run.

use std::path::PathBuf;
use std::time::Duration;

use super::{Kv, is_same_path};

/// Fewest blocks: fewer give intervals that say little. Also the default.
pub const FEWEST_BLOCKS: u32 = 8;
/// More blocks, or passes in one process, are a slip of the hand.
const MOST_REPEATS: u32 = 10_000;
/// Timed passes of each test in one process, unless told.
pub const DEFAULT_REPS: u32 = 3;
/// A pass of more tokens, or at a greater depth, is a slip of the hand.
const MOST_TOKENS: u32 = 1 << 30;

/// A request that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpeedSettingsError {
    /// Too few blocks.
    #[error("--blocks {0} is too few; intervals need at least {FEWEST_BLOCKS}")]
    FewBlocks(u32),
    /// A block without its mirror image.
    #[error("--blocks {got} is odd; blocks come in pairs of mirrored order, so give {}", .got.saturating_add(1))]
    OddBlocks {
        /// Its value.
        got: u32,
    },
    /// No passes.
    #[error("--reps 0 times nothing; give at least 1")]
    NoReps,
    /// So many that nobody means it.
    #[error("--{flag} {got} is more than anybody waits for; give at most {MOST_REPEATS}")]
    TooMany {
        /// The flag.
        flag: &'static str,
        /// Its value.
        got: u32,
    },
    /// Nothing to time.
    #[error("--pp 0 and --tg 0 leave nothing to time")]
    NoTests,
    /// A length nobody means.
    #[error("--{flag} {tokens} tokens is beyond every context")]
    TooLong {
        /// The flag.
        flag: &'static str,
        /// Its value.
        tokens: u32,
    },
    /// A role was given to a model that is not measured.
    #[error("--{role} {name} is not among the models")]
    RoleOfStranger {
        /// The flag.
        role: &'static str,
        /// Its value.
        name: String,
    },
    /// A control without what it controls for.
    #[error("--twin goes with --qat: it is the matched control of that file")]
    TwinWithoutQat,
    /// One file in both roles.
    #[error(
        "--qat and --twin name the same file; a twin is the original in the QAT file's tensor types"
    )]
    TwinIsQat,
    /// Two engines in one comparison.
    #[error(
        "`{file}` would run on the embedded engine and `{server}` on its server: a difference would be \
         the engines' as well as the builds'; probe files with files and servers with servers"
    )]
    FilesAndServers {
        /// One of the files.
        file: String,
        /// One of the others.
        server: String,
    },
    /// A setting of the embedded engine, given for servers.
    #[error(
        "--{0} is for files on the embedded engine; models on servers answer one control prompt"
    )]
    OfFiles(&'static str),
    /// A setting of servers, given for the embedded engine.
    #[error("--{0} is for models on servers; files are timed on the embedded engine")]
    OfServers(&'static str),
    /// A model on a server twice.
    #[error("`{0}` is given twice; the first model is compared with itself in any case")]
    Twice(String),
    /// An answer that leaves no room for the question.
    #[error(
        "--max-tokens {max_tokens} leaves no room for a prompt in --ctx {n_ctx}; give a larger --ctx or \
         a smaller --max-tokens"
    )]
    NoRoom {
        /// Most tokens of an answer.
        max_tokens: u32,
        /// Tokens of the context.
        n_ctx: u32,
    },
    /// A level outside 0..1.
    #[error("--level {0} is not between 0 and 1, e.g. 0.95")]
    Level(String),
    /// More threads than the engine takes.
    #[error("--threads {0} is not between 1 and 512")]
    Threads(u32),
}

/// What to time, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeedSettings {
    /// Models in the order of the report.
    pub models: Vec<PathBuf>,
    /// Lengths of prompts.
    pub pp: Vec<u32>,
    /// Lengths of generations.
    pub tg: Vec<u32>,
    /// Tokens in the KV cache before.
    pub depths: Vec<u32>,
    /// Text whose tokens are submitted; random ones where missing.
    pub prompt: Option<PathBuf>,
    /// Timed passes of each test in one process.
    pub reps: u32,
    /// Blocks.
    pub blocks: u32,
    /// Type of the KV cache.
    pub kv: Kv,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
    /// Engine threads.
    pub n_threads: u32,
    /// A worker silent for this long hangs.
    pub worker_timeout: Duration,
    /// Model made from the QAT checkpoint.
    pub qat: Option<PathBuf>,
    /// Model that is the original, plainly rounded to the same tensor types.
    pub twin: Option<PathBuf>,
    /// Measure all blocks anew, whatever an earlier run has.
    pub fresh: bool,
    /// Seed of orders and tokens.
    pub seed: u64,
    /// Confidence level of the intervals.
    pub level: f64,
}

impl SpeedSettings {
    /// Checks what can be checked without opening a file; puts lengths in order, each once, without
    /// zeros.
    pub fn checked(mut self) -> Result<Self, SpeedSettingsError> {
        for lengths in [&mut self.pp, &mut self.tg] {
            lengths.retain(|&length| length > 0);
        }
        for lengths in [&mut self.pp, &mut self.tg, &mut self.depths] {
            lengths.sort_unstable();
            lengths.dedup();
        }
        for (flag, lengths) in [("pp", &self.pp), ("tg", &self.tg), ("depth", &self.depths)] {
            if let Some(&tokens) = lengths.iter().find(|&&tokens| tokens > MOST_TOKENS) {
                return Err(SpeedSettingsError::TooLong { flag, tokens });
            }
        }
        if self.pp.is_empty() && self.tg.is_empty() {
            return Err(SpeedSettingsError::NoTests);
        }
        if self.reps == 0 {
            return Err(SpeedSettingsError::NoReps);
        }
        if self.reps > MOST_REPEATS {
            return Err(SpeedSettingsError::TooMany { flag: "reps", got: self.reps });
        }
        check_blocks(self.blocks, self.level)?;
        if !(1..=512).contains(&self.n_threads) {
            return Err(SpeedSettingsError::Threads(self.n_threads));
        }
        let roles = (self.qat.as_ref(), self.twin.as_ref());
        check_roles(
            &self.models,
            roles,
            |one, other| is_same_path(one, other),
            |path| path.display().to_string(),
        )?;
        Ok(self)
    }
}

/// Checks what every speed run has: whole pairs of blocks, and a level.
pub(super) fn check_blocks(blocks: u32, level: f64) -> Result<(), SpeedSettingsError> {
    if blocks < FEWEST_BLOCKS {
        return Err(SpeedSettingsError::FewBlocks(blocks));
    }
    if blocks > MOST_REPEATS {
        return Err(SpeedSettingsError::TooMany { flag: "blocks", got: blocks });
    }
    if !blocks.is_multiple_of(2) {
        return Err(SpeedSettingsError::OddBlocks { got: blocks });
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(SpeedSettingsError::Level(level.to_string()));
    }
    Ok(())
}

/// Checks that the QAT file and its twin are two of the models.
pub(super) fn check_roles<M>(
    models: &[M],
    (qat, twin): (Option<&M>, Option<&M>),
    is_same: impl Fn(&M, &M) -> bool,
    name: impl Fn(&M) -> String,
) -> Result<(), SpeedSettingsError> {
    for (role, given) in [("qat", qat), ("twin", twin)] {
        if let Some(given) = given
            && !models.iter().any(|model| is_same(model, given))
        {
            return Err(SpeedSettingsError::RoleOfStranger { role, name: name(given) });
        }
    }
    match (qat, twin) {
        (None, Some(_)) => Err(SpeedSettingsError::TwinWithoutQat),
        (Some(qat), Some(twin)) if is_same(qat, twin) => Err(SpeedSettingsError::TwinIsQat),
        _ => Ok(()),
    }
}
