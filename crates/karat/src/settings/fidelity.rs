//! Settings of a fidelity run.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::{Kv, RulerSpec};

/// A request that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Nothing to compare.
    #[error("no candidate given; name at least one GGUF file to compare with the reference")]
    NoCandidate,
    /// Too many yardsticks.
    #[error(
        "{0} references given; at most two: the original, and the QAT checkpoint before rounding"
    )]
    TooManyReferences(usize),
    /// No text.
    #[error("no text given; name at least one with --text FILE, or conversations with --chat FILE")]
    NoText,
    /// A language of a text that is not given, or given twice.
    #[error("--language {text}=...: {reason}")]
    Language {
        /// The text as named there.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// A window too short to score.
    #[error("--ctx {0} is too short; windows need at least 8 tokens")]
    ShortWindow(u32),
    /// No windows.
    #[error("--chunks 0 leaves nothing to score")]
    NoChunks,
    /// A role was given to a file that is no candidate.
    #[error("--{role} {} is not among the candidates", path.display())]
    RoleOfStranger {
        /// The flag.
        role: &'static str,
        /// Its value.
        path: PathBuf,
    },
    /// A role needs the checkpoint before rounding.
    #[error("--{role} needs a second --reference: the QAT checkpoint before rounding")]
    RoleNeedsSecondReference {
        /// The flag.
        role: &'static str,
    },
    /// A time-out that is no time.
    #[error("--worker-timeout {0} is no time in seconds, e.g. 120")]
    WorkerTimeout(String),
    /// No threads, or more than the engine takes.
    #[error("--threads {0} is not between 1 and 512")]
    Threads(u32),
    /// A margin that is no distance.
    #[error("--margin {0} is no KLD in nats, e.g. 0.01")]
    Margin(String),
    /// A margin that nobody asks about.
    #[error("--margin goes with --until decided")]
    MarginWithoutUntil,
    /// An order of one.
    #[error("--until decided orders candidates, so give two or more, or a --margin")]
    NothingToDecide,
    /// A confidence level outside 0..1.
    #[error("--level {0} is not between 0 and 1, e.g. 0.95")]
    Level(String),
}

/// What to compare, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct FidelitySettings {
    /// One or two: the original, and the QAT checkpoint before rounding.
    pub references: Vec<PathBuf>,
    /// Under test, in the order of the report.
    pub candidates: Vec<PathBuf>,
    /// Texts to score.
    pub texts: Vec<PathBuf>,
    /// Languages of texts: a text's path or short name, and what to call its language.
    pub languages: Vec<(String, String)>,
    /// How to score them.
    pub ruler: RulerSpec,
    /// KV cache types of the candidates.
    pub kv: Vec<Kv>,
    /// Run the original again on a few windows.
    pub noise_floor: bool,
    /// Score the windows' first halves as well, apart.
    pub first_half: bool,
    /// Worst tokens to report per candidate and text.
    pub worst: u32,
    /// End as soon as every question is decided.
    pub until_decided: bool,
    /// The margin (nats) to ask about instead of the candidates' order.
    pub margin: Option<f64>,
    /// Most bytes a worker may take, as expected.
    pub memory_budget: Option<u64>,
    /// Most windows per text.
    pub chunks: Option<u32>,
    /// Candidate made from the QAT checkpoint.
    pub qat: Option<PathBuf>,
    /// Candidate that is the original, plainly rounded to the same tensor types.
    pub twin: Option<PathBuf>,
    /// Candidate that is the QAT checkpoint, plainly rounded.
    pub naive: Option<PathBuf>,
    /// Engine threads.
    pub n_threads: u32,
    /// A worker silent for this long hangs.
    pub worker_timeout: Duration,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Confidence level of the intervals.
    pub level: f64,
}

impl FidelitySettings {
    /// Checks what can be checked without opening a file.
    pub fn checked(self) -> Result<Self, SettingsError> {
        if self.candidates.is_empty() {
            return Err(SettingsError::NoCandidate);
        }
        if self.references.len() > 2 {
            return Err(SettingsError::TooManyReferences(self.references.len()));
        }
        if self.texts.is_empty() {
            return Err(SettingsError::NoText);
        }
        if self.ruler.n_ctx < 8 {
            return Err(SettingsError::ShortWindow(self.ruler.n_ctx));
        }
        if self.chunks == Some(0) {
            return Err(SettingsError::NoChunks);
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(SettingsError::Level(self.level.to_string()));
        }
        if !(1..=512).contains(&self.n_threads) {
            return Err(SettingsError::Threads(self.n_threads));
        }
        if self.worker_timeout.is_zero() {
            return Err(SettingsError::WorkerTimeout("0".to_owned()));
        }
        match self.margin {
            Some(_) if !self.until_decided => return Err(SettingsError::MarginWithoutUntil),
            Some(margin) if !(margin > 0.0 && margin.is_finite()) => {
                return Err(SettingsError::Margin(margin.to_string()));
            }
            None if self.until_decided && self.candidates.len() * self.kv.len() < 2 => {
                return Err(SettingsError::NothingToDecide);
            }
            _ => {}
        }
        for (role, given) in [("qat", &self.qat), ("twin", &self.twin), ("naive", &self.naive)] {
            let Some(path) = given else { continue };
            // A plain rounding of the QAT checkpoint says nothing without the checkpoint.
            if role == "naive" && self.references.len() < 2 {
                return Err(SettingsError::RoleNeedsSecondReference { role });
            }
            if !self.candidates.iter().any(|candidate| is_same_path(candidate, path)) {
                return Err(SettingsError::RoleOfStranger { role, path: path.clone() });
            }
        }
        Ok(self)
    }
}

/// Whether two paths as typed are the same; `./m.gguf` is `m.gguf`.
pub fn is_same_path(one: &Path, other: &Path) -> bool {
    let plain = |path: &Path| -> PathBuf {
        path.components().filter(|part| *part != Component::CurDir).collect()
    };
    plain(one) == plain(other)
}
