//! What a speed run says about given measurements: rows, claims, shares, findings.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::collections::BTreeMap;

use karat::instrument::speed::summary::{SpeedResults, SpeedSummary, summarize};
use karat::plan::{
    BlockPlan as _, Conditions, KvLayers, KvTraffic, SpeedAnatomy, SpeedPlan, SpeedRuler,
    SpeedSample, SpeedTest, TestKind,
};
use karat::record::{
    Claim, EngineRecord, Estimate, Lineage, MachineRecord, Margins, ModelRecord, ModelRole,
    Outcome, RunDocument, RunHeader, SCHEMA_VERSION, Severity,
};
use karat::report::{ReportOptions, formats};
use karat::settings::Kv;

const N_TOKENS: u32 = 128;

/// A plan of `models` (name, main type, lineage) with one test, tg128.
fn plan(models: &[(&str, &str, &[Lineage])], blocks: u32) -> SpeedPlan {
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

fn sample(rate: f64) -> SpeedSample {
    SpeedSample {
        pass_ns: vec![vec![(f64::from(N_TOKENS) * 1e9 / rate).round() as u64]],
        load_seconds: 1.0,
        conditions: [Conditions { clock_mhz: Some(2600.0), celsius: None }; 2],
        others_share: Some(0.0),
    }
}

/// Samples of each entry from its rates, block by block; the last entry is the first model again.
fn results(rates: &[&[f64]]) -> SpeedResults {
    let of = |rates: &&[f64]| (0..).zip(rates.iter().map(|&rate| sample(rate))).collect();
    SpeedResults { samples: rates.iter().map(of).collect(), sweeps: vec![30e9, 40e9, 35e9] }
}

fn row<'s>(summary: &'s SpeedSummary, metric: &str, candidate: &str) -> &'s Estimate {
    let is_it = |row: &&Estimate| row.metric == metric && row.candidate == candidate;
    summary.estimates.iter().find(is_it).unwrap_or_else(|| panic!("no {metric} of {candidate}"))
}

#[track_caller]
fn check_value(row: &Estimate, want: f64) {
    let got = row.value.unwrap();
    assert!((got / want - 1.0).abs() < 1e-6, "{}: got {got}, want {want}", row.metric);
}

/// A few per cent up and down, the same for all.
fn around(rate: f64) -> Vec<f64> {
    [0.99, 1.01, 1.0, 0.995, 1.005, 1.002, 0.998, 1.0].map(|factor| factor * rate).to_vec()
}

/// As [`around`], with noise of its own.
fn jittered(rate: f64) -> Vec<f64> {
    let jitter = [1.001, 0.999, 1.002, 0.998, 1.0, 1.001, 0.9985, 1.0005];
    around(rate).into_iter().zip(jitter).map(|(rate, factor)| rate * factor).collect()
}

/// The published control probe: QAT Q4_0 42.9 tok/s, another Q4_0 build 38.4, Q4_K_M 33.2. Single
/// figures support this much: format 57 % of the log ratio, the rest inseparable, no interval.
#[test]
fn the_original_experiment_s_figures_are_split_as_far_as_they_can_be() {
    let models: [(&str, &str, &[Lineage]); 3] =
        [("qat-Q4_0", "Q4_0", &[Lineage::Qat]), ("ptq-Q4_0", "Q4_0", &[]), ("Q4_K_M", "Q4_K", &[])];
    let summary = summarize(&plan(&models, 8), &results(&[&[42.9], &[38.4], &[33.2]]), 0.95);
    let format = row(&summary, "format_share", "qat-Q4_0");
    assert_eq!(format!("{:.0} %", 100.0 * format.value.unwrap()), "57 %");
    assert_eq!((format.lo, format.hi, format.n), (None, None, 1));
    let rest = row(&summary, "build_and_recipe_share", "qat-Q4_0");
    check_value(rest, 1.0 - (38.4_f64 / 33.2).ln() / (42.9_f64 / 33.2).ln());
    assert_eq!(rest.lo, None);
    // +16 % for the format, +12 % for build and recipe together.
    let ratio = |model, versus: &str| {
        let is_it = |row: &&Estimate| {
            (row.candidate.as_str(), row.versus.as_deref()) == (model, Some(versus))
                && row.metric == "tg_rate_ratio"
        };
        summary.estimates.iter().find(is_it).unwrap().value.unwrap()
    };
    assert_eq!(format!("{:.2}", 1.0 / ratio("Q4_K_M", "ptq-Q4_0")), "1.16");
    assert_eq!(format!("{:.2}", 1.0 / ratio("ptq-Q4_0", "qat-Q4_0")), "1.12");
    let claims: Vec<&str> = summary.claims.iter().map(|claim| claim.statement.as_str()).collect();
    assert_eq!(claims.len(), 1, "one block supports no comparison: {claims:?}");
    assert!(
        claims[0].contains("build and recipe cannot be separated without a twin"),
        "{claims:?}"
    );
    assert!(claims[0].contains("no intervals"), "{claims:?}");
}

