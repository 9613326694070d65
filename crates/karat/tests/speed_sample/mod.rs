//! A speed run made by hand: models with single rates.

use std::collections::BTreeMap;

use karat::instrument::speed::summary::{SpeedResults, SpeedSummary, summarize};
use karat::plan::{
    Conditions, SpeedAnatomy, SpeedPlan, SpeedRuler, SpeedSample, SpeedTest, TestKind,
};
use karat::record::{EngineRecord, MachineRecord, ModelRecord};
use karat::settings::Kv;

const N_TOKENS: u32 = 120;

/// One block of tg120 of these models with their main tensor types and rates.
pub fn single_figures(models: &[ModelRecord], main_types: &[&str], rates: &[f64]) -> SpeedSummary {
    let anatomy = |main_type: &&str| SpeedAnatomy {
        weight_bytes: Some(7_000_000_000),
        kv: None,
        main_type: (*main_type).to_owned(),
        n_params: 12_000_000_000,
    };
    let plan = SpeedPlan {
        models: models.to_vec(),
        anatomy: main_types.iter().map(anatomy).collect(),
        tests: vec![SpeedTest { kind: TestKind::Tg, n_tokens: N_TOKENS, depth: 0 }],
        ruler: SpeedRuler {
            kv: Kv::F16,
            gpu_layers: None,
            n_threads: 8,
            n_batch: 2048,
            n_ubatch: 512,
            reps: 1,
        },
        prompt: None,
        blocks: 1,
        seed: 1,
        series: "published".to_owned(),
        last_level_cache: None,
        findings: Vec::new(),
        machine: MachineRecord {
            os: "os".to_owned(),
            cpu: "cpu".to_owned(),
            cores: 8,
            memory_bytes: 64 << 30,
            devices: Vec::new(),
        },
        engine: EngineRecord {
            crate_version: "engine".to_owned(),
            tree_sha256: "tree".to_owned(),
            system_info: "info".to_owned(),
        },
    };
    let sample = |rate: &f64| {
        let sample = SpeedSample {
            pass_ns: vec![vec![(f64::from(N_TOKENS) * 1e9 / rate).round() as u64]],
            load_seconds: 1.0,
            conditions: [Conditions { clock_mhz: None, celsius: None }; 2],
            others_share: None,
        };
        BTreeMap::from([(0, sample)])
    };
    let samples = rates.iter().map(sample).collect();
    summarize(&plan, &SpeedResults { samples, sweeps: Vec::new() }, 0.95)
}
