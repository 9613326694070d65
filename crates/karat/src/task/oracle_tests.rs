//! Expected answers of the families that calculate, against Python's `decimal` and `datetime`, which read
//! nothing but the prompts.

use std::collections::BTreeMap;

use super::{Drawing, Instance, Values, bundled};

const FAMILIES: [&str; 3] = ["date_arithmetic", "exact_arithmetic", "unit_arithmetic"];

/// Instances by a name that holds the seed, too.
fn drawn() -> BTreeMap<String, Instance> {
    let mut drawn = BTreeMap::new();
    for family in bundled().unwrap().iter().filter(|family| FAMILIES.contains(&&*family.name)) {
        for language in &family.languages {
            for seed in 0..3 {
                let fixed = Values::new();
                let drawing = Drawing { seed, count_tokens: &str::len, fixed: &fixed };
                for instance in family.instances(language, 12, drawing).unwrap() {
                    drawn.insert(format!("{seed}/{}", instance.id), instance);
                }
            }
        }
    }
    drawn
}

/// What `bench/tasks/arithmetic.py` reads.
#[test]
fn prompts_are_the_ones_that_the_oracle_read() {
    let prompts: Vec<(String, String)> = drawn()
        .into_iter()
        .map(|(name, instance)| (name, instance.messages[0].content.clone()))
        .collect();
    let lines: Vec<String> =
        prompts.iter().map(|pair| serde_json::to_string(pair).unwrap()).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// Python 3.11, `bench/tasks/arithmetic.py`.
#[test]
fn expected_answers_are_the_oracles() {
    let answers: BTreeMap<String, String> =
        serde_json::from_str(include_str!("fixtures/arithmetic.json")).unwrap();
    let drawn = drawn();
    assert_eq!(drawn.len(), 3 * 4 * 3 * 12);
    for (name, instance) in drawn {
        let expected = match instance.scorer["kind"].as_str() {
            Some("number") => &instance.scorer["expected"],
            _ => &instance.scorer["accept"][0],
        };
        assert_eq!(expected.as_str(), answers.get(&name).map(String::as_str), "{name}");
    }
}