#[test]
fn a_twin_separates_recipe_build_and_format() {
    let models: [(&str, &str, &[Lineage]); 4] = [
        ("qat", "Q4_0", &[Lineage::Qat]),
        ("twin", "Q4_0", &[Lineage::Twin]),
        ("build", "Q4_0", &[]),
        ("Q4_K_M", "Q4_K", &[]),
    ];
    let rates = [around(40.0), jittered(40.0), jittered(36.0), around(30.0), jittered(40.0)];
    let rates: Vec<&[f64]> = rates.iter().map(Vec::as_slice).collect();
    let summary = summarize(&plan(&models, 8), &results(&rates), 0.95);
    let share = |metric| row(&summary, metric, "qat");
    let parts = ["recipe_share", "build_share", "format_share"].map(|m| share(m).value.unwrap());
    assert!((parts.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{parts:?}");
    assert!(
        parts[0].abs() < 0.01
            && (parts[2] - (36.0_f64 / 30.0).ln() / (4.0_f64 / 3.0).ln()).abs() < 0.01
    );
    for metric in ["recipe_share", "build_share", "format_share"] {
        let row = share(metric);
        assert!(row.lo.unwrap() < row.value.unwrap() && row.value.unwrap() < row.hi.unwrap());
        assert_eq!((row.versus.as_deref(), row.n), (Some("Q4_K_M"), 8));
    }
    assert!(!summary.claims.iter().any(|claim| claim.statement.contains("cannot be separated")));
}

#[test]
fn without_a_control_nothing_is_split() {
    let models: [(&str, &str, &[Lineage]); 2] =
        [("qat", "Q4_0", &[Lineage::Qat]), ("Q4_K_M", "Q4_K", &[])];
    let rates = [around(40.0), jittered(30.0), jittered(40.0)];
    let rates: Vec<&[f64]> = rates.iter().map(Vec::as_slice).collect();
    let summary = summarize(&plan(&models, 8), &results(&rates), 0.95);
    assert!(
        !summary.estimates.iter().any(|row| row.metric.ends_with("_share") && row.versus.is_some())
    );
    let said = &summary.claims.last().unwrap().statement;
    assert!(said.contains("format, build and recipe cannot be separated"), "{said}");
}

/// The claims about a QAT file without a control against two builds, one much slower and one that
/// cannot be told from it, in two tests.
#[test]
fn what_lacks_a_control_is_said_once_per_pair_and_nothing_of_what_may_be_nothing() {
    let models: [(&str, &str, &[Lineage]); 3] =
        [("qat", "Q4_0", &[Lineage::Qat]), ("Q4_K_M", "Q4_K", &[]), ("Q5_0", "Q5_0", &[])];
    let mut plan = plan(&models, 8);
    plan.tests.push(SpeedTest { depth: 4096, ..plan.tests[0] });
    let noisy = [30.0, 45.0, 50.0, 38.0, 41.0, 36.0, 44.0, 39.0];
    let rates = [around(40.0), jittered(30.0), noisy.to_vec(), jittered(40.0)];
    let rates: Vec<&[f64]> = rates.iter().map(Vec::as_slice).collect();
    let mut results = results(&rates);
    for (_, sample) in results.samples.iter_mut().flatten() {
        let same = sample.pass_ns[0].clone();
        sample.pass_ns.push(same);
    }
    let summary = summarize(&plan, &results, 0.95);
    let with = |words: &str| -> Vec<&Claim> {
        summary.claims.iter().filter(|claim| claim.statement.contains(words)).collect()
    };
    let alone = with("cannot be separated");
    assert_eq!(alone.len(), 1, "{:?}", summary.claims);
    let said = &alone[0].statement;
    assert!(said.starts_with("tg128, tg128 at depth 4096: qat runs at 1.333 ["), "{said}");
    assert!(said.contains("], 1.333 [") && said.contains("times Q4_K_M's rate;"), "{said}");
    let rests_on = alone[0].estimates.iter().map(|row| &summary.estimates[*row]);
    let rests_on: Vec<&str> = rests_on.map(|row| row.metric.as_str()).collect();
    assert_eq!(rests_on, ["tg_rate_ratio", "tg_rate_ratio"]);
    let open = with("there is no difference for format, build and recipe to share");
    assert_eq!(open.len(), 2, "one for each test: {:?}", summary.claims);
    assert!(open.iter().all(|claim| claim.statement.contains("rate over Q5_0 ")), "{open:?}");
    assert!(open.iter().all(|claim| !claim.statement.contains("Q4_K_M")), "{open:?}");
}

#[test]
fn what_may_be_nothing_has_no_rows_of_shares() {
    let models: [(&str, &str, &[Lineage]); 3] = [
        ("qat", "Q4_0", &[Lineage::Qat]),
        ("twin", "Q4_0", &[Lineage::Twin]),
        ("Q5_0", "Q5_0", &[]),
    ];
    let noisy = [30.0, 45.0, 50.0, 38.0, 41.0, 36.0, 44.0, 39.0];
    let rates = [around(40.0), jittered(40.0), noisy.to_vec(), jittered(40.0)];
    let rates: Vec<&[f64]> = rates.iter().map(Vec::as_slice).collect();
    let summary = summarize(&plan(&models, 8), &results(&rates), 0.95);
    let shares = summary.estimates.iter().filter(|row| row.metric.ends_with("_share"));
    let of_pairs: Vec<&Estimate> = shares.filter(|row| row.versus.is_some()).collect();
    assert!(of_pairs.is_empty(), "{of_pairs:?}");
    let said = &summary.claims.last().unwrap().statement;
    assert!(said.contains("no difference for format, build and recipe to share"), "{said}");
}

/// Two models with these rates in each block: the claim about them.
#[track_caller]
fn check_claim(one: &[f64], other: &[f64], again: &[f64], said: &str) {
    let summary = summarize(
        &plan(&[("m", "Q8_0", &[]), ("n", "Q4_0", &[])], 8),
        &results(&[one, other, again]),
        0.95,
    );
    let claim = &summary.claims[0];
    assert!(claim.statement.contains(said), "`{said}` is not in: {}", claim.statement);
    let row = &summary.estimates[claim.estimates[0]];
    assert_eq!((row.metric.as_str(), row.candidate.as_str()), ("tg_rate_ratio", "n"));
}

#[test]
fn the_faster_model_is_named_first() {
    let (slow, fast) = (around(30.0), jittered(33.0));
    check_claim(&slow, &fast, &jittered(30.0), "tg128: n generates 10.0 % [");
    check_claim(&fast, &slow, &jittered(33.0), "tg128: m generates 10.0 % [");
}

#[test]
fn what_noise_hides_is_not_told_apart_and_says_what_it_would_take() {
    let noisy = [30.0, 33.0, 28.0, 31.0, 35.0, 27.0, 30.5, 32.0];
    check_claim(&noisy, &around(31.0), &around(30.0), "cannot tell n from m: ratio 1.0");
    check_claim(&noisy, &around(31.0), &around(30.0), "blocks would settle");
}

#[test]
fn what_a_model_shows_against_itself_is_no_difference_of_models() {
    // n is 1 % faster in every block, but so is m against itself.
    let (base, faster) = (around(30.0), jittered(30.3));
    check_claim(&base, &faster, &jittered(30.4), "against itself came out as far apart");
}

#[test]
fn rates_bytes_and_the_share_of_bandwidth_are_what_the_formulas_say() {
    let summary =
        summarize(&plan(&[("m", "Q4_0", &[])], 8), &results(&[&[8.0; 8], &[8.0; 8]]), 0.95);
    check_value(row(&summary, "tg_rate", "m"), 8.0);
    check_value(row(&summary, "noise_floor_tg_rate_ratio", "m"), 1.0);
    // 128 tokens from an empty cache read 64.5 positions on average.
    check_value(row(&summary, "kv_bytes_per_token", "m"), 64_500.0);
    check_value(row(&summary, "bytes_per_token", "m"), 4_000_064_500.0);
    check_value(row(&summary, "memory_bandwidth", "this machine"), 40e9);
    check_value(row(&summary, "memory_bandwidth_median", "this machine"), 35e9);
    check_value(row(&summary, "bandwidth_share", "m"), 8.0 * 4_000_064_500.0 / 40e9);
}

/// Whether a plan gets a share of the bandwidth, and what is said where it does not.
#[track_caller]
fn check_no_share(change: impl Fn(&mut SpeedPlan), said: &str) {
    let mut plan = plan(&[("m", "Q4_0", &[])], 8);
    change(&mut plan);
    let summary = summarize(&plan, &results(&[&[8.0; 8], &[8.0; 8]]), 0.95);
    assert!(!summary.estimates.iter().any(|row| row.metric == "bandwidth_share"));
    assert!(summary.findings.iter().any(|finding| finding.message.contains(said)), "{said}");
}

#[test]
fn a_share_that_would_mean_nothing_is_not_printed() {
    check_no_share(|plan| plan.last_level_cache = Some(1_100_000_000), "less than 4 times");
    check_no_share(|plan| plan.last_level_cache = None, "does not tell the size");
    check_no_share(
        |plan| {
            plan.ruler.gpu_layers = None;
            plan.machine.devices.push("CUDA0".to_owned());
        },
        "says nothing about layers on a GPU",
    );
}

#[track_caller]
fn check_warning(results: &SpeedResults, said: &str) {
    let summary = summarize(&plan(&[("m", "Q4_0", &[])], 8), results, 0.95);
    let warnings = summary.findings.iter().filter(|f| f.severity == Severity::Warning);
    let warnings: Vec<&str> = warnings.map(|finding| finding.message.as_str()).collect();
    assert!(warnings.iter().any(|warning| warning.contains(said)), "{said}: {warnings:?}");
}

#[test]
fn a_machine_that_drifts_is_flagged() {
    let sliding: Vec<f64> =
        around(30.0).iter().enumerate().map(|(i, rate)| rate * 0.98_f64.powi(i as i32)).collect();
    check_warning(&results(&[&sliding, &sliding]), "slower from the first to the last block");
}

#[test]
fn a_busy_machine_and_a_moving_clock_are_flagged() {
    let mut busy = results(&[&[8.0; 8], &[8.0; 8]]);
    for (block, sample) in busy.samples.iter_mut().flatten() {
        sample.others_share = Some(0.4);
        sample.conditions[1].clock_mhz = Some(3000.0 - 100.0 * f64::from(*block));
    }
    check_warning(&busy, "other processes took 40 % of the processors' time");
    check_warning(&busy, "clock 3000 MHz in the first block, 2300 MHz in the last");
}

#[test]
fn missing_blocks_are_named_and_the_rest_still_counts() {
    let mut short = results(&[&[8.0; 8], &[8.0; 8]]);
    short.samples[0].remove(&3);
    check_warning(&short, "m: 7 of 8 blocks");
    let summary = summarize(&plan(&[("m", "Q4_0", &[])], 8), &short, 0.95);
    assert_eq!(row(&summary, "tg_rate", "m").n, 7);
    assert_eq!(row(&summary, "noise_floor_tg_rate_ratio", "m").n, 7);
}

#[test]
fn every_block_runs_every_model_once_and_the_next_one_backwards() {
    let plan = plan(&[("a", "x", &[]), ("b", "x", &[]), ("c", "x", &[])], 8);
    let turns = plan.turns();
    assert_eq!(turns.len(), 8 * 4);
    let order = |block: u32| -> Vec<usize> {
        turns.iter().filter(|turn| turn.block == block).map(|turn| turn.entry).collect()
    };
    for pair in 0..4 {
        let (first, mut second) = (order(2 * pair), order(2 * pair + 1));
        second.reverse();
        assert_eq!(first, second);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3]);
    }
    assert!((1..4).any(|pair| order(2 * pair) != order(0)), "orders are random");
    assert_eq!(turns, plan.turns(), "and seeded");
}

