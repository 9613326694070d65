//! Plans of speed runs of made-up models, and results with rates of one's choice.

#![allow(dead_code, reason = "each test file that includes this uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::collections::BTreeMap;

use karat::instrument::speed::summary::{SpeedResults, SpeedSummary};
use karat::plan::{
    Conditions, KvLayers, KvTraffic, SpeedAnatomy, SpeedPlan, SpeedRuler, SpeedSample, SpeedTest,
    TestKind,
};
use karat::record::{EngineRecord, Estimate, Lineage, MachineRecord, ModelRecord, ModelRole};
use karat::settings::Kv;

pub const N_TOKENS: u32 = 128;

/// A plan of `models` (name, main type, lineage) with one test, tg128.
pub fn plan(models: &[(&str, &str, &[Lineage])], blocks: u32) -> SpeedPlan {
    let record = |&(name, _, lineage): &(&str, &str, &[Lineage])| ModelRecord {
        name: name.to_owned(),
        role: ModelRole::Candidate,
        path: format!("{name}.gguf"),
        sha256: name.to_owned(),
        bytes: 7_000_000_000,
        architecture: "gemma4".to_owned(),
        tensor_types: BTreeMap::new(),
        bits_per_weight: 4.5,
        proxy_reference: false,
        lineage: lineage.to_vec(),
        template_sha256: None,
        served: None,
        recommended_sampling: None,
    };
    let anatomy = |&(_, main_type, _): &(&str, &str, &[Lineage])| SpeedAnatomy {
        weight_bytes: Some(4_000_000_000),
        kv: Some(KvTraffic(vec![KvLayers { bytes_per_position: 1_000, window: None }])),
        main_type: main_type.to_owned(),
        n_params: 12_000_000_000,
    };
    SpeedPlan {
        models: models.iter().map(record).collect(),
        anatomy: models.iter().map(anatomy).collect(),
        tests: vec![SpeedTest { kind: TestKind::Tg, n_tokens: N_TOKENS, depth: 0 }],
        ruler: SpeedRuler {
            kv: Kv::F16,
            gpu_layers: Some(0),
            n_threads: 8,
            n_batch: 2048,
            n_ubatch: 512,
            reps: 1,
        },
        prompt: None,
        blocks,
        seed: 1,
        series: "s".to_owned(),
        last_level_cache: Some(32 << 20),
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
    }
}

pub fn sample(rate: f64) -> SpeedSample {
    SpeedSample {
        pass_ns: vec![vec![(f64::from(N_TOKENS) * 1e9 / rate).round() as u64]],
        load_seconds: 1.0,
        conditions: [Conditions { clock_mhz: Some(2600.0), celsius: None }; 2],
        others_share: Some(0.0),
    }
}

/// Samples of each entry from its rates, block by block; the last entry is the first model again.
pub fn results(rates: &[&[f64]]) -> SpeedResults {
    let of = |rates: &&[f64]| (0..).zip(rates.iter().map(|&rate| sample(rate))).collect();
    SpeedResults { samples: rates.iter().map(of).collect(), sweeps: vec![30e9, 40e9, 35e9] }
}

pub fn row<'s>(summary: &'s SpeedSummary, metric: &str, candidate: &str) -> &'s Estimate {
    let is_it = |row: &&Estimate| row.metric == metric && row.candidate == candidate;
    summary.estimates.iter().find(is_it).unwrap_or_else(|| panic!("no {metric} of {candidate}"))
}

#[track_caller]
pub fn check_value(row: &Estimate, want: f64) {
    let got = row.value.unwrap();
    assert!((got / want - 1.0).abs() < 1e-6, "{}: got {got}, want {want}", row.metric);
}

/// A few per cent up and down, the same for all.
pub fn around(rate: f64) -> Vec<f64> {
    [0.99, 1.01, 1.0, 0.995, 1.005, 1.002, 0.998, 1.0].map(|factor| factor * rate).to_vec()
}

/// As [`around`], with noise of its own.
pub fn jittered(rate: f64) -> Vec<f64> {
    let jitter = [1.001, 0.999, 1.002, 0.998, 1.0, 1.001, 0.9985, 1.0005];
    around(rate).into_iter().zip(jitter).map(|(rate, factor)| rate * factor).collect()
}
