//! What scorers say: outcome and reason, for right answers and for the wrong ones that are usual.

mod rules;

use karat_sandbox::Sandbox;
use serde_json::{Value, json};

use super::{Answer, Means, scorer};
use crate::generation::{
    FailureKind, FinishReason, Generation, GenerationFailure, RawExchange, Timings, TokenCounts,
    ToolCall,
};
use crate::task::{Outcome, Reply, Score};

fn nowhere() -> Sandbox {
    Sandbox { program: "/nonexistent/sandbox".into(), args: Vec::new() }
}

fn judged(spec: &Value, answer: &Answer) -> Score {
    scorer(spec).unwrap().judge(answer, Means { sandbox: &nowhere() })
}

/// The outcome of an answer, and where it is no pass, a piece of a reason.
#[track_caller]
fn check(spec: &Value, answer: &str, want: Outcome, why: &str) {
    check_answer(spec, &Answer::text(answer), want, why);
}

#[track_caller]
fn check_answer(spec: &Value, answer: &Answer, want: Outcome, why: &str) {
    let score = judged(spec, answer);
    assert_eq!(score.outcome, want, "{score:?}");
    let (all, none) = (score.points >= 1.0, score.points <= 0.0);
    assert_eq!(all, want == Outcome::Pass, "{score:?}");
    assert_eq!(none, matches!(want, Outcome::Fail | Outcome::Error), "{score:?}");
    assert_eq!(score.checks.iter().all(|check| check.held), want == Outcome::Pass, "{score:?}");
    let said = score.checks.iter().filter(|check| !check.held).any(|check| check.why.contains(why));
    assert!(said || want == Outcome::Pass, "{score:?}");
}

#[track_caller]
fn check_refused(spec: &Value, want: &str) {
    let error = scorer(spec).unwrap_err();
    assert!(error.contains(want), "{error}");
}

#[test]
fn numbers() {
    let spec = json!({"kind": "number", "expected": "1007.5", "language": "pl"});
    check(&spec, "1007.5", Outcome::Pass, "");
    check(&spec, "40 · 26,25 = 1050\n\n1 007,50\n", Outcome::Pass, "");
    check(&spec, "500\nA zatem:\n1007,5", Outcome::Pass, "");
    check(&spec, "Razem:\n**1.007,50**", Outcome::Pass, "");
    check(&spec, "\\[ \\boxed{1007{,}5} \\]", Outcome::Pass, "");
    check(&spec, "$1007.5$", Outcome::Pass, "");
    check(&spec, "Warsztat płaci 1007,50 euro.", Outcome::Partial, "no line is a number");
    check(&spec, "To **1007,5**", Outcome::Partial, "no line is a number");
    check(&spec, "Razem 1 007,50 euro", Outcome::Partial, "no line is a number");
    check(&spec, "1007,50 euro", Outcome::Partial, "no line is a number");
    check(&spec, "1007.5\n1008", Outcome::Fail, "`1008` instead of 1007.5");
    check(&spec, "Nie wiem.", Outcome::Fail, "does not stand in the answer");
    check(&spec, "11007,5 euro", Outcome::Fail, "does not stand");
    check(&spec, "1007,5 albo 1008", Outcome::Fail, "`1008` is offered beside it");
    check(&spec, "1008 lub\n1007,5", Outcome::Fail, "`1008` is offered beside it");
    check(&spec, "1007,5, 1008", Outcome::Fail, "`1008` is offered beside it");
    check(&spec, "1050 - 52,50 + 10 = 1007,5", Outcome::Partial, "no line is a number");
    let spec = json!({"kind": "number", "expected": "-3.5", "units": ["€", "EUR"]});
    for right in ["-3.5", "−3.50 €", "€-3.5", "**-3.5** EUR", "- -3.5"] {
        check(&spec, right, Outcome::Pass, "");
    }
    check(&spec, "- 3.5", Outcome::Fail, "instead of -3.5");
    check(&spec, "7-3.5", Outcome::Fail, "does not stand");
    check(&spec, "-3.5 m", Outcome::Partial, "no line");
}

