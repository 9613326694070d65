//! What a speed run says about given measurements: rows, claims, shares, findings.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod speed_builds;

use karat::instrument::speed::summary::{SpeedResults, summarize};
use karat::plan::{BlockPlan as _, SpeedPlan, SpeedTest};
use karat::record::{Lineage, Margins, Outcome, RunDocument, RunHeader, SCHEMA_VERSION, Severity};
use karat::report::{ReportOptions, formats};
use speed_builds::{around, check_value, jittered, plan, results, row};

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
