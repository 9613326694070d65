//! Settings of a fidelity run, each shown by what must follow from it: taking turns for want of memory
//! changes nothing, a coarser KV cache moves a build away, the original is at no distance from itself
//! run again, and a run that may stop when it knows stops early and is right.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use std::path::Path;

use lab::BASE;
use serde_json::Value;

/// A report of builds against the original on English, with an empty store.
fn report(builds: &[&str], args: &[&str]) -> Value {
    report_at(tempfile::tempdir().unwrap().path(), builds, args)
}

fn report_at(home: &Path, builds: &[&str], args: &[&str]) -> Value {
    let mut command = lab::karat(home);
    command.args(["--quiet", "fidelity", "--format", "json", "--threads", "1"]).args(args);
    command.arg("--text").arg(lab::text("english"));
    command.arg("--reference").arg(&lab::builds([BASE])[0]);
    lab::json(command.args(lab::builds(builds.iter().copied())))
}

fn kld(report: &Value, candidate: &str) -> f64 {
    let original = lab::short_name(BASE);
    let row = lab::estimate(report, "kld_mean", candidate, Some(&original), "english");
    row["value"].as_f64().unwrap()
}

#[test]
fn taking_turns_within_a_memory_budget_changes_no_figure() {
    let builds = ["base-Q8_0", "base-Q4_K_M", "base-Q4_0"];
    let together = report(&builds, &["--chunks", "4"]);
    let in_turns = report(&builds, &["--chunks", "4", "--memory-budget", "95MB"]);
    assert_eq!(together["estimates"], in_turns["estimates"]);
}

