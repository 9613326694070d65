//! The memory that a fidelity plan expects, against the peak that its worker reports.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;

use cli_lab::Place;

/// Bytes that a dry run expects, and all that it says.
fn expected(command: &mut assert_cmd::Command) -> (f64, String) {
    let said = String::from_utf8(command.arg("--dry-run").output().unwrap().stdout).unwrap();
    let line = said.lines().find(|line| line.contains("expected memory")).unwrap();
    (line.split_whitespace().nth(2).unwrap().parse::<f64>().unwrap() * 1e6, said)
}

/// The measured peak is at most what was expected, and no more than a tenth below.
#[track_caller]
fn check_peak(place: &Place, expected: f64) {
    let peak = place.document()["steps"][0]["peak_memory_bytes"].as_f64().unwrap();
    let over = expected / peak - 1.0;
    let said = format!("{expected} expected, {peak} measured ({:+.1} %)", over * 100.0);
    assert!((0.0..=0.1).contains(&over), "{said}");
}

#[track_caller]
fn check(n_ctx: &str) {
    let place = Place::new();
    place.text("text.txt", 30_000);
    let builds = ["Q8_0", "Q4_K_M", "Q4_0"].map(|file_type| place.build(file_type));
    let args: Vec<&str> =
        ["--ctx", n_ctx, "--chunks", "2", "--text", "text.txt", "--quiet", "--no-noise-floor"]
            .into_iter()
            .chain(builds.iter().map(String::as_str))
            .collect();
    let fidelity = || {
        let mut command = place.karat(["fidelity", "--threads", "1", "--reference"]);
        command.arg(cli_lab::lab(cli_lab::ORIGINAL)).args(&args);
        command
    };
    let (expected, _) = expected(&mut fidelity());
    fidelity().assert().success();
    check_peak(&place, expected);
}

/// Candidates that take turns keep the least budget that they can, however long the text is.
#[track_caller]
fn check_budget(n_times: usize) {
    let place = Place::new();
    let english = std::fs::read_to_string(cli_lab::lab("eval-english.txt")).unwrap();
    std::fs::write(place.path("text.txt"), english.repeat(n_times)).unwrap();
    let builds = ["Q8_0", "Q4_K_M", "Q4_0"].map(|file_type| place.build(file_type));
    let fidelity = |budget: &str| {
        let args = ["--chunks", "2", "--text", "text.txt", "--quiet", "--no-noise-floor"];
        let mut command = place.karat(["fidelity", "--threads", "1", "--memory-budget", budget]);
        command.args(args).arg("--reference").arg(cli_lab::lab(cli_lab::ORIGINAL)).args(&builds);
        command
    };
    let (least, said) = expected(&mut fidelity("95MB"));
    assert!(said.contains("; candidates take 3 turns"), "{said}");
    let budget = least + 1e4;
    fidelity(&format!("{budget:.0}")).assert().success();
    check_peak(&place, budget);
}

#[test]
fn a_budget_is_kept_on_a_text_of_half_a_megabyte() {
    check_budget(1);
}

#[test]
fn a_budget_is_kept_on_a_text_of_four_megabytes() {
    check_budget(9);
}

/// Every window of a long text is there from the start, though the run ends after a few.
#[test]
fn all_windows_of_a_long_text_take_what_is_expected() {
    let place = Place::new();
    let english = std::fs::read_to_string(cli_lab::lab("eval-english.txt")).unwrap();
    std::fs::write(place.path("text.txt"), english.repeat(9)).unwrap();
    let builds = ["Q8_0", "Q4_0"].map(|file_type| place.build(file_type));
    let fidelity = || {
        let args = ["--until", "decided", "--text", "text.txt", "--quiet", "--no-noise-floor"];
        let mut command = place.karat(["fidelity", "--threads", "1", "--reference"]);
        command.arg(cli_lab::lab(cli_lab::ORIGINAL)).args(args).args(&builds);
        command
    };
    let (expected, _) = expected(&mut fidelity());
    fidelity().assert().success();
    check_peak(&place, expected);
}

