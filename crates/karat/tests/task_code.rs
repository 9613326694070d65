//! Tasks whose answers are programs, run in the sandbox of the real binary.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::collections::BTreeSet;

use karat::generation::{FinishReason, Generation, RawExchange, Timings, TokenCounts};
use karat::task::score::{Answer, Means};
use karat::task::{Check, Drawing, Instance, Outcome, Reply, Score, Suite, Values, check_solvable};
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

/// The interpreter reads brackets by recursion.
#[test]
fn a_program_that_cannot_be_read_fails() {
    check(&"[".repeat(200_000), Outcome::Fail, "it cannot be read");
}

#[test]
fn a_task_whose_own_solution_fails_is_refused() {
    let mut instances = instances("code_from_spec");
    let means_of = sandbox();
    let means = Means { sandbox: &means_of };
    assert_eq!(check_solvable(&instances[..1], means), Ok(()));
    instances[0].scorer["solution"] = "def merge_intervals(x):\n    return x[".into();
    let error = check_solvable(&instances, means).unwrap_err().to_string();
    let want = "code_from_spec.toml: `scorer` of en: its own right answer does not pass: code that runs: \
                it is no Python";
    assert!(error.starts_with(want), "{error}");
}

/// Code of a prompt's only block.
fn block(prompt: &str) -> &str {
    let (_, rest) = prompt.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn giving_the_broken_function_back_earns_nothing() {
    let mut functions = BTreeSet::new();
    for instance in instances("bug_fix") {
        let prompt = &instance.messages[0].content;
        for answer in [prompt.as_str(), block(prompt)] {
            let score = judged(&instance, answer);
            assert_eq!(score.outcome, Outcome::Fail, "{}: {score:?}", instance.id);
            let shown = |check: &&Check| check.name.starts_with("visible case");
            assert!(score.checks.iter().filter(shown).any(|check| !check.held), "{score:?}");
        }
        functions.insert(instance.scorer["function"].to_string());
    }
    assert_eq!(functions.len(), 6, "{functions:?}");
}

#[test]
fn every_shown_case_stands_in_its_prompt() {
    for instance in ["code_from_spec", "bug_fix"].into_iter().flat_map(instances) {
        let cases = instance.scorer["cases"].as_array().unwrap();
        let n_shown = cases.iter().filter(|case| case["visible"] == true).count();
        let prompt = &instance.messages[0].content;
        let n_told = prompt.matches("Example: ").count() + prompt.matches("Przykład: ").count();
        assert_eq!(n_told, n_shown, "{prompt}");
    }
}

#[test]
fn a_function_that_changes_what_it_must_not_does_not_pass() {
    // Right results, but the list is sorted in place.
    let sorts = "def merge_intervals(intervals):\n    intervals.sort()\n    out = []\n    for s, e in intervals:\n        if out and s <= out[-1][1]:\n            out[-1][1] = max(out[-1][1], e)\n        else:\n            out.append([s, e])\n    return out";
    let why = "changed its argument `[[8,10],[1,3],[2,6]]` to `[[1, 3], [2, 6], [8, 10]]`";
    check(sorts, Outcome::Partial, why);
    // Right results, but the pairs of the list are the pairs of the result.
    let shares = "def merge_intervals(intervals):\n    out = []\n    for pair in sorted(intervals):\n        if out and pair[0] <= out[-1][1]:\n            out[-1][1] = max(out[-1][1], pair[1])\n        else:\n            out.append(pair)\n    return out";
    check(shares, Outcome::Fail, "changed its argument");
}

#[test]
fn a_new_list_is_a_new_list() {
    let instance = instances("bug_fix")
        .into_iter()
        .find(|instance| instance.scorer["function"] == "append_all")
        .unwrap();
    let answer = "def append_all(numbers):\n    numbers.append(sum(numbers))\n    return numbers";
    let score = judged(&instance, answer);
    assert_eq!(score.outcome, Outcome::Fail, "{score:?}");
    assert!(score.checks.iter().any(|check| check.why.contains("changed its argument `[1,2]`")));
}

#[test]
fn a_function_may_change_its_argument_where_nobody_forbids_it() {
    let instance = instances("code_from_spec")
        .into_iter()
        .find(|instance| instance.scorer["function"] == "spiral")
        .unwrap();
    let answer = "def spiral(rows):\n    order = []\n    while rows:\n        order.extend(rows.pop(0))\n        rows[:] = [list(column) for column in zip(*rows)][::-1]\n    return order";
    let score = judged(&instance, answer);
    assert_eq!(score.outcome, Outcome::Pass, "{score:?}");
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
fn right_code_passes_however_it_is_written() {
    let body = "    out = []\n    for start, end in sorted(intervals):\n        if out and start <= out[-1][1]:\n            out[-1] = (out[-1][0], max(out[-1][1], end))\n        else:\n            out.append((start, end))\n    return out";
    let plain = format!("def merge_intervals(intervals):\n{body}");
    let typed = format!(
        "from typing import List, Tuple\n\n\ndef merge_intervals(intervals: List[List[int]]) -> List[Tuple[int, int]]:\n    \"\"\"Merges.\"\"\"\n{body}\n\n\nif __name__ == \"__main__\":\n    print(merge_intervals([[1, 2]]))"
    );
    for answer in [
        plain.clone(),
        typed.clone(),
        format!("```python\n{typed}\n```"),
        format!(
            "Here it is:\n\n```py\n{plain}\n```\n\nFor example:\n\n```\nmerge_intervals([])\n```"
        ),
    ] {
        check(&answer, Outcome::Pass, "");
    }
}

#[test]
fn an_answer_without_code_earns_nothing() {
    for instance in ["code_from_spec", "bug_fix"].map(|family| instances(family).remove(0)) {
        let prompt = instance.messages[0].content.clone();
        for answer in ["I'm sorry, but I can't help with that.", "Nie mogę tego zrobić.", &prompt]
        {
            let score = judged(&instance, answer);
            assert_eq!(score.outcome, Outcome::Fail, "{answer}: {score:?}");
        }
    }
}

#[test]
fn code_that_does_not_run_says_so_once() {
    let instance = &instances("code_from_spec")[0];
    let checks = judged(instance, "def merge_intervals(intervals)").checks;
    let [Check { name, held: false, why }] = checks.as_slice() else { panic!("{checks:?}") };
    assert_eq!(name, "code that runs");
    assert!(why.starts_with("it is no Python: line 1"), "{why}");
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
