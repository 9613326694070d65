//! What given attempts come to: rows, flips, findings.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod behaviour_sample;

use std::collections::BTreeMap;

use behaviour_sample::{asked, attempt, failure, family, model, with_cost};
use karat::generation::ToolCall;
use karat::instrument::behaviour::{Asked, BehaviourSummary, summarize};
use karat::record::{Estimate, ModelRecord, ModelRole, TaskOutcome};
use karat::task::{Attempt, Check, Outcome, Reply};
use proptest::prelude::*;

fn models(names: &[&str]) -> Vec<ModelRecord> {
    names.iter().map(|name| model(name, ModelRole::Candidate, 7.0, &[])).collect()
}

fn two(one: Vec<Attempt>, other: Vec<Attempt>) -> BehaviourSummary {
    summarize(&models(&["q8", "q4"]), &[one, other], &asked())
}

/// The row of the whole suite without further settings.
#[track_caller]
fn row<'s>(summary: &'s BehaviourSummary, metric: &str, who: (&str, Option<&str>)) -> &'s Estimate {
    find(summary, metric, who, "all", None).unwrap_or_else(|| panic!("no {metric} of {who:?}"))
}

fn find<'s>(
    summary: &'s BehaviourSummary,
    metric: &str,
    (candidate, versus): (&str, Option<&str>),
    scope: &str,
    setting: Option<(&str, &str)>,
) -> Option<&'s Estimate> {
    // What of the setting is told apart here; how a score was averaged is not.
    let ignored = |name: &str| ["sampling", "split"].contains(&name) || metric == "score";
    summary.estimates.iter().find(|row| {
        let apart = row.setting.iter().filter(|(name, _)| !ignored(name));
        row.metric == metric
            && (row.candidate.as_str(), row.versus.as_deref()) == (candidate, versus)
            && row.scope == scope
            && apart.map(|(name, value)| (name.as_str(), value.as_str())).eq(setting)
    })
}

