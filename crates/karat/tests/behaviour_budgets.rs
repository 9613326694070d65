//! Accuracy against thinking budget: beginnings of answers, what is read off them, what is left out.

mod behaviour_sample;

use behaviour_sample::{asked, attempt, family, generation, model, with_cost};
use karat::generation::{Channel, FinishReason, ToolCall};
use karat::instrument::behaviour::budget::beginning;
use karat::instrument::behaviour::{Asked, BehaviourSummary, summarize};
use karat::record::{ModelRecord, ModelRole};
use karat::task::{Attempt, Outcome, Reply, Score};

fn q4() -> ModelRecord {
    model("q4", ModelRole::Candidate, 7.0, &[])
}

/// A figure over all tasks at a budget.
fn figure(summary: &BehaviourSummary, metric: &str, budget: &str) -> Option<f64> {
    let is_it = |name: Option<&String>| name.is_some_and(|found| found == budget);
    let mut rows = summary.estimates.iter();
    rows.find(|row| row.metric == metric && is_it(row.setting.get("budget")))?.value
}

#[track_caller]
fn check_finding(summary: &BehaviourSummary, said: &str) {
    let messages: Vec<&str> = summary.findings.iter().map(|one| one.message.as_str()).collect();
    assert!(
        messages.iter().any(|message| message.contains(said)),
        "`{said}` is not in {messages:#?}"
    );
}

#[test]
fn smaller_budgets_are_read_off_the_largest() {
    // 40 tokens of thinking, then 60 to see, evenly over 4 seconds; the other one 300 and 10.
    let attempts = vec![
        cut_off(attempt("a", 0, Outcome::Pass), &[(20, Outcome::Starved), (64, Outcome::Fail)]),
        cut_off(
            with_cost(attempt("a", 1, Outcome::Pass), (10, 300), 31.0),
            &[(20, Outcome::Starved), (64, Outcome::Starved), (128, Outcome::Starved)],
        ),
    ];
    let asked = Asked { budgets: vec![20, 64, 128, 8192, 9000], ..asked() };
    let summary = summarize(&[q4()], &[attempts], &asked);
    let at = |metric, budget| figure(&summary, metric, budget);
    let curve = |metric| ["20", "64", "128", "8192", "9000"].map(|budget| at(metric, budget));
    // What was complete within less would be the same with more.
    assert_eq!(curve("pass_rate"), [Some(0.0), Some(0.0), Some(0.5), Some(1.0), Some(1.0)]);
    // At 64 the first has begun to answer: cut off, not starved.
    assert_eq!(curve("starved_rate"), [Some(1.0), Some(0.5), Some(0.5), Some(0.0), Some(0.0)]);
    assert_eq!(at("tokens", "64"), Some(64.0));
    assert_eq!(at("seconds_to_correct", "20"), None);
    // 4 seconds and 128 of 310 tokens in 31 seconds, for one pass.
    assert!((at("seconds_to_correct", "128").unwrap() - (4.0 + 12.8)).abs() < 0.11);
}

/// An attempt of whose answer the beginnings were judged like this.
fn cut_off(mut attempt: Attempt, outcomes: &[(u32, Outcome)]) -> Attempt {
    let score = |outcome: Outcome| Score { outcome, points: 0.0, checks: Vec::new() };
    attempt.at_budgets =
        outcomes.iter().map(|(budget, outcome)| (*budget, score(*outcome))).collect();
    attempt
}

#[test]
fn a_task_whose_answer_was_cut_off_before_a_budget_leaves_it_out_and_is_named() {
    let mut short = attempt("a", 1, Outcome::Fail);
    short.max_tokens = 100;
    if let Reply::Answer(answer) = &mut short.reply {
        answer.finish = FinishReason::Length;
    }
    let at_50 = |attempt| cut_off(attempt, &[(50, Outcome::Fail)]);
    let attempts = vec![at_50(attempt("a", 0, Outcome::Pass)), at_50(short)];
    let asked = Asked { budgets: vec![50, 100, 512], ..asked() };
    let summary = summarize(&[q4()], &[attempts], &asked);
    let rate = |budget| figure(&summary, "pass_rate", budget);
    assert_eq!(["50", "100", "512"].map(rate), [Some(0.0), Some(0.5), None]);
    check_finding(&summary, "q4 has no accuracy at the budget of 512 tokens (a/1)");
}

#[test]
fn answers_whose_tokens_nobody_counted_leave_budgets_out() {
    let mut attempts = family("a", "pp");
    if let Reply::Answer(answer) = &mut attempts[1].reply {
        answer.tokens.total = None;
    }
    let asked = Asked { budgets: vec![100, 512], ..asked() };
    let summary = summarize(&[q4()], &[attempts], &asked);
    assert!(summary.estimates.iter().all(|row| !row.setting.contains_key("budget")));
    check_finding(&summary, "at the budget of 100 tokens (a/1) and of 512 tokens (a/1)");
}

#[test]
fn a_beginning_ends_where_the_budget_does() {
    // 40 words of thinking, 60 to see, one a token and 25 a second.
    let whole = generation("word ".repeat(60).trim(), (60, 40), 4.0);
    let at = |budget| {
        let cut = beginning(&whole, budget).unwrap();
        assert_eq!(cut.finish, FinishReason::Length);
        (cut.thinking.matches("word").count(), cut.visible.matches("word").count())
    };
    assert_eq!([at(15), at(40), at(41), at(99)], [(15, 0), (40, 0), (40, 1), (40, 59)]);
    assert_eq!(beginning(&whole, 100), None, "it is no longer than that");
    assert!((beginning(&whole, 50).unwrap().timings.total_s - 2.0).abs() < 1e-9);
    // Without ids, tokens are taken to be equally long.
    let mut served = whole.clone();
    served.deltas.iter_mut().for_each(|delta| delta.n_tokens = None);
    assert_eq!(beginning(&served, 41).unwrap().visible, "word ");
    // A call that was not complete is no call.
    let mut calling = whole;
    calling.visible.clear();
    calling.tool_calls = vec![ToolCall { name: "book".to_owned(), arguments: "{}".to_owned() }];
    calling.deltas[40..].iter_mut().for_each(|delta| delta.channel = Channel::ToolCall);
    let cut = beginning(&calling, 50).unwrap();
    assert!(cut.tool_calls.is_empty() && cut.visible.starts_with("word"), "{cut:?}");
}
