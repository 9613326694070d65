//! Families whose answer has a form to keep: JSON, the call of a tool, a list by rules.

use serde_json::{Value, json};

use super::{check, check_all, instance, judged};
use crate::generation::ToolCall;
use crate::task::score::Answer;
use crate::task::{Check, Instance, Outcome};

#[test]
fn strict_json() {
    let instance = instance("strict_json", "en", "city is Gdańsk");
    check(&instance, r#"{"active": true, "city": "Gdańsk"}"#, Outcome::Pass);
    check(&instance, "{\n  \"city\": \"Gda\\u0144sk\",\n  \"active\": true\n}\n", Outcome::Pass);
    check(&instance, r#" {"city":"Gdańsk","active":true}"#, Outcome::Pass);
    let right = r#"{"active": true, "city": "Gdańsk"}"#;
    check(&instance, &format!("```json\n{right}\n```"), Outcome::Partial);
    for wrong in [
        r#"{"active": "true", "city": "Gdańsk"}"#.to_owned(),
        r#"{"active": true, "city": "Gdansk"}"#.to_owned(),
        format!("{right}\n{{\"active\": false, \"city\": \"Gdańsk\"}}"),
        "{'active': True, 'city': 'Gdańsk'}".to_owned(),
    ] {
        check(&instance, &wrong, Outcome::Fail);
    }
}

#[test]
fn tool_call() {
    let instance = instance("tool_call", "fr", "Réserve la salle");
    let arguments = &instance.scorer["arguments"];
    let call = |arguments: String| Answer {
        visible: "Voilà.".to_owned(),
        tool_calls: vec![ToolCall { name: "book_room".to_owned(), arguments }],
    };
    let outcome = |answer: &Answer| judged(&instance, answer).outcome;
    assert_eq!(outcome(&call(arguments.to_string())), Outcome::Pass);
    assert_eq!(outcome(&call(serde_json::to_string_pretty(arguments).unwrap())), Outcome::Pass);
    let mut wrong = arguments.clone();
    wrong["guests"] = json!(["Zoé"]);
    assert_eq!(outcome(&call(wrong.to_string())), Outcome::Fail);
    let written =
        |arguments: &Value| json!({"name": "book_room", "arguments": arguments}).to_string();
    check(&instance, &written(arguments), Outcome::Partial);
    check(&instance, &format!("<tool_call>{}</tool_call>", written(arguments)), Outcome::Partial);
    check(&instance, &format!("{} ou {}", written(arguments), written(&wrong)), Outcome::Fail);
    check(&instance, &written(&wrong), Outcome::Fail);
    check(&instance, &arguments.to_string(), Outcome::Fail);
}

/// What is told of the commitment.
fn commitment(instance: &Instance, answer: &str) -> String {
    let score = judged(instance, &Answer::text(answer));
    let is_it = |check: &&Check| check.name == "commitment";
    score.checks.iter().find(is_it).map(|check| check.why.clone()).unwrap_or_default()
}

#[test]
fn constraint_conflict() {
    let by_case = instance("constraint_conflict", "en", "capital letters");
    let right = by_case.scorer["example"].as_str().unwrap().to_owned();
    let unwanted = by_case.scorer["rules"][2]["has_no"][0].as_str().unwrap().to_owned();
    let n_lines = right.lines().count();
    let answers = [
        right.clone(),
        right.to_uppercase(),
        right.replace("- ", "-\u{a0}"),
        right.replace('\n', "\n\n"),
    ];
    check_all(&by_case, &answers, Outcome::Pass);
    assert_eq!(commitment(&by_case, &right), "all small letters");
    assert_eq!(commitment(&by_case, &right.to_uppercase()), "all capital letters");
    let mixed = right.replacen("- ", "- A", 1);
    check(&by_case, &mixed, Outcome::Partial);
    assert!(commitment(&by_case, &mixed).starts_with("to none: not all capital letters, "));
    let partial = [
        format!("Here is the list:\n{right}"),
        right.replace("- ", "* "),
        format!("{right}\n- milk"),
        format!("{right}\n- {unwanted}"),
    ];
    check_all(&by_case, &partial, Outcome::Partial);
    let wrong = [
        "I cannot write everything in capital letters and in small letters.".to_owned(),
        "Rules 7 contradict each other.\nI will not choose.\nTell me which of them I should follow here.\nThen I can write it.".to_owned(),
        "- ".to_owned(),
    ];
    check_all(&by_case, &wrong, Outcome::Fail);

    let by_length = instance("constraint_conflict", "de", "Zeilen. Wenn");
    let example = by_length.scorer["example"].as_str().unwrap().to_owned();
    let n_short = example.lines().count();
    assert!(n_short >= 4 && n_lines >= 4);
    assert_eq!(commitment(&by_length, &example), "as many lines as first said");
    let longer = format!("{example}\n- brot\n- milch");
    check(&by_length, &longer, Outcome::Pass);
    assert_eq!(commitment(&by_length, &longer), "two lines more");
    let between = format!("{example}\n- brot");
    check(&by_length, &between, Outcome::Partial);
    let why = commitment(&by_length, &between);
    let want = format!("to none: not as many lines as first said, it has {} lines; ", n_short + 1);
    assert!(why.starts_with(&want), "{why}");
}
