//! Runs the workspace's tests and sums them up. Owns the reading of libtest's result lines;
//! chooses no test.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result};

use crate::note;
use crate::steps::cargo_command;

/// What the test programs reported, summed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    /// Adds the counts of one line of output, if it is a result line.
    fn observe(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        // The first part reads `ok. 5 passed`, the others `0 failed`, `1 ignored`, ...
        for part in counts.split(';') {
            let mut words = part.split_whitespace().rev();
            let (Some(what), Some(count)) = (words.next(), words.next()) else { continue };
            let Ok(count) = count.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.skipped += count,
                _ => {}
            }
        }
    }

    /// Takes the exit of cargo into account: a test program that aborted reported nothing.
    fn finish(mut self, cargo_succeeded: bool) -> Self {
        if !cargo_succeeded && self.failed == 0 {
            self.failed = 1;
        }
        self
    }

    fn executed(self) -> u64 {
        self.passed + self.failed
    }

    /// Adds a run of tests that this one had skipped.
    fn with_skipped(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped.saturating_sub(other.executed()),
        }
    }

    /// A run without a single executed test proves nothing and does not count as passed.
    fn is_success(self) -> bool {
        self.failed == 0 && self.passed > 0
    }

    fn summary(self) -> String {
        let Tally { passed, failed, skipped } = self;
        let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        format!("{passed} passed, {failed} failed{skipped}")
    }
}

/// Tests that need a real llama-server: ignored unless asked for. Of the whole workspace like all
/// others, so that nothing is compiled with other features.
const OF_A_SERVER: &[&str] = &["test", "--workspace", "--test", "real_server", "--", "--ignored"];

/// Runs every test, documentation tests included, streaming the output; prints the sum as
/// the last line. True when all passed.
pub fn run(root: &Path) -> Result<bool> {
    let mut tally = run_cargo(root, &["test", "--workspace", "--no-fail-fast"])?;
    if std::env::var_os("KARAT_SERVER_PYTHON").is_some() {
        tally = tally.with_skipped(run_cargo(root, OF_A_SERVER)?);
    } else {
        note("KARAT_SERVER_PYTHON is not set: no real llama-server was asked (./x test gets one)");
        if std::env::var_os("CI").is_some() {
            note("CI is set, so that counts as a failure");
            tally.failed += 1;
        }
    }
    print(&tally.summary());
    Ok(tally.is_success())
}

/// What `cargo` with these arguments reports, streamed.
fn run_cargo(root: &Path, args: &[&str]) -> Result<Tally> {
    let mut child = cargo_command(root)
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo test")?;
    let stdout = child.stdout.take().expect("stdout was asked to be a pipe");
    let mut tally = Tally::default();
    let mut line = Vec::new();
    let mut reader = BufReader::new(stdout);
    // By bytes: a failing test may print what is not UTF-8.
    while reader.read_until(b'\n', &mut line).context("cannot read from cargo test")? > 0 {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        tally.observe(text);
        print(text);
        line.clear();
    }
    let succeeded = child.wait().context("cannot wait for cargo test")?.success();
    if !succeeded && tally.failed == 0 {
        note("a test program, or its compilation, ended without a result: counted as one failure");
    }
    let mut tally = tally.finish(succeeded);
    if tally.executed() == 0 {
        note("no test was executed: that is a failure");
        tally.failed = 1;
    }
    Ok(tally)
}

/// Test output and its sum, on stdout.
#[expect(clippy::print_stdout, reason = "the sum is this command's result")]
fn print(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], cargo_succeeded: bool, want: &str, success: bool) {
        let mut tally = Tally::default();
        for line in lines {
            tally.observe(line);
        }
        let tally = tally.finish(cargo_succeeded);
        assert_eq!(tally.summary(), want);
        assert_eq!(tally.is_success(), success);
    }

    const FIVE: &str = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; \
                        2 filtered out; finished in 0.01s";
    const THREE: &str = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; \
                         0 filtered out; finished in 0.00s";
    const BROKEN: &str = "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; \
                          0 filtered out; finished in 0.00s";

    #[test]
    fn results_of_several_programs_are_summed() {
        check(&["running 6 tests", FIVE, "", THREE], true, "8 passed, 0 failed, 1 skipped", true);
    }

    #[test]
    fn without_ignored_tests_nothing_is_said_to_be_skipped() {
        check(&[THREE], true, "3 passed, 0 failed", true);
    }

    #[test]
    fn skipped_tests_that_ran_after_all_are_not_skipped() {
        let of = |line| {
            let mut tally = Tally::default();
            tally.observe(line);
            tally
        };
        let one = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 6 filtered out";
        assert_eq!(of(FIVE).with_skipped(of(one)).summary(), "6 passed, 0 failed");
        assert_eq!(of(FIVE).with_skipped(Tally::default()).summary(), of(FIVE).summary());
        assert!(!of(FIVE).with_skipped(of(BROKEN)).is_success());
    }

    #[test]
    fn one_failed_test_fails_the_run() {
        check(&[THREE, BROKEN], false, "4 passed, 2 failed", false);
    }

    #[test]
    fn an_aborted_program_counts_as_a_failure() {
        check(&[THREE], false, "3 passed, 1 failed", false);
    }

    #[test]
    fn a_run_without_tests_fails() {
        check(&[], true, "0 passed, 0 failed", false);
    }

    #[test]
    fn text_that_only_mentions_a_result_is_not_counted() {
        check(&["note: test result: ok. 9 passed", THREE], true, "3 passed, 0 failed", true);
    }
}