#[test]
fn four_models_on_short_windows_take_what_is_expected() {
    check("512");
}

#[test]
fn four_models_on_long_windows_take_what_is_expected() {
    check("2048");
}

/// A budget that no turns could keep is refused; one that a pair keeps is what is expected at most.
#[test]
fn a_budget_is_kept_or_refused() {
    let place = Place::new();
    place.text("text.txt", 3_000);
    let builds = ["Q8_0", "Q4_0"].map(|file_type| place.build(file_type));
    let fidelity = |budget: &str| {
        let args = ["--ctx", "64", "--text", "text.txt", "--memory-budget", budget];
        let mut command = place.karat(["fidelity", "--threads", "1", "--reference"]);
        command.arg(cli_lab::lab(cli_lab::ORIGINAL)).args(args).args(&builds);
        command
    };
    place.check_refused(&mut fidelity("1"), "which no taking turns makes less");
    fidelity("1GB").arg("--dry-run").assert().success();
}

/// A worker whose questions are decided is ended before its last word; its peak is known all the same.
#[test]
fn an_early_end_has_its_own_peak() {
    let place = Place::new();
    place.text("text.txt", 60_000);
    let builds = ["Q8_0", "Q4_0"].map(|file_type| place.build(file_type));
    let mut command = place.karat(["fidelity", "--threads", "1", "--until", "decided"]);
    command.args(["--ctx", "256", "--text", "text.txt", "--no-noise-floor", "--reference"]);
    command.arg(cli_lab::lab(cli_lab::ORIGINAL)).args(&builds).assert().success();
    let document = place.document();
    let findings = document["findings"].to_string();
    assert!(findings.contains("every question was decided after"), "{findings}");
    let peak = document["steps"][0]["peak_memory_bytes"].as_u64().unwrap();
    let weights: u64 =
        document["models"].as_array().unwrap().iter().map(|m| m["bytes"].as_u64().unwrap()).sum();
    assert!(peak > weights, "{peak} held {weights} bytes of weights");
    // What was not asked about has no interval: the windows themselves decided when to stop.
    let rows = document["estimates"].as_array().unwrap().iter();
    let with_interval = rows.filter(|row| !row["lo"].is_null());
    let metrics: std::collections::BTreeSet<&str> =
        with_interval.map(|row| row["metric"].as_str().unwrap()).collect();
    assert_eq!(metrics, ["kld_mean", "kld_mean_diff"].into());
    // Those that have one hold together, of one build as of two.
    let rows = document["estimates"].as_array().unwrap().iter();
    assert!(rows.filter(|row| !row["lo"].is_null()).all(|row| row["level"] == 0.95));
    assert_eq!(document["texts"][0]["stopped_early"], true);
    // And perplexity, which no number of windows would give one, is not called undecided.
    let ceilings = document["answers"].as_array().unwrap().iter();
    let ceilings: Vec<_> = ceilings.filter(|answer| answer["question"] == "ceiling").collect();
    assert_eq!(ceilings.len(), 2);
    for ceiling in ceilings {
        let said = ceiling["sentence"].as_str().unwrap();
        assert!(said.contains("not judged, because the run stopped early"), "{said}");
        assert!(!said.contains("hardly"), "{said}");
    }
}

/// Nothing to score is told as such, not as the token that stands before every text.
#[test]
fn an_empty_text_is_called_empty() {
    let place = Place::new();
    std::fs::write(place.path("empty.txt"), "").unwrap();
    let builds = [place.build("Q8_0")];
    let mut command = place.fidelity(["--text", "empty.txt"]);
    place.check_refused(command.args(&builds), "text `empty.txt` is empty");
    place.text("short.txt", 40);
    let mut command = place.fidelity(["--text", "short.txt"]);
    place.check_refused(command.args(&builds), " tokens, less than two windows of 64");
}