#[track_caller]
fn check(row: &Estimate, value: f64, n: u64) {
    assert!((row.value.unwrap() - value).abs() < 1e-12, "{row:?}");
    assert_eq!(row.n, n, "{row:?}");
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
fn errors_are_counted_and_in_no_rate() {
    let summary = two(family("a", "ppfe"), family("a", "pfse"));
    check(row(&summary, "pass_rate", ("q8", None)), 2.0 / 3.0, 3);
    check(row(&summary, "error_rate", ("q8", None)), 0.25, 4);
    check(row(&summary, "starved_rate", ("q4", None)), 1.0 / 3.0, 3);
    check(row(&summary, "pass_rate_diff", ("q4", Some("q8"))), -1.0 / 3.0, 3);
    check_finding(&summary, "q8: 1 of 4 tasks without an answer");
    check_finding(&summary, "nobody answers at http://localhost:11434");
}

#[test]
fn a_task_that_one_build_could_not_answer_is_in_no_pair() {
    let summary =
        two(family("a", "pp"), vec![attempt("a", 0, Outcome::Pass), failure("a", 1, "died")]);
    check(row(&summary, "pass_rate_diff", ("q4", Some("q8"))), 0.0, 1);
    assert!(summary.flips.is_empty());
}

#[test]
fn starved_counts_as_not_passed_and_beside_it_stands_the_rest() {
    let summary = two(family("a", "pppp"), family("a", "pssf"));
    let who = ("q4", Some("q8"));
    check(row(&summary, "pass_rate_diff", who), -0.75, 4);
    let spoken =
        find(&summary, "pass_rate_diff", who, "all", Some(("pairs", "none_starved"))).unwrap();
    check(spoken, -0.5, 2);
    check_finding(
        &summary,
        "q4 spent its whole budget and showed nothing in 2 of 4 tasks: a/1, a/2",
    );
}

#[test]
fn a_starved_attempt_whose_thinking_holds_the_answer_is_told() {
    let mut starved = family("a", "s");
    starved[0].answer_in_thinking = Some(true);
    check_finding(&two(family("a", "p"), starved), "right answer stands in the thinking of 1");
}

#[test]
fn flips_show_both_answers_and_who_passed() {
    let summary = two(family("a", "pf"), family("a", "fp"));
    let sides: Vec<(&str, &str, &str)> = summary
        .flips
        .iter()
        .map(|flip| (flip.instance.as_str(), flip.passes.name.as_str(), flip.other.name.as_str()))
        .collect();
    assert_eq!(sides, [("a/0", "q8", "q4"), ("a/1", "q4", "q8")]);
    let other = &summary.flips[0].other;
    assert_eq!((other.outcome, other.answer.as_str()), (TaskOutcome::Fail, "the answer"));
    assert_eq!(other.reason, "value: 17 instead of 18");
    check(row(&summary, "flip_rate", ("q4", Some("q8"))), 1.0, 2);
    check(row(&summary, "passed_alone", ("q4", Some("q8"))), 1.0, 2);
    check(row(&summary, "passed_alone", ("q8", Some("q4"))), 1.0, 2);
    check(row(&summary, "passed_both", ("q4", Some("q8"))), 0.0, 2);
}

#[test]
fn what_a_check_that_held_tells_is_told() {
    let mut chose = family("a", "ps");
    let told = |held| Check {
        name: "commitment".to_owned(),
        held,
        why: if held { "all small letters" } else { "to none" }.to_owned(),
    };
    chose[0].score.checks.push(told(true));
    let mut wavered = family("a", "fp");
    wavered[0].score.checks.insert(0, told(false));
    let summary = two(chose, wavered);
    let reasons: Vec<&str> =
        summary.attempts.iter().map(|attempt| attempt.reason.as_str()).collect();
    let wavered = "commitment: to none; value: 17 instead of 18";
    let starved = "value: 17 instead of 18";
    assert_eq!(reasons, ["commitment: all small letters", starved, wavered, ""]);
}

#[test]
fn equal_attempts_have_no_flips_and_cannot_be_told_apart() {
    let same = || [family("a", "pphf"), family("b", "pspf")].concat();
    let summary = two(same(), same());
    assert!(summary.flips.is_empty());
    let who = ("q4", Some("q8"));
    check(row(&summary, "flip_rate", who), 0.0, 8);
    check(row(&summary, "pass_p_mid", who), 1.0, 8);
    check(row(&summary, "pass_p_family", who), 1.0, 2);
    check(row(&summary, "score_p", who), 1.0, 8);
    let difference = row(&summary, "pass_rate_diff", who);
    check(difference, 0.0, 8);
    assert!(difference.lo.unwrap() < -0.3 && difference.hi.unwrap() > 0.3, "{difference:?}");
}

#[test]
fn a_build_against_itself_stands_beside_and_is_not_subtracted() {
    let mut again = family("a", "pf");
    again[0] = Attempt { repeat: 1, ..attempt("a", 0, Outcome::Fail) };
    again[1] = Attempt { repeat: 1, ..attempt("a", 1, Outcome::Fail) };
    let summary = two([family("a", "pf"), again].concat(), family("a", "ff"));
    check(row(&summary, "flip_rate", ("q8", Some("q8"))), 0.5, 2);
    check(row(&summary, "flip_rate", ("q4", Some("q8"))), 0.5, 2);
    check(row(&summary, "pass_rate", ("q8", None)), 0.5, 2);
    check_finding(
        &summary,
        "q8 asked again does not answer the same in 1 task: a/0; in 1 of them passing",
    );
}

#[test]
fn the_median_over_repeats_is_for_time_only() {
    let repeat = |repeat, outcome, seconds| {
        with_cost(Attempt { repeat, ..attempt("a", 0, outcome) }, (60, 40), seconds)
    };
    let repeats = vec![
        repeat(2, Outcome::Pass, 5.0),
        repeat(0, Outcome::Fail, 90.0),
        repeat(1, Outcome::Pass, 4.0),
    ];
    let summary = summarize(&models(&["q4"]), &[repeats], &asked());
    check(row(&summary, "response_seconds", ("q4", None)), 5.0, 1);
    check(row(&summary, "pass_rate", ("q4", None)), 0.0, 1);
    assert_eq!(summary.attempts.len(), 3, "every repeat is listed");
}

#[test]
fn a_correct_answer_costs_what_failures_cost_too() {
    let attempts = vec![
        with_cost(attempt("a", 0, Outcome::Pass), (100, 0), 10.0),
        with_cost(attempt("a", 1, Outcome::Fail), (100, 0), 30.0),
        with_cost(attempt("a", 2, Outcome::Pass), (100, 100), 20.0),
    ];
    let summary = summarize(&models(&["q4"]), &[attempts], &asked());
    check(row(&summary, "seconds_to_correct", ("q4", None)), 30.0, 3);
    check(row(&summary, "visible_rate", ("q4", None)), 5.0, 3);
    check(row(&summary, "thinking_tokens", ("q4", None)), 100.0 / 3.0, 3);
}

#[test]
fn families_and_languages_have_rows_where_there_are_several() {
    let mut polish = family("b", "pp");
    for attempt in &mut polish {
        "pl".clone_into(&mut attempt.language);
    }
    let attempts = || [family("a", "ff"), polish.clone()].concat();
    let summary = two(attempts(), attempts());
    let rate = |scope| find(&summary, "pass_rate", ("q4", None), scope, None).unwrap().value;
    assert_eq!([rate("a"), rate("b"), rate("language:pl")], [Some(0.0), Some(1.0), Some(1.0)]);
    let one = two(family("a", "pf"), family("a", "pf"));
    assert!(one.estimates.iter().all(|row| row.scope == "all"));
}

#[test]
fn a_lead_of_one_family_alone_is_no_lead_among_families() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let rest = |first: &str| -> Vec<Attempt> {
        names
            .iter()
            .enumerate()
            .flat_map(|(i, name)| family(name, if i == 0 { first } else { "pppppppppp" }))
            .collect()
    };
    let summary = two(rest("ffffffffff"), rest("pppppppppp"));
    let p_value = |metric| row(&summary, metric, ("q4", Some("q8"))).value.unwrap();
    assert!(p_value("pass_p_mid") < 0.01);
    assert!(p_value("pass_p_family") > 0.9);
}

