//! What generators draw, and what they refuse.

use serde_json::{Value, json};

use super::{GENERATORS, Means, generate};
use crate::task::draw::Draw;

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn draw(spec: &Value, seed: &str, language: &str) -> Result<Value, String> {
    let mut draw = Draw::of(&[seed]);
    generate(spec, &mut Means { draw: &mut draw, language, count_tokens: &words })
}

#[track_caller]
fn check_refused(spec: &Value, want: &str) {
    let error = draw(spec, "a", "en").unwrap_err();
    assert!(error.contains(want), "{error}");
}

fn examples() -> Vec<Value> {
    vec![
        json!({"kind": "choice", "of": ["a", 2, [3]]}),
        json!({"kind": "date", "from": "2024-01-01", "to": "2024-12-31"}),
        json!({"kind": "decimal", "min": "0.5", "max": 99, "places": 2}),
        json!({"kind": "int", "min": 3, "max": 40, "step": 5}),
        json!({"kind": "intervals", "count": 4, "min": -9, "max": 20, "longest": 6}),
        json!({"kind": "list", "of": {"kind": "int", "min": 1, "max": 9}, "min": 3, "max": 6, "distinct": true}),
        json!({"kind": "log", "tokens": 60, "depth": 50, "fact": "vault secret code X", "distractors": ["vault old code Y"]}),
        json!({"kind": "names", "count": 2}),
        json!({"kind": "sample", "of": ["a", "b", "c"], "count": 2}),
        json!({"kind": "table", "rows": 2, "key": "n", "columns": {"n": {"kind": "int", "min": 1, "max": 9}, "c": {"kind": "choice", "of": ["x", "y"]}}}),
    ]
}

#[test]
fn every_generator_draws_the_same_everywhere() {
    let drawn: Vec<(String, Value)> = examples()
        .iter()
        .map(|spec| (spec["kind"].to_string(), draw(spec, "fixed", "pl").unwrap()))
        .collect();
    assert_eq!(drawn.len(), GENERATORS.len());
    insta::assert_snapshot!(serde_json::to_string_pretty(&drawn).unwrap());
}

#[test]
fn other_seeds_draw_other_values() {
    for spec in examples() {
        let first = draw(&spec, "0", "en").unwrap();
        let other = (1..50).any(|seed| draw(&spec, &seed.to_string(), "en").unwrap() != first);
        assert!(other, "{spec}");
    }
}

#[test]
fn unknown_kinds_and_keys_are_refused() {
    check_refused(
        &json!({"kind": "integer"}),
        "`integer` is no kind of generator; there are choice",
    );
    check_refused(&json!({"min": 1}), "needs a `kind`");
    check_refused(&json!({"kind": "int", "min": 1, "max": 2, "mx": 3}), "unknown field `mx`");
    check_refused(&json!({"kind": "int", "min": 3, "max": 2}), "nothing between 3 and 2");
    check_refused(&json!({"kind": "sample", "of": [1], "count": 2}), "cannot take 2 of 1");
    check_refused(
        &json!({"kind": "list", "of": {"kind": "int", "min": 1, "max": 2}, "min": 3, "max": 3, "distinct": true}),
        "no 3 different",
    );
    check_refused(
        &json!({"kind": "log", "tokens": 5, "depth": 50, "fact": "a b c d e f"}),
        "do not hold the fact",
    );
}

#[test]
fn numbers_stay_in_their_range() {
    for seed in 0..300 {
        let int =
            draw(&json!({"kind": "int", "min": -3, "max": 9, "step": 4}), &seed.to_string(), "en");
        assert!([-3, 1, 5, 9].contains(&int.unwrap().as_i64().unwrap()));
        let decimal = draw(
            &json!({"kind": "decimal", "min": 1, "max": 2, "places": 1}),
            &seed.to_string(),
            "en",
        )
        .unwrap();
        let decimal = decimal.as_str().unwrap();
        assert!(decimal.len() == 3 && ("1.0"..="2.0").contains(&decimal), "{decimal}");
    }
}

#[track_caller]
fn check_depth(depth: f64) {
    let spec = json!({"kind": "log", "tokens": 2000, "depth": depth, "fact": "the fact", "distractors": ["not it", "nor this"]});
    let log = draw(&spec, "log", "en").unwrap();
    let log = log.as_str().unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let place = lines.iter().position(|line| line.ends_with("the fact")).unwrap();
    let want = (lines.len() - 1) as f64 * depth / 100.0;
    assert!((place as f64 - want).abs() <= 1.0, "{place} of {}", lines.len());
    assert!(log.contains("not it") && log.contains("nor this"));
    let n_tokens = words(log);
    assert!((1985..=2000).contains(&n_tokens), "{n_tokens}");
}

#[test]
fn a_log_has_the_asked_length_and_its_fact_the_asked_depth() {
    for depth in [0.0, 10.0, 37.5, 50.0, 99.0, 100.0] {
        check_depth(depth);
    }
}

#[test]
fn a_log_goes_forward_in_time() {
    let spec = json!({"kind": "log", "tokens": 500, "depth": 50, "fact": "x y"});
    let log = draw(&spec, "time", "en").unwrap();
    let times: Vec<&str> = log.as_str().unwrap().lines().map(|line| &line[..20]).collect();
    assert!(times.is_sorted());
}
