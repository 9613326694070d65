//! The steps of `check` and their order. Each runs once, whatever the others said, so that
//! one run shows everything that is wrong. Owns no rule itself.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::{note, tests_run, tidy};

/// One step of the gate: a cargo command line.
struct Step {
    name: &'static str,
    args: &'static [&'static str],
    env: &'static [(&'static str, &'static str)],
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Passed,
    Failed,
    /// What it needs is not here.
    Skipped,
}

impl Ended {
    fn passed(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}

/// Cheap steps first. All use the dev profile, so that the engine is compiled once.
const CARGO_STEPS: &[Step] = &[
    Step { name: "format", args: &["fmt", "--all", "--check"], env: &[] },
    Step {
        name: "lints",
        args: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        env: &[],
    },
    Step {
        name: "docs",
        args: &["doc", "--workspace", "--no-deps"],
        env: &[("RUSTDOCFLAGS", "-D warnings")],
    },
];

/// Runs the whole gate; true when every step passed. The tests come last and end with
/// their sum, so a failed earlier step is named just before them.
pub fn check(root: &Path) -> Result<bool> {
    let mut failed: Vec<&str> = Vec::new();
    if timed("tidy", || tidy::run(root).map(Ended::passed))? == Ended::Failed {
        failed.push("tidy");
    }
    for step in CARGO_STEPS {
        if timed(step.name, || cargo(root, step))? == Ended::Failed {
            failed.push(step.name);
        }
    }
    if timed("dependencies", || dependencies(root))? == Ended::Failed {
        failed.push("dependencies");
    }
    if !failed.is_empty() {
        note(&format!("FAILED before the tests: {}", failed.join(", ")));
    }
    note("== tests");
    let tests_passed = tests_run::run(root)?;
    Ok(failed.is_empty() && tests_passed)
}

fn timed(name: &str, step: impl FnOnce() -> Result<Ended>) -> Result<Ended> {
    note(&format!("== {name}"));
    let start = Instant::now();
    let ended = step()?;
    let word = match ended {
        Ended::Passed => "ok",
        Ended::Failed => "FAILED",
        Ended::Skipped => "skipped",
    };
    note(&format!("== {name}: {word} ({:.1} s)", start.elapsed().as_secs_f64()));
    Ok(ended)
}

/// The cargo that runs this program, so that one toolchain does everything.
pub fn cargo_command(root: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).stdin(Stdio::null());
    command
}

fn cargo(root: &Path, step: &Step) -> Result<Ended> {
    let status = cargo_command(root)
        .args(step.args)
        .envs(step.env.iter().copied())
        .status()
        .with_context(|| format!("cannot start cargo {}", step.args.join(" ")))?;
    Ok(Ended::passed(status.success()))
}

/// Licences, banned crates and sources with cargo-deny, where it is installed. Advisories
/// need a database from the network: `cargo deny check advisories`.
fn dependencies(root: &Path) -> Result<Ended> {
    let installed = cargo_command(root)
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("cannot start cargo")?;
    if !installed.success() {
        note("cargo-deny is not installed (cargo install --locked cargo-deny)");
        return Ok(Ended::Skipped);
    }
    let step = Step {
        name: "dependencies",
        args: &["deny", "--offline", "--workspace", "check", "licenses", "bans", "sources"],
        env: &[],
    };
    cargo(root, &step)
}
