//! The plan of a speed run over servers: one control prompt, models, blocks, and the identity of every
//! answer. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BlockPlan, RunPlan};
use crate::digest::sha256_hex;
use crate::generation::{Generation, Ready, Sampling, Terms, Thinking};
use crate::record::{EngineRecord, MachineRecord, ModelRecord};

/// Raised when the way answers are timed changes, so that old blocks are not mixed in.
const MEASURING_VERSION: u32 = 1;

/// Everything a speed run over servers depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlPlan {
    /// Models in the order given; their paths are their names on their servers.
    pub models: Vec<ModelRecord>,
    /// What the server said each of them is; `None` where it told nothing but the name.
    pub served: Vec<Option<String>>,
    /// What every model is asked.
    pub prompt: ControlPrompt,
    /// Most tokens of an answer, thinking included.
    pub max_tokens: u32,
    /// Tokens of the context.
    pub n_ctx: u32,
    /// Whether every block loads its models afresh; otherwise the processes of some are their
    /// owners', and the unit is the request.
    pub loads_afresh: bool,
    /// Blocks: each asks every model once, and the first once more.
    pub blocks: u32,
    /// Seed of the orders.
    pub seed: u64,
    /// Names the series of blocks this run adds to: the id of the run that began it.
    pub series: String,
    /// Where karat runs, which need not be where the servers do.
    pub machine: MachineRecord,
    /// On what engine, as far as it is known before a server was asked.
    pub engine: EngineRecord,
}

/// A prompt that every build should complete alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlPrompt {
    /// Short name, used as `scope`.
    pub name: String,
    /// What is sent.
    pub text: String,
}

/// One answer with what stood around it: one model in one block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlSample {
    /// What the server said of itself before and after; without the template.
    pub ready: Ready,
    /// What it was told about thinking.
    pub thinking: Thinking,
    /// The answer with the raw exchange.
    pub answer: Generation,
}

impl ControlPlan {
    /// On what terms a model answers: greedily, and with this word about thinking.
    pub fn terms(&self, thinking: Thinking) -> Terms {
        Terms { n_ctx: self.n_ctx, thinking, sampling: Sampling::Greedy }
    }

    /// What the rows show as their setting.
    pub fn setting(&self) -> BTreeMap<String, String> {
        let unit = if self.loads_afresh { "load" } else { "request" };
        BTreeMap::from([
            ("max_tokens".to_owned(), self.max_tokens.to_string()),
            ("n_ctx".to_owned(), self.n_ctx.to_string()),
            ("unit".to_owned(), unit.to_owned()),
        ])
    }
}

impl BlockPlan for ControlPlan {
    fn of_run(run: RunPlan) -> Option<Self> {
        run.control
    }

    fn models(&self) -> &[ModelRecord] {
        &self.models
    }

    fn blocks(&self) -> u32 {
        self.blocks
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn series(&self) -> &str {
        &self.series
    }

    fn fingerprint(&self) -> String {
        let names: Vec<&str> = self.models.iter().map(|model| model.path.as_str()).collect();
        let parts = serde_json::json!([
            MEASURING_VERSION,
            names,
            self.served,
            self.prompt.text,
            self.max_tokens,
            self.n_ctx,
            self.blocks,
            self.seed,
        ]);
        sha256_hex(parts.to_string())
    }

    fn identity(&self, entry: usize) -> String {
        sha256_hex(format!("control\n{}\n{}\n{entry}", self.series, self.fingerprint()))
    }
}
