//! The plan of a speed run: models, tests, blocks and their order, and the identity of every result.

use serde::{Deserialize, Serialize};

use super::{BlockPlan, KvTraffic, RunPlan, SpeedTest};
use crate::digest::sha256_hex;
use crate::record::{EngineRecord, Finding, MachineRecord, ModelRecord, TextRecord};
use crate::settings::Kv;

/// Raised when the way rates are measured changes, so that old blocks are not mixed in.
const MEASURING_VERSION: u32 = 1;

/// Everything a speed run depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpeedPlan {
    /// Models in the order given.
    pub models: Vec<ModelRecord>,
    /// What each model is, for the figures that follow from its header; one per model.
    pub anatomy: Vec<SpeedAnatomy>,
    /// What is timed, in the order it is timed.
    pub tests: Vec<SpeedTest>,
    /// How it is run.
    pub ruler: SpeedRuler,
    /// Text whose tokens are submitted; random ones where missing.
    pub prompt: Option<TextRecord>,
    /// Blocks: each runs every model once, and the first once more.
    pub blocks: u32,
    /// Seed of orders and prompt tokens.
    pub seed: u64,
    /// Names the series of blocks this run adds to: the id of the run that began it.
    pub series: String,
    /// Last-level cache of this machine in bytes, all of them together.
    pub last_level_cache: Option<u64>,
    /// What was noticed about the models.
    pub findings: Vec<Finding>,
    /// Where it runs.
    pub machine: MachineRecord,
    /// On what engine.
    pub engine: EngineRecord,
}

/// What rates depend on besides model and test. Batch sizes are llama-bench's and the runners'.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeedRuler {
    /// Type of the KV cache.
    pub kv: Kv,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
    /// Engine threads.
    pub n_threads: u32,
    /// Most tokens submitted at once.
    pub n_batch: u32,
    /// Tokens computed at once.
    pub n_ubatch: u32,
    /// Timed passes of each test in one process.
    pub reps: u32,
}

/// What a model's header says about the work of one token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpeedAnatomy {
    /// Bytes of weights read for one generated token; missing where the header does not tell.
    pub weight_bytes: Option<u64>,
    /// KV cache read for one generated token; missing where the header does not tell.
    pub kv: Option<KvTraffic>,
    /// The type that holds most weights outside embedding and output.
    pub main_type: String,
    /// Number of weights.
    pub n_params: u64,
}

impl SpeedPlan {
    /// Under what the store keeps the read sweep of this machine's memory.
    pub fn sweep_identity(&self) -> String {
        sha256_hex(format!("sweep\n{}\n{}", self.series, self.fingerprint()))
    }

    /// Whether everything is computed by the processor.
    pub fn on_processor(&self) -> bool {
        self.ruler.gpu_layers == Some(0) || self.machine.devices.is_empty()
    }
}

impl BlockPlan for SpeedPlan {
    fn of_run(run: RunPlan) -> Option<Self> {
        run.speed
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
        let hashes: Vec<&str> = self.models.iter().map(|model| model.sha256.as_str()).collect();
        let parts = serde_json::json!([
            MEASURING_VERSION,
            hashes,
            self.tests,
            self.ruler,
            self.prompt.as_ref().map(|prompt| &prompt.sha256),
            self.blocks,
            self.seed,
            self.engine,
            self.machine.cpu,
            self.machine.cores,
            self.machine.devices,
        ]);
        sha256_hex(parts.to_string())
    }

    fn identity(&self, entry: usize) -> String {
        sha256_hex(format!("speed\n{}\n{}\n{entry}", self.series, self.fingerprint()))
    }
}
