//! The sandbox from outside: programs that must work, and programs that try to get out.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod escapes;
mod programs;

use karat_sandbox::{CaseResult, Data, Ending, Limits, Report, Request, Sandbox};
use serde_json::Value;

/// Limits of the tests: short, so that what is killed does not keep anybody waiting.
const LIMITS: Limits =
    Limits { wall_s: 4.0, memory_bytes: 256 << 20, recursion: 1000, output_bytes: 16 << 10 };

fn run(source: &str, calls: Vec<Vec<Value>>) -> Report {
    let sandbox = Sandbox { program: env!("CARGO_BIN_EXE_karat-sandbox").into(), args: Vec::new() };
    let request =
        Request { source: source.to_owned(), function: "f".to_owned(), calls, limits: LIMITS };
    sandbox.run(&request).unwrap()
}

/// What one call of `f()` returned.
#[track_caller]
fn returned(source: &str) -> Data {
    let report = run(source, vec![vec![]]);
    assert_eq!(report.ending, Ending::Finished, "{report:?}");
    match report.results.as_slice() {
        [CaseResult::Returned(data)] => data.clone(),
        other => panic!("{other:?}"),
    }
}

/// How a run with one call of `f()` ended.
#[track_caller]
fn check_ending(source: &str, want: &Ending) {
    let report = run(source, vec![vec![]]);
    assert_eq!(&report.ending, want, "{report:?}");
}

/// The class of the exception that one call of `f()` raised.
#[track_caller]
fn check_raised(source: &str, want: &str) {
    let report = run(source, vec![vec![]]);
    match report.results.as_slice() {
        [CaseResult::Raised { kind, .. }] if report.ending == Ending::Finished => {
            assert_eq!(kind, want, "{report:?}");
        }
        _ => panic!("{report:?}"),
    }
}
