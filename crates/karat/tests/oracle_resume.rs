//! A run that was killed goes on where it was, and reports what an uninterrupted one reports.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lab::BASE;
use serde_json::Value;
use tempfile::TempDir;

/// Windows of each of the two texts: enough that a run takes some seconds.
const N_WINDOWS: u64 = 24;
const TEXTS: [&str; 2] = ["english", "code"];
/// A run that shows nothing for this long never will.
const PATIENCE: Duration = Duration::from_mins(5);

/// Arguments of the run that is interrupted, and of the one that is not.
fn arguments() -> Vec<PathBuf> {
    let paths = lab::builds([BASE, "base-Q8_0", "base-Q4_0"]);
    let windows = N_WINDOWS.to_string();
    let words = ["fidelity", "--format", "json", "--threads", "1", "--chunks", &windows];
    let mut arguments: Vec<PathBuf> = words.iter().map(PathBuf::from).collect();
    arguments.extend(TEXTS.iter().flat_map(|corpus| ["--text".into(), lab::text(corpus)]));
    arguments.push("--reference".into());
    arguments.extend(paths);
    arguments
}

/// Windows of each text that are still to be scored, from the plan that a dry run prints.
fn missing(home: &Path, arguments: &[PathBuf]) -> Vec<u64> {
    let output = lab::karat(home).args(arguments).arg("--dry-run").assert().success();
    let plan = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let number = |line: &str| line.strip_suffix(" to score")?.rsplit(' ').next()?.parse().ok();
    let missing: Vec<u64> = plan.lines().filter_map(number).collect();
    assert_eq!(missing.len(), TEXTS.len(), "{plan}");
    missing
}

/// Starts a run and kills it with SIGKILL once a few windows of the first text are stored.
fn start_and_kill(home: &Path, arguments: &[PathBuf]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_karat"));
    command.arg("--home").arg(home).args(arguments);
    let mut run: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while missing(home, arguments)[0] > N_WINDOWS - 3 {
        let ended = run.try_wait().unwrap();
        assert!(ended.is_none() && begun.elapsed() < PATIENCE, "nothing to kill: {ended:?}");
        thread::sleep(Duration::from_millis(50));
    }
    run.kill().unwrap();
    assert_eq!(run.wait().unwrap().signal(), Some(9));
}

/// Windows that a run scored of each text, from its closing lines.
fn scored(stderr: &str) -> Vec<u64> {
    let of = |corpus: &&str| {
        let prefix = format!("eval-{corpus}: ");
        let said = stderr.lines().filter_map(|line| line.strip_prefix(&prefix));
        let mut closing = said.filter_map(|line| match line {
            "all windows were scored before" => Some(0),
            _ => line.split_once(" windows in ")?.0.parse().ok(),
        });
        closing.next().unwrap_or_else(|| panic!("no closing line of {corpus} in {stderr}"))
    };
    TEXTS.iter().map(of).collect()
}

fn run_through(home: &Path, arguments: &[PathBuf]) -> (Value, Vec<u64>) {
    let output = lab::karat(home).args(arguments).assert().success().get_output().clone();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    (report["estimates"].clone(), scored(&String::from_utf8(output.stderr).unwrap()))
}

#[test]
fn a_killed_run_goes_on_where_it_was_and_ends_the_same_to_the_bit() {
    let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let arguments = arguments();
    start_and_kill(parts.path(), &arguments);
    let left = missing(parts.path(), &arguments);
    assert!((1..=N_WINDOWS - 3).contains(&left[0]), "killed too late or too early: {left:?} left");

    let (resumed, scored_after) = run_through(parts.path(), &arguments);
    assert_eq!(scored_after, left, "windows scored after the kill, and windows left then");
    let (uninterrupted, scored_at_once) = run_through(whole.path(), &arguments);
    assert_eq!(scored_at_once, [N_WINDOWS; 2]);
    // Numbers are written so that they read back to the bit.
    assert!(resumed.as_array().unwrap().len() > 50);
    assert_eq!(resumed, uninterrupted);

    let (again, scored_again) = run_through(parts.path(), &arguments);
    assert_eq!(scored_again, [0; 2]);
    assert_eq!(again, uninterrupted);
}
