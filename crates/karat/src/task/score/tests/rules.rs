//! What `rules` says of texts.

use serde_json::{Value, json};

use super::{check, check_refused, judged};
use crate::task::score::{Answer, scorer};
use crate::task::{Check, Outcome};

fn rules_spec() -> Value {
    json!({
        "kind": "rules",
        "answer": {"entries": {"min": 2}},
        "rules": [
            {"name": "three lines", "lines": {"min": 3, "max": 3}},
            {"name": "no e", "without": "e"},
            {"name": "capitals", "case": "upper"},
            {"name": "small letters", "case": "lower"},
        ],
        "readings": [["capitals"], ["small letters"]],
        "example": "a\nb\nc",
    })
}

#[test]
fn rules() {
    let spec = rules_spec();
    check(&spec, "A\nB\n\nC", Outcome::Pass, "");
    check(
        &spec,
        "A\nb\nC",
        Outcome::Partial,
        "to none: not capitals, `b` stands in it; not small letters, `A`",
    );
    check(&spec, "a\nb", Outcome::Partial, "it has 2 lines");
    check(&spec, "a\nb\nBee", Outcome::Partial, "`e` stands in `Bee`");
    check(&spec, "1\n2\n3", Outcome::Partial, "to none: capitals and small letters hold at once");
    check(&spec, "Two rules contradict each other.", Outcome::Fail, "it has 0 list items");
    check(&spec, "No", Outcome::Fail, "it has 1 list item");
}

#[test]
fn the_reading_that_was_chosen_is_told() {
    let told = |answer: &str| judged(&rules_spec(), &Answer::text(answer)).checks.pop().unwrap();
    let want = Check { name: "commitment".to_owned(), held: true, why: "small letters".to_owned() };
    assert_eq!(told("a\nb\nc"), want);
    assert_eq!(told("A\nB").why, "capitals");
    assert!(told("a\nB").why.starts_with("to none: "));
}

#[test]
fn rules_say_which_held() {
    let held: Vec<bool> = judged(&rules_spec(), &Answer::text("a\nb"))
        .checks
        .iter()
        .map(|check| check.held)
        .collect();
    assert_eq!(held, [false, true, true]);
    check_refused(
        &json!({"kind": "rules", "answer": {"words": {}}, "rules": [{"name": "x", "wrds": {}}], "example": ""}),
        "rule `x`",
    );
    let mut spec = rules_spec();
    spec["readings"] = json!([["nothing"]]);
    check_refused(&spec, "`readings` names `nothing`");
    spec = rules_spec();
    spec["example"] = json!("- one\n- two");
    check_refused(&spec, "`example` does not pass `three lines`");
}

#[track_caller]
fn check_rule(rule: Value, text: &str, want: bool) {
    let mut rule = rule;
    rule["name"] = json!("r");
    let spec = json!({"kind": "rules", "answer": {"words": {}}, "rules": [rule], "example": text});
    assert_eq!(scorer(&spec).is_ok(), want, "{text}");
}

#[test]
fn each_kind_of_rule() {
    check_rule(json!({"words": {"min": 2, "max": 2}}), "well-known fact", true);
    check_rule(json!({"words": {"max": 2}}), "one two three", false);
    check_rule(json!({"sentences": {"min": 2, "max": 2}}), "One. Two!", true);
    check_rule(json!({"sentences": {"max": 1}}), "One. Two!", false);
    check_rule(json!({"has": ["Żółw"]}), "żółw idzie", true);
    check_rule(json!({"has": ["żółw"]}), "żółwie", false);
    check_rule(json!({"has_no": ["pan"]}), "panel", true);
    check_rule(json!({"has_no": ["pan"]}), "Pan", false);
    check_rule(json!({"starts_with": "Dear"}), "dear Anna", true);
    check_rule(json!({"ends_with": "Bye."}), "So long", false);
    check_rule(json!({"each_line_starts_with": "- "}), "- a\n- b", true);
    check_rule(json!({"each_line_starts_with": "- "}), "- a\nb", false);
    check_rule(json!({"each_line_words": {"max": 2}}), "- a\n\n- b c", true);
    check_rule(json!({"each_line_words": {"max": 2}}), "- a\n- b c d", false);
    check_rule(json!({"entries": {"min": 2}}), "1. a\nb", true);
    check_rule(json!({"entries": {"min": 2}}), "Here is the first one:\n- b", false);
    check_rule(json!({"case": "upper"}), "GROßen", false);
    check_rule(json!({"case": "upper"}), "GROßE", true);
}
