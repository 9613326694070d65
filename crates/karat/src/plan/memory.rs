//! The plan of a memory run: models, contexts and KV types, what was predicted, and the identity of
//! every measurement. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::memory::Prediction;
use crate::record::{EngineRecord, Finding, MachineRecord, ModelRecord};
use crate::settings::Kv;
use crate::units::count;

/// Raised when the way it is measured changes, so that old figures are not mixed in.
const MEASURING_VERSION: u32 = 1;

/// Everything a memory run depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryPlan {
    /// In the order given.
    pub models: Vec<ModelRecord>,
    /// Each model with each context and KV type.
    pub cases: Vec<MemoryCase>,
    /// Most tokens computed at once.
    pub n_ubatch: u32,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
    /// Engine threads.
    pub n_threads: u32,
    /// Nothing is measured.
    pub predict_only: bool,
    /// What was noticed about the models.
    pub findings: Vec<Finding>,
    /// Where it runs.
    pub machine: MachineRecord,
    /// On what engine.
    pub engine: EngineRecord,
}

/// One model in one setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryCase {
    /// Index into the plan's models.
    pub model: usize,
    /// Tokens of the context.
    pub n_ctx: u32,
    /// Type of the KV cache.
    pub kv: Kv,
    /// From the header; missing where its architecture is not known, or the numbers make no sense.
    pub prediction: Option<Prediction>,
}

impl MemoryPlan {
    /// What a case's rows show as their setting.
    pub fn setting(&self, case: &MemoryCase) -> BTreeMap<String, String> {
        let layers = self.gpu_layers.map_or("all".to_owned(), |n| n.to_string());
        BTreeMap::from([
            ("n_ctx".to_owned(), case.n_ctx.to_string()),
            ("kv".to_owned(), case.kv.to_string()),
            ("n_ubatch".to_owned(), self.n_ubatch.to_string()),
            ("gpu_layers".to_owned(), layers),
        ])
    }

    /// Hash of everything a measurement depends on: contents of the model, setting, engine, devices. Not
    /// of plans that only predict: their models are not hashed.
    pub fn identity(&self, case: &MemoryCase) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        add("memory");
        add(&MEASURING_VERSION.to_string());
        add(&self.models[case.model].sha256);
        for (key, value) in self.setting(case) {
            add(&key);
            add(&value);
        }
        add(&self.engine.crate_version);
        add(&self.engine.tree_sha256);
        add(&self.engine.system_info);
        add(&self.machine.os);
        self.machine.devices.iter().for_each(|device| add(device));
        hex(&hash.finalize())
    }

    /// What a case's step is called.
    pub fn title(&self, case: &MemoryCase) -> String {
        format!(
            "memory of {}: context of {}, KV {}",
            self.models[case.model].name,
            count(u64::from(case.n_ctx), "token"),
            case.kv
        )
    }

    /// The engine's name of the first GPU.
    pub fn gpu_name(&self) -> String {
        let first = self.machine.devices.first().and_then(|device| device.split(' ').next());
        first.unwrap_or("GPU").to_owned()
    }
}