#[test]
fn a_plan_is_the_same_where_its_results_would_be() {
    let plan = plan(&[("a", "x", &[])], 8);
    let other = |change: fn(&mut SpeedPlan)| {
        let mut other = plan.clone();
        change(&mut other);
        other.fingerprint() == plan.fingerprint()
    };
    assert!(other(|plan| plan.models[0].path = "moved.gguf".to_owned()));
    assert!(other(|plan| plan.series = "another".to_owned()));
    assert!(!other(|plan| plan.models[0].sha256 = "changed".to_owned()));
    assert!(!other(|plan| plan.ruler.n_threads = 4));
    assert!(!other(|plan| plan.engine.tree_sha256 = "newer".to_owned()));
    assert_ne!(plan.identity(0), plan.identity(1));
}

#[test]
fn the_report_says_it_in_tables() {
    let models: [(&str, &str, &[Lineage]); 3] =
        [("qat-Q4_0", "Q4_0", &[Lineage::Qat]), ("ptq-Q4_0", "Q4_0", &[]), ("Q4_K_M", "Q4_K", &[])];
    let mut plan = plan(&models, 8);
    plan.tests.push(SpeedTest { depth: 4096, ..plan.tests[0] });
    let rates = [around(42.9), jittered(38.4), jittered(33.2), jittered(42.8)];
    let rates: Vec<&[f64]> = rates.iter().map(Vec::as_slice).collect();
    let mut results = results(&rates);
    for (_, sample) in results.samples.iter_mut().flatten() {
        let deeper = sample.pass_ns[0].iter().map(|ns| ns * 5 / 4).collect();
        sample.pass_ns.push(deeper);
    }
    let summary = summarize(&plan, &results, 0.95);
    let mut document = RunDocument {
        schema_version: SCHEMA_VERSION,
        run: RunHeader {
            id: "20261101-120000-abc".to_owned(),
            karat_version: "0.1.0".to_owned(),
            command: "karat probe ...".to_owned(),
            started: "2026-11-01T12:00:00Z".to_owned(),
            finished: Some("2026-11-01T12:30:00Z".to_owned()),
            outcome: Outcome::Done,
            seed: 1,
            level: 0.95,
        },
        machine: plan.machine.clone(),
        engine: plan.engine.clone(),
        models: plan.models.clone(),
        texts: Vec::new(),
        estimates: summary.estimates,
        distributions: Vec::new(),
        worst_tokens: Vec::new(),
        attempts: Vec::new(),
        flips: Vec::new(),
        margins: Margins::default(),
        answers: Vec::new(),
        claims: summary.claims,
        findings: summary.findings,
        steps: Vec::new(),
    };
    for format in formats(ReportOptions::default()) {
        if ["text", "markdown"].contains(&format.name()) {
            let mut out = Vec::new();
            format.render(&document, &mut out).unwrap();
            insta::assert_snapshot!(
                format!("speed_{}", format.name()),
                String::from_utf8(out).unwrap()
            );
        }
    }
    for row in &mut document.estimates {
        row.n = 1;
        row.setting.insert("n_threads".to_owned(), "1".to_owned());
    }
    let said = text(&document);
    assert!(said.contains("1 block, each a process of its own · 1 thread ·"), "{said}");
    for row in &mut document.estimates {
        row.n = match (row.metric.as_str(), row.candidate.as_str()) {
            ("noise_floor_tg_rate_ratio", _) => 3,
            ("tg_rate_ratio", "Q4_K_M") => 5,
            ("tg_rate", "Q4_K_M") => 6,
            _ => 8,
        };
    }
    let said = text(&document);
    assert!(said.contains("5 to 8 blocks, each a process of its own"), "{said}");
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let floor = words.split("noise floor: ").nth(1).unwrap();
    assert!(floor.split(" · ").next().unwrap().ends_with("] (3 blocks)"), "{floor}");
    // A row of the first table: the model, its rate, ..., its blocks.
    let row = |model: &str, rate: &str| {
        let of_line = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut its = of_line.filter(|words| words.starts_with(&[model, rate]));
        its.next().unwrap_or_else(|| panic!("no {model} in {said}")).join(" ")
    };
    let (qat, mix) = (row("qat-Q4_0", "42.90"), row("Q4_K_M", "33.20"));
    assert!(qat.ends_with(" 8") && mix.ends_with(" 5 to 6"), "{qat}, {mix}");
}

fn text(document: &RunDocument) -> String {
    let formats = formats(ReportOptions::default());
    let text = formats.iter().find(|format| format.name() == "text").unwrap();
    let mut out = Vec::new();
    text.render(document, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
