//! Tasks whose answers are programs, run in the sandbox of the real binary.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use karat::generation::{FinishReason, Generation, RawExchange, Timings, TokenCounts};
use karat::task::score::{Answer, Means};
use karat::task::{Drawing, Instance, Outcome, Reply, Score, Suite, Values};
use karat_sandbox::Sandbox;

fn sandbox() -> Sandbox {
    Sandbox { program: env!("CARGO_BIN_EXE_karat").into(), args: vec!["sandbox".to_owned()] }
}

fn instances(family: &str) -> Vec<Instance> {
    let suite = Suite::full().unwrap().only(&[family.to_owned()]).unwrap();
    let count = |text: &str| text.split_whitespace().count();
    suite.instances(Drawing { seed: 0, count_tokens: &count, fixed: &Values::new() }).unwrap()
}

fn judged(instance: &Instance, answer: &str) -> Score {
    let reply = Reply::Answer(Box::new(Generation {
        visible: answer.to_owned(),
        thinking: String::new(),
        tool_calls: Vec::new(),
        tokens: TokenCounts::default(),
        timings: Timings::default(),
        finish: FinishReason::Stop,
        deltas: Vec::new(),
        raw: RawExchange::default(),
    }));
    instance.score(&reply, Means { sandbox: &sandbox() }).0
}

/// What comes of an answer to the first instance, `merge_intervals`.
#[track_caller]
fn check(answer: &str, want: Outcome, why: &str) {
    let instance = &instances("code_from_spec")[0];
    assert_eq!(instance.scorer["function"], "merge_intervals");
    let score = judged(instance, answer);
    assert_eq!(score.outcome, want, "{score:?}");
    let said = score.checks.iter().any(|check| check.why.contains(why));
    assert!(said, "{score:?}");
}

#[test]
fn every_reference_solution_passes() {
    for family in ["code_from_spec", "bug_fix"] {
        for instance in instances(family) {
            let Some(Answer { visible, .. }) = instance.scorer().unwrap().reference() else {
                panic!()
            };
            let score = judged(&instance, &visible);
            assert_eq!(score.outcome, Outcome::Pass, "{}: {score:?}", instance.id);
        }
    }
}

#[test]
fn no_broken_function_passes() {
    for instance in instances("bug_fix") {
        let prompt = &instance.messages[0].content;
        let score = judged(&instance, prompt);
        assert_ne!(score.outcome, Outcome::Pass, "{}: {score:?}", instance.id);
        assert_ne!(score.outcome, Outcome::Error, "{}: {score:?}", instance.id);
    }
}

#[test]
fn naming_the_function_is_not_enough() {
    check("You could write `def merge_intervals(intervals)`.", Outcome::Fail, "no Python");
    check(
        "```python\ndef merge(intervals):\n    return []\n```",
        Outcome::Fail,
        "defines no function",
    );
}

#[test]
fn hidden_cases_count() {
    let answer = "```python\ndef merge_intervals(intervals):\n    out = []\n    for s, e in intervals:\n        if out and s <= out[-1][1]:\n            out[-1][1] = max(out[-1][1], e)\n        else:\n            out.append([s, e])\n    return out\n```";
    check(answer, Outcome::Partial, "returned `[[8, 10]]`");
}

#[test]
fn an_answer_for_the_visible_case_alone_fails() {
    let answer = "def merge_intervals(intervals):\n    return [[1, 6], [8, 10]]";
    check(answer, Outcome::Fail, "returned `[[1, 6], [8, 10]]`");
}

#[test]
fn a_program_that_hangs_or_reaches_out_fails_with_its_reason() {
    check(
        "def merge_intervals(intervals):\n    while True: pass",
        Outcome::Fail,
        "did not end in time",
    );
    check(
        "import os\ndef merge_intervals(intervals):\n    return os.listdir('/')",
        Outcome::Fail,
        "needs `os`",
    );
    check(
        "def merge_intervals(intervals):\n    return open('/etc/passwd')",
        Outcome::Fail,
        "raised",
    );
}

#[test]
fn what_the_interpreter_lacks_is_an_error() {
    check(
        "import hashlib\ndef merge_intervals(intervals):\n    return []",
        Outcome::Error,
        "hashlib",
    );
}
