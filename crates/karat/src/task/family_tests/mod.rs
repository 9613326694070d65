//! The bundled families, judged as their readers would: right answers in several styles, wrong ones of
//! the kinds that models give. The two families of code are in tests/task_code.rs, with the sandbox.

mod languages;
mod numbers;
mod structures;
mod texts;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use karat_sandbox::Sandbox;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::score::{Answer, Means};
use super::{Drawing, Instance, Outcome, Score, Suite, Values};

fn drawn(suite: &Suite, seed: u64) -> Vec<Instance> {
    let count_tokens = |text: &str| text.split_whitespace().count();
    let fixed: Values = json!({"log_tokens": 300}).as_object().unwrap().clone();
    let drawing = Drawing { seed, count_tokens: &count_tokens, fixed: &fixed };
    suite.instances(drawing).unwrap()
}

/// Every instance of the full suite that needs no sandbox.
fn instances() -> &'static [Instance] {
    static ALL: LazyLock<Vec<Instance>> = LazyLock::new(|| {
        let all = drawn(&Suite::full().unwrap(), 0);
        all.into_iter().filter(|instance| instance.scorer["kind"] != "code").collect()
    });
    &ALL
}

/// The first instance of a family and language whose prompt has this text.
fn instance(family: &str, language: &str, prompt: &str) -> Instance {
    let is_it = |instance: &Instance| {
        (instance.family.as_str(), instance.language.as_str()) == (family, language)
            && instance.messages[0].content.contains(prompt)
    };
    let suite = Suite::full().unwrap().only(&[family.to_owned()]).unwrap();
    (0..9).flat_map(|seed| drawn(&suite, seed)).find(is_it).unwrap()
}

fn judged(instance: &Instance, answer: &Answer) -> Score {
    let sandbox = Sandbox { program: "/nonexistent/sandbox".into(), args: Vec::new() };
    instance.scorer().unwrap().judge(answer, Means { sandbox: &sandbox })
}

#[track_caller]
fn check(instance: &Instance, answer: &str, want: Outcome) {
    let score = judged(instance, &Answer::text(answer));
    assert_eq!(score.outcome, want, "{answer}\n{}\n{score:?}", instance.scorer);
}

#[track_caller]
fn check_all(instance: &Instance, answers: &[String], want: Outcome) {
    for answer in answers {
        check(instance, answer, want);
    }
}

/// Texts of a scorer's list.
fn list(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_array().unwrap().iter().map(text).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_judged(text in "[-*0-9.,:{}\\[\\]$`'\"«»„”#>() \\n\u{a0}a-fżßé€\\\\]{0,60}") {
        for instance in instances().iter().filter(|instance| instance.id.ends_with("/0")) {
            let score = judged(instance, &Answer::text(text.as_str()));
            prop_assert!((0.0..=1.0).contains(&score.points));
            prop_assert_eq!(score.outcome == Outcome::Pass, score.checks.iter().all(|check| check.held));
        }
    }
}

#[test]
fn no_family_credits_an_answer_that_does_nothing() {
    const REFUSALS: &[&str] = &[
        "I'm sorry, but I can't help with that.",
        "I'm sorry.\n\nI can't do that, because the rules contradict each other.\n\nPlease tell me which one to follow.",
        "Przykro mi, ale nie mogę tego zrobić.",
        "Es tut mir leid, dabei kann ich nicht helfen.",
        "Je suis désolé, mais je ne peux pas faire cela.",
        "Sure! Here is the answer:",
    ];
    let mut families = BTreeSet::new();
    for instance in instances() {
        let prompt = instance.messages[0].content.as_str();
        for answer in REFUSALS.iter().copied().chain([prompt]) {
            let score = judged(instance, &Answer::text(answer));
            assert_eq!(score.outcome, Outcome::Fail, "{}: {answer}\n{score:?}", instance.id);
            assert!(score.points <= 0.0, "{}: {score:?}", instance.id);
        }
        families.insert(instance.family.as_str());
    }
    assert_eq!(families.len(), 10, "{families:?}");
}

#[test]
fn every_reason_says_something() {
    for instance in instances() {
        let score = judged(instance, &Answer::text("Neither this\nnor 3 that."));
        assert!(score.checks.iter().any(|check| !check.held), "{}", instance.id);
        for check in score.checks.iter().filter(|check| !check.held) {
            assert!(check.why.len() > 5 && check.why.len() < 400, "{}: {check:?}", instance.id);
            assert!(!check.why.contains('\n'), "{}: {check:?}", instance.id);
        }
    }
}
