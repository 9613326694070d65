//! The memory that a fidelity plan expects, against the peak that its worker reports.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;

use cli_lab::Place;

/// Expected and measured peak differ by at most a tenth.
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
    let dry = |command: &mut assert_cmd::Command| {
        let said = command.output().unwrap().stdout;
        let said = String::from_utf8(said).unwrap();
        let line = said.lines().find(|line| line.contains("expected memory")).unwrap();
        line.split_whitespace().nth(2).unwrap().parse::<f64>().unwrap() * 1e6
    };
    let fidelity = || {
        let mut command = place.karat(["fidelity", "--threads", "1", "--reference"]);
        command.arg(cli_lab::lab(cli_lab::ORIGINAL)).args(&args);
        command
    };
    let expected = dry(fidelity().arg("--dry-run"));
    fidelity().assert().success();
    let peak = place.document()["steps"][0]["peak_memory_bytes"].as_f64().unwrap();
    let off = expected / peak - 1.0;
    assert!(off.abs() <= 0.1, "{expected} expected, {peak} measured ({:+.1} %)", off * 100.0);
}

#[test]
fn four_models_on_short_windows_take_what_is_expected() {
    check("512");
}

#[test]
fn four_models_on_long_windows_take_what_is_expected() {
    check("2048");
}