#[test]
fn texts() {
    let spec = json!({"kind": "text", "accept": ["B2"], "options": ["A1", "B2", "C4"]});
    check(&spec, " `b2`. ", Outcome::Pass, "");
    check(&spec, "It is on shelf B2.", Outcome::Partial, "the answer is");
    check(&spec, "B2 or A1", Outcome::Fail, "also names `A1`");
    check(&spec, "A1", Outcome::Fail, "`A1` instead of `B2`");
    check(&spec, "B21", Outcome::Fail, "instead of");
    check(&spec, "« B2 »", Outcome::Pass, "");
    check(&spec, "1. **B2**", Outcome::Pass, "");
    check(&spec, "Of A1, B2 and C4 it is the second.\nB2", Outcome::Partial, "the answer is");
    check(&spec, "A1\nB2", Outcome::Fail, "also names `A1`");
}

#[test]
fn texts_that_may_be_sentences_or_last_lines() {
    let spec =
        json!({"kind": "text", "accept": ["B2"], "options": ["A1", "B2"], "place": "anywhere"});
    check(&spec, "It is on shelf B2, I think.", Outcome::Pass, "");
    check(&spec, "Not A1.\nIt is B2.", Outcome::Pass, "");
    check(&spec, "B2, or A1", Outcome::Fail, "also names `A1`");
    let spec = json!({"kind": "text", "accept": ["a\nb", "x"], "place": "line"});
    check(&spec, "Sorted:\n1. a\n2. b", Outcome::Pass, "");
    check(&spec, "x", Outcome::Pass, "");
    check(&spec, "a, b", Outcome::Partial, "the answer is");
    check(&spec, "b\na", Outcome::Fail, "instead of `a b`");
    check_refused(&json!({"kind": "text", "accept": ["a"], "place": "there"}), "unknown variant");
}

#[test]
fn texts_that_are_numbers() {
    let spec = json!({"kind": "text", "accept": ["1234.50"], "language": "de"});
    for right in ["1234,5", "1.234,50", "**1 234,50**"] {
        check(&spec, right, Outcome::Pass, "");
    }
    check(&spec, "1234,51", Outcome::Fail, "instead of `1234.50`");
    let spec = json!({"kind": "text", "accept": ["1234.50"]});
    check(&spec, "1,234.50", Outcome::Fail, "instead of `1234.50`");
}

#[test]
fn facts() {
    let spec = json!({"kind": "recall", "answer": "nectar-839", "distractors": ["indigo-204"]});
    check(&spec, "The code is Nectar-839.", Outcome::Pass, "");
    check(&spec, "nectar-839 (not indigo-204)", Outcome::Fail, "`indigo-204` stands in the answer");
    check(&spec, "indigo-204", Outcome::Fail, "`nectar-839` does not stand");
    check(&spec, "nectar-8391", Outcome::Fail, "does not stand");
    check(&spec, "nectar-839 or zebra-123", Outcome::Fail, "`zebra-123` stands in the answer");
    check(&spec, "nectar-839 of line 12", Outcome::Pass, "");
    check_refused(
        &json!({"kind": "recall", "answer": "a b", "distractors": ["b"]}),
        "part of the answer",
    );
}