fn call(arguments: &str) -> ToolCall {
    ToolCall { name: "book".to_owned(), arguments: arguments.to_owned() }
}

/// An attempt that calls a tool and shows nothing.
fn calling(outcome: Outcome, arguments: &str) -> Attempt {
    let mut attempt = attempt("a", 0, outcome);
    if let Reply::Answer(answer) = &mut attempt.reply {
        answer.visible.clear();
        answer.tool_calls = vec![call(arguments)];
    }
    attempt
}

#[test]
fn a_flip_of_a_tool_call_shows_both_calls() {
    let (right, wrong) = (r#"{"seats":2}"#, r#"{"seats":"two"}"#);
    let summary = two(vec![calling(Outcome::Pass, right)], vec![calling(Outcome::Fail, wrong)]);
    let flip = &summary.flips[0];
    assert_eq!(flip.passes.answer, format!("book({right})"));
    assert_eq!(flip.other.answer, format!("book({wrong})"));
}

#[test]
fn repeats_that_think_or_call_otherwise_differ() {
    let again = |attempt: Attempt| Attempt { repeat: 1, ..attempt };
    let mut thinking = attempt("a", 0, Outcome::Pass);
    if let Reply::Answer(answer) = &mut thinking.reply {
        "something else".clone_into(&mut answer.thinking);
    }
    let differing = [
        [attempt("a", 0, Outcome::Pass), again(thinking)],
        [calling(Outcome::Fail, "{}"), again(calling(Outcome::Fail, "{\"seats\":3}"))],
    ];
    for repeats in differing {
        let summary = summarize(&models(&["q4"]), &[repeats.to_vec()], &asked());
        check_finding(&summary, "q4 asked again does not answer the same in 1 task: a/0; in 0 of");
    }
    let same = [attempt("a", 0, Outcome::Pass), again(attempt("a", 0, Outcome::Pass))];
    let summary = summarize(&models(&["q4"]), &[same.to_vec()], &asked());
    assert!(summary.findings.iter().all(|finding| !finding.message.contains("asked again")));
}

#[test]
fn a_repeat_without_an_answer_is_no_other_answer() {
    let failed = Attempt { repeat: 1, ..failure("a", 0, "worker was killed") };
    let repeats = vec![attempt("a", 0, Outcome::Pass), failed];
    let summary = summarize(&models(&["q4"]), &[repeats], &asked());
    check_finding(&summary, "q4: 1 repeat without an answer that could be judged");
    check_finding(&summary, "the first: a/0: worker was killed");
    assert!(summary.findings.iter().all(|finding| !finding.message.contains("asked again")));
}

#[test]
fn what_the_suite_can_tell_is_said() {
    check_finding(
        &two(family("a", "pf"), family("a", "pf")),
        "what this suite can tell: 2 tasks find",
    );
}

#[test]
fn a_suite_of_which_little_was_answered_can_tell_what_all_of_it_can() {
    let asked = Asked { n_planned: 6, ..asked() };
    let attempts = [family("a", "p"), family("a", "p")];
    let summary = summarize(&models(&["q8", "q4"]), &attempts, &asked);
    check_finding(&summary, "what this suite can tell: 6 tasks find");
}

#[test]
fn answers_that_are_drawn_differ_without_a_word() {
    let again = Attempt { repeat: 1, ..attempt("a", 0, Outcome::Fail) };
    let repeats = [vec![attempt("a", 0, Outcome::Pass), again]];
    let said = |sampling: &str| {
        let setting = BTreeMap::from([("sampling".to_owned(), sampling.to_owned())]);
        let summary = summarize(&models(&["q4"]), &repeats, &Asked { setting, ..asked() });
        summary.findings.iter().any(|finding| finding.message.contains("asked again"))
    };
    assert_eq!([said("greedy"), said("recommended"), said("given")], [true, false, false]);
}

#[test]
fn an_attempt_shows_what_was_answered_and_how_long_it_was_thought() {
    let mut attempts = family("a", "pf");
    if let Reply::Answer(answer) = &mut attempts[1].reply {
        answer.visible = "ą".repeat(20_000);
    }
    let summary = summarize(&models(&["q4"]), &[attempts], &asked());
    let [short, long] = &summary.attempts[..] else { panic!() };
    assert_eq!((short.answer.as_str(), short.thinking_chars), ("the answer", 200));
    assert_eq!(long.answer, format!("{}…", "ą".repeat(16_384)));
}

#[test]
fn builds_that_were_asked_different_tasks_share_some() {
    let summary = two(family("a", "ppp"), family("a", "pp"));
    check(row(&summary, "pass_rate_diff", ("q4", Some("q8"))), 0.0, 2);
    check_finding(&summary, "q4 and q8 share 2 of 3 tasks");
}

#[test]
fn nothing_asked_is_no_row() {
    let summary = summarize(&models(&["q8", "q4"]), &[Vec::new(), Vec::new()], &asked());
    assert_eq!(summary, BehaviourSummary::default());
}

#[test]
fn estimated_splits_are_told_as_such() {
    let mut attempts = family("a", "p");
    if let Reply::Answer(answer) = &mut attempts[0].reply {
        answer.tokens.thinking.as_mut().unwrap().exact = false;
    }
    let summary = summarize(&models(&["q4"]), &[attempts], &asked());
    let row = row(&summary, "thinking_tokens", ("q4", None));
    assert_eq!(row.setting["split"], "estimated");
    assert!(!summary.attempts[0].split_is_exact);
    check_finding(&summary, "is estimated from the two texts");
}

fn outcomes() -> impl Strategy<Value = (String, String)> {
    (3_usize..14).prop_flat_map(|n| {
        let letters = move || proptest::string::string_regex(&format!("[phfse]{{{n}}}")).unwrap();
        (letters(), letters())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn changing_the_builds_over_mirrors_every_interval((one, other) in outcomes()) {
        let of = |letters: &str| [family("a", &letters[..2]), family("b", &letters[2..])].concat();
        let there = two(of(&one), of(&other));
        let back = two(of(&other), of(&one));
        for metric in ["pass_rate_diff", "score_diff"] {
            let rows = |summary: &BehaviourSummary| -> Vec<Estimate> {
                summary.estimates.iter().filter(|row| row.metric == metric).cloned().collect()
            };
            for (one, other) in rows(&there).iter().zip(&rows(&back)) {
                prop_assert!((one.value.unwrap() + other.value.unwrap()).abs() < 1e-9);
                match (one.lo.zip(one.hi), other.lo.zip(other.hi)) {
                    // BCa's percentiles interpolate between resamples that are not mirrored draws.
                    (Some(one), Some(other)) if metric == "pass_rate_diff" => {
                        prop_assert!((one.0 + other.1).abs() < 1e-6, "{one:?} {other:?}");
                        prop_assert!((one.1 + other.0).abs() < 1e-6, "{one:?} {other:?}");
                    }
                    (one, other) => prop_assert_eq!(one.is_some(), other.is_some()),
                }
            }
        }
        prop_assert_eq!(there.flips.len(), back.flips.len());
    }
}
