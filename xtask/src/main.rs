//! The gate, run as `cargo xtask VERB`.
//!
//! Owns what is checked and in which order; how to install the tools for it is `./x`'s work.
//! Never changes a file of the project.

mod rules;
mod source;
mod steps;
mod tests_run;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask VERB

  check  format, lints, docs, tidy, dependencies, tests; every step runs, tests last
  test   all tests, then their sum as the last line: `N passed, N failed`
  tidy   file headers, file lengths, layering, unsafe code, unfinished work
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let verb = args.next();
    if let Some(extra) = args.next() {
        return usage_error(&format!("unexpected argument `{extra}`"));
    }
    let root = workspace_root();
    let outcome = match verb.as_deref() {
        Some("check") => steps::check(&root),
        Some("test") => tests_run::run(&root),
        Some("tidy") => tidy::run(&root),
        Some(other) => return usage_error(&format!("unknown verb `{other}`")),
        None => return usage_error("no verb given"),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            note(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn usage_error(problem: &str) -> ExitCode {
    note(&format!("{problem}\n\n{USAGE}"));
    ExitCode::from(2)
}

/// The folder of the workspace's `Cargo.toml`: the parent of this crate's.
fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in the workspace's root folder").to_path_buf()
}

/// Progress and findings, on stderr.
#[expect(clippy::print_stderr, reason = "xtask is a command; its findings go to the terminal")]
fn note(text: &str) {
    eprintln!("{text}");
}