#[test]
fn objects() {
    let spec = json!({"kind": "json", "expected": {"count": 3, "city": "Łódź", "active": true}});
    let right = r#"{"city": "Łódź", "active": true, "count": 3}"#;
    check(&spec, &format!("\n{right} "), Outcome::Pass, "");
    check(&spec, &format!("```json\n{right}\n```"), Outcome::Partial, "a code fence around it");
    check(&spec, &format!("Here it is: {right}"), Outcome::Partial, "words around it");
    check(
        &spec,
        r#"{"city": "Łódź", "active": true, "count": "3"}"#,
        Outcome::Fail,
        "it is `\"3\"`",
    );
    check(&spec, r#"{"city": "Łódź", "active": true, "count": 3.0}"#, Outcome::Fail, "it is `3.0`");
    check(&spec, r#"{"city": "Łódź", "active": true}"#, Outcome::Fail, "the key is missing");
    check(
        &spec,
        r#"{"city": "Łódź", "active": true, "count": 3, "x": 1}"#,
        Outcome::Fail,
        "it has `x`",
    );
    check(
        &spec,
        r#"{"city": "Łódź", "active": true, "count": 3, "count": 3}"#,
        Outcome::Fail,
        "twice",
    );
    check(&spec, r#"{"city": "Łódź""#, Outcome::Fail, "there is none");
    check(&spec, "[1]", Outcome::Fail, "there is none");
}

#[test]
fn forms() {
    let spec = json!({
        "kind": "forms",
        "required": [["Pan"], ["mógłby", "może"], ["adres"]],
        "forbidden": ["możesz", "ty", "*łbyś"],
        "source": "Czy możesz mi wysłać swój adres?",
        "references": ["Czy mógłby mi Pan wysłać swój adres?", "Czy może mi Pan wysłać swój adres?"],
    });
    check(&spec, "Czy mógłby Pan mi wysłać swój adres?", Outcome::Pass, "");
    check(
        &spec,
        "Czy mógłby mi Pan wysłać swój adres, możesz?",
        Outcome::Partial,
        "`możesz` stands in the answer",
    );
    check(&spec, "Czy mógłbyś mi Pan wysłać swój adres?", Outcome::Partial, "`*łbyś` stands");
    check(&spec, "Czy możesz mi wysłać swój adres?", Outcome::Fail, "nearer to the given sentence");
    check(&spec, "Pan może adres", Outcome::Fail, "chrF is");
    check(&spec, "Daj adres.", Outcome::Fail, "it does not stand in the answer");
    check(&spec, "Pan: adres.", Outcome::Fail, "none of these stands in the answer: mógłby, może");
    let several = "Czy mógłby mi Pan wysłać swój adres?\n".repeat(3);
    check(&spec, &several, Outcome::Partial, "it has 21 words, more than 18");
    check_refused(
        &json!({"kind": "forms", "required": [["Pan"]], "references": ["panel"]}),
        "the reference `panel` does not pass",
    );
    check_refused(
        &json!({"kind": "forms", "required": [["Pan"]], "references": ["Pan"], "source": "Pan tu"}),
        "the source `Pan tu` has all forms",
    );
}

fn tool_spec() -> Value {
    json!({
        "kind": "tool_call",
        "name": "book",
        "schema": {
            "type": "object",
            "additionalProperties": false,
            "required": ["room", "minutes"],
            "properties": {"room": {"type": "string"}, "minutes": {"type": "integer"}, "note": {"type": "string"}},
        },
        "arguments": {"room": "A1", "minutes": 45},
    })
}

fn call(name: &str, arguments: &str) -> Answer {
    let call = ToolCall { name: name.to_owned(), arguments: arguments.to_owned() };
    Answer { visible: String::new(), tool_calls: vec![call] }
}

#[test]
fn tool_calls() {
    let spec = tool_spec();
    let right = r#"{"room": "A1", "minutes": 45}"#;
    check_answer(&spec, &call("book", right), Outcome::Pass, "");
    check_answer(
        &spec,
        &call("book", r#"{"room": "A1", "minutes": 45, "note": "x"}"#),
        Outcome::Pass,
        "",
    );
    check_answer(&spec, &call("cancel", right), Outcome::Fail, "it calls `cancel`");
    check_answer(
        &spec,
        &call("book", r#"{"room": "A1", "minutes": "45"}"#),
        Outcome::Fail,
        "is not of type",
    );
    check_answer(
        &spec,
        &call("book", r#"{"room": "A2", "minutes": 45}"#),
        Outcome::Fail,
        "it is `\"A2\"`",
    );
    check_answer(
        &spec,
        &call("book", r#"{"room": "A1", "minutes": 45, "x": 1}"#),
        Outcome::Fail,
        "dditional",
    );
    check_answer(&spec, &call("book", "{"), Outcome::Fail, "EOF");
    check(
        &spec,
        &format!("```\n{{\"name\": \"book\", \"arguments\": {right}}}\n```"),
        Outcome::Partial,
        "it stands in the text",
    );
    check(
        &spec,
        &format!(
            "{{\"name\": \"book\", \"arguments\": {right}}} or {{\"name\": \"cancel\", \"arguments\": {right}}}"
        ),
        Outcome::Fail,
        "it calls `cancel`",
    );
    check(&spec, "I booked it.", Outcome::Fail, "I booked it.");
    let mut twice = call("book", right);
    twice.tool_calls.push(twice.tool_calls[0].clone());
    check_answer(&spec, &twice, Outcome::Fail, "there are 2 calls");
    let mut spec = tool_spec();
    spec["arguments"]["minutes"] = json!("many");
    check_refused(&spec, "do not fit `schema`");
}

#[test]
fn unknown_kinds_and_keys_are_refused() {
    check_refused(&json!({"kind": "nmber"}), "`nmber` is no kind of scorer; there are code, forms");
    check_refused(&json!({"expected": "1"}), "needs a `kind`");
    check_refused(
        &json!({"kind": "number", "expected": "1", "tolerance": 2}),
        "unknown field `tolerance`",
    );
    check_refused(&json!({"kind": "number", "expected": "one"}), "no decimal number");
}

#[test]
fn code_that_cannot_be_run_is_an_error_and_no_failure() {
    let spec = json!({"kind": "code", "function": "f", "solution": "", "cases": [{"name": "x", "args": []}]});
    check(&spec, "def f(): pass", Outcome::Error, "does not start");
}

fn reply(visible: &str, thinking: &str, finish: FinishReason) -> Reply {
    Reply::Answer(Box::new(Generation {
        visible: visible.to_owned(),
        thinking: thinking.to_owned(),
        tool_calls: Vec::new(),
        tokens: TokenCounts::default(),
        timings: Timings::default(),
        finish,
        deltas: Vec::new(),
        raw: RawExchange::default(),
    }))
}

#[track_caller]
fn check_reply(reply: &Reply, want: Outcome, found: Option<bool>) {
    let number = scorer(&json!({"kind": "number", "expected": "1007.5"})).unwrap();
    let (score, in_thinking) = super::score(&*number, reply, Means { sandbox: &nowhere() });
    assert_eq!(score.outcome, want, "{score:?}");
    assert_eq!(in_thinking, found);
    assert!(!score.checks.is_empty());
}

#[test]
fn an_answer_cut_off_while_thinking_is_starved_and_its_thinking_is_searched() {
    let thinking = "so 1050 - 52.5 = 997.5, plus 10 gives 1,007.50. Wait,";
    check_reply(&reply(" \n", thinking, FinishReason::Length), Outcome::Starved, Some(true));
    check_reply(&reply("", "let me see", FinishReason::Length), Outcome::Starved, Some(false));
    check_reply(&reply("", thinking, FinishReason::Cancelled), Outcome::Starved, Some(true));
}

#[test]
fn an_answer_that_is_there_is_judged_even_if_cut_off() {
    check_reply(&reply("1007.5", "", FinishReason::Length), Outcome::Pass, None);
    check_reply(&reply("The total is", "", FinishReason::Length), Outcome::Fail, None);
    check_reply(&reply("", "1007.5", FinishReason::Stop), Outcome::Fail, None);
}

#[test]
fn no_answer_is_an_error() {
    let failure = GenerationFailure {
        kind: FailureKind::TimedOut,
        message: "nothing came".to_owned(),
        partial: None,
    };
    check_reply(&Reply::Failure(Box::new(failure)), Outcome::Error, None);
}
