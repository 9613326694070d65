//! The plan of a behaviour run: models, tasks, terms, and the identity of every attempt. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::sha256_hex;
use crate::generation::{Sampling, Terms, Thinking};
use crate::record::{EngineRecord, Finding, MachineRecord, ModelRecord};
use crate::settings::{RERUN_EVERY, SuiteName, SuiteSpec};
use crate::task::Instance;

/// Raised when asking or scoring changes, so that old attempts are not mixed in.
const MEASURING_VERSION: u32 = 1;

/// Everything a behaviour run depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BehaviourPlan {
    /// Models in the order given.
    pub models: Vec<ModelRecord>,
    /// The name of each that is on a server; none for a file, which the embedded engine runs.
    pub servers: Vec<Option<String>>,
    /// What each server said its model is; none for a file, and where a server tells nothing but the name.
    #[serde(default)]
    pub served: Vec<Option<String>>,
    /// Which tasks were asked for.
    pub suite: SuiteSpec,
    /// The tasks themselves.
    pub instances: Vec<Instance>,
    /// Tokens of each one's messages, counted in the first file's vocabulary, or as the first server
    /// counts.
    pub prompt_tokens: Vec<u64>,
    /// On what terms.
    pub terms: Terms,
    /// Budgets whose accuracy is read off the answers.
    pub budgets: Vec<u32>,
    /// Times that each instance is asked.
    pub repeats: u32,
    /// Engine threads.
    pub n_threads: u32,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
    /// Names the series of answers of servers that this run adds to: a server may have another model
    /// under the same name tomorrow.
    pub series: String,
    /// What was noticed while planning.
    pub findings: Vec<Finding>,
    /// Where it runs.
    pub machine: MachineRecord,
    /// On what engine.
    pub engine: EngineRecord,
}

/// One question to a model: an instance, and for which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TurnOf {
    /// Which repeat, from 0.
    pub repeat: u32,
    /// Index of the plan's instances.
    pub instance: usize,
}

impl BehaviourPlan {
    /// Every question to one model, in the order they are asked. Of a suite that is asked once, every
    /// tenth instance once more.
    pub fn turns(&self) -> Vec<TurnOf> {
        let n = self.instances.len();
        let round = |repeat| (0..n).map(move |instance| TurnOf { repeat, instance });
        let again = if self.repeats == 1 && self.suite.name == SuiteName::Full { n } else { 0 };
        let again = (0..again).step_by(RERUN_EVERY);
        (0..self.repeats)
            .flat_map(round)
            .chain(again.map(|instance| TurnOf { repeat: 1, instance }))
            .collect()
    }

    /// Under what the store keeps the attempts of a model at an instance, one sample per repeat.
    pub fn identity(&self, model: usize, instance: usize) -> String {
        let of = match &self.servers[model] {
            // Threads and processor change no answer, but every time.
            None => serde_json::json!([
                self.models[model].sha256,
                self.engine,
                self.gpu_layers,
                self.n_threads,
                self.machine.cpu,
                self.machine.devices,
            ]),
            Some(server) => serde_json::json!([server, self.served.get(model), self.series]),
        };
        let instance = self.instances[instance].digest();
        let parts = serde_json::json!([MEASURING_VERSION, of, instance, self.terms]);
        sha256_hex(format!("behaviour\n{parts}"))
    }

    /// Hash of what answers depend on, but for the moment: runs of equal fingerprint can go on with
    /// each other's series.
    pub fn fingerprint(&self) -> String {
        let hashes: Vec<&str> = self.models.iter().map(|model| model.sha256.as_str()).collect();
        let instances: Vec<String> = self.instances.iter().map(Instance::digest).collect();
        let parts = serde_json::json!([
            MEASURING_VERSION,
            hashes,
            self.servers,
            self.served,
            instances,
            self.terms,
            self.repeats,
        ]);
        sha256_hex(parts.to_string())
    }

    /// What the rows show as their setting.
    pub fn setting(&self) -> BTreeMap<String, String> {
        let thinking = match &self.terms.thinking {
            Thinking::Default => "default".to_owned(),
            Thinking::Off => "off".to_owned(),
            Thinking::On => "on".to_owned(),
            Thinking::Level(level) => level.clone(),
        };
        let sampling = match self.terms.sampling {
            Sampling::Greedy => "greedy",
            Sampling::Recommended { .. } => "recommended",
            Sampling::Values { .. } => "given",
        };
        BTreeMap::from([
            ("n_ctx".to_owned(), self.terms.n_ctx.to_string()),
            ("suite".to_owned(), self.suite_name().to_owned()),
            ("thinking".to_owned(), thinking),
            ("sampling".to_owned(), sampling.to_owned()),
        ])
    }

    /// What a report calls the suite.
    pub fn suite_name(&self) -> &str {
        match (&self.suite.folder, self.suite.name) {
            (Some(_), _) => "own",
            (None, SuiteName::Quick) => "quick",
            (None, SuiteName::Full) => "full",
        }
    }
}