#[test]
fn a_coarser_kv_cache_stands_beside_the_weights() {
    let report = report(&["base-Q8_0"], &["--chunks", "4", "--kv", "f16,q8_0,q4_0"]);
    let name = lab::short_name("base-Q8_0");
    let (plain, q8_0, q4_0) = (
        kld(&report, &name),
        kld(&report, &format!("{name} kv q8_0")),
        kld(&report, &format!("{name} kv q4_0")),
    );
    assert!(plain < q8_0 && q8_0 < q4_0 / 2.0, "{plain} {q8_0} {q4_0}");
    let settings: Vec<&str> = report["estimates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["metric"] == "kld_mean" && row["setting"]["position"].is_null())
        .map(|row| row["setting"]["kv"].as_str().unwrap())
        .collect();
    assert_eq!(settings, ["f16", "q8_0", "q4_0"]);
}

#[test]
fn the_original_run_again_is_at_no_distance_on_a_processor() {
    let report = report(&["base-Q8_0"], &["--chunks", "6"]);
    let original = lab::short_name(BASE);
    let floor = |metric| {
        let row = lab::estimate(&report, metric, &original, Some(&original), "english");
        assert_eq!(row["n"], 4, "a twentieth of the windows, at least four");
        row["value"].as_f64()
    };
    assert_eq!(floor("noise_floor_kld_rerun"), Some(0.0));
    assert!(floor("noise_floor_kld_ubatch").is_some_and(|nats| nats < 1e-2));
}

#[test]
fn four_builds_are_ordered_within_a_quarter_of_the_text() {
    let builds = ["base-Q8_0", "base-Q6_K", "base-Q4_K_M", "base-Q4_0"];
    let report = report(&builds, &["--until", "decided", "--no-noise-floor"]);
    let n_windows = report["estimates"][0]["n"].as_f64().unwrap();
    assert!(n_windows <= 0.25 * 251.0, "{n_windows} windows of 251");
    let statements: Vec<&str> = report["claims"]
        .as_array()
        .unwrap()
        .iter()
        .map(|claim| claim["statement"].as_str().unwrap())
        .collect();
    assert_eq!(statements.len(), 6, "{statements:?}");
    for claim in report["claims"].as_array().unwrap() {
        check_rests_on_its_row(&report, claim);
    }
    for (nearer, farther) in [(0, 1), (1, 2), (2, 3)] {
        let (nearer, farther) = (lab::short_name(builds[nearer]), lab::short_name(builds[farther]));
        let wanted = format!("{nearer} is nearer to {} than {farther}", lab::short_name(BASE));
        assert!(statements.iter().any(|said| said.contains(&wanted)), "{wanted}: {statements:?}");
    }
}

/// A claim of an order names one row: the difference of its two builds, whose interval has the sign
/// that the claim says.
#[track_caller]
fn check_rests_on_its_row(report: &Value, claim: &Value) {
    let [index] = &claim["estimates"].as_array().unwrap()[..] else {
        panic!("not one row: {claim}");
    };
    let row = &report["estimates"][index.as_u64().unwrap() as usize];
    assert_eq!(row["metric"], "kld_mean_diff");
    let name = |key: &str| row[key].as_str().unwrap();
    let (nearer, farther) = if row["hi"].as_f64() < Some(0.0) {
        (name("candidate"), name("versus"))
    } else {
        assert!(row["lo"].as_f64() > Some(0.0), "{row}");
        (name("versus"), name("candidate"))
    };
    let wanted = format!("{nearer} is nearer to {} than {farther}", name("reference"));
    assert!(claim["statement"].as_str().unwrap().contains(&wanted), "{claim} rests on {row}");
}

#[test]
fn what_is_not_decided_is_said_to_be_open() {
    let margin = ["--until", "decided", "--margin", "0.0006", "--chunks", "30"];
    let report = report(&["base-Q8_0"], &[&margin[..], &["--no-noise-floor"]].concat());
    let findings = report["findings"].to_string();
    assert!(
        findings.contains("whether lab-base-Q8_0 is within 0.0006 nats stayed open"),
        "{findings}"
    );
    assert_eq!(report["claims"].as_array().unwrap().len(), 0);
}

#[test]
fn windows_that_only_one_candidate_has_do_not_disturb_the_questions() {
    let home = tempfile::tempdir().unwrap();
    report_at(home.path(), &["base-Q8_0"], &["--chunks", "30"]);
    let until = ["--until", "decided", "--chunks", "30", "--no-noise-floor"];
    let report = report_at(home.path(), &["base-Q8_0", "base-Q4_0"], &until);
    let claim = report["claims"][0]["statement"].as_str().unwrap();
    assert!(claim.contains("lab-base-Q8_0 is nearer"), "{claim}");
    assert!(!report["findings"].to_string().contains("left out"), "{}", report["findings"]);
}

#[test]
fn candidates_that_take_turns_stop_at_the_same_window() {
    let until = ["--until", "decided", "--chunks", "40", "--no-noise-floor"];
    let builds = ["base-Q8_0", "base-Q4_0"];
    let together = report(&builds, &until);
    let in_turns = report(&builds, &[&until[..], &["--memory-budget", "95MB"]].concat());
    assert_eq!(together["estimates"], in_turns["estimates"]);
    assert_eq!(together["claims"], in_turns["claims"]);
    assert_eq!(together["claims"].as_array().unwrap().len(), 1);
}

/// Rows of the windows' first halves, and all others.
fn halves(report: &Value) -> (Vec<&Value>, Vec<&Value>) {
    let rows = report["estimates"].as_array().unwrap().iter();
    rows.partition(|row| row["setting"]["positions"] == "first_half")
}

#[test]
fn first_halves_are_those_of_the_windows_read_and_do_not_depend_on_the_budget() {
    let until = ["--until", "decided", "--chunks", "40", "--no-noise-floor"];
    let builds = ["base-Q8_0", "base-Q4_0"];
    let plain = report(&builds, &until);
    let all = report(&builds, &[&until[..], &["--positions", "all"]].concat());
    let in_turns = ["--positions", "all", "--memory-budget", "95MB"];
    let in_turns = report(&builds, &[&until[..], &in_turns].concat());
    assert_eq!(all["estimates"], in_turns["estimates"]);
    assert_eq!(all["worst_tokens"], in_turns["worst_tokens"]);
    let (first, second) = halves(&all);
    assert_eq!(second, halves(&plain).1);
    let n_read = second[0]["n"].as_u64().unwrap();
    assert!(n_read < 40);
    assert!(first.len() > 20 && first.iter().all(|row| row["n"].as_u64() == Some(n_read)));
}

#[test]
fn the_noise_floor_is_apart_from_the_figures_where_there_are_few_windows() {
    let report = report(&["base-Q8_0"], &["--chunks", "2"]);
    let name = lab::short_name("base-Q8_0");
    assert!(kld(&report, &name) > 0.0);
    assert!(report["steps"][0]["peak_memory_bytes"].as_u64() > Some(1 << 20));
}
