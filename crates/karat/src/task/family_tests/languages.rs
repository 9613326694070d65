//! Items of `multilingual`, with answers judged by hand.

use serde::Deserialize;

use super::{check, check_all, instance, instances, judged};
use crate::task::Outcome;
use crate::task::score::Answer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    source: String,
    right: Vec<String>,
    wrong: Vec<String>,
}

#[derive(Deserialize)]
struct Items {
    items: Vec<Item>,
}

#[test]
fn multilingual() {
    let Items { items } = toml::from_str(include_str!("../fixtures/multilingual.toml")).unwrap();
    let all = instances();
    let of = |source: &str| all.iter().find(|instance| instance.scorer["source"] == source);
    assert_eq!(items.len(), all.iter().filter(|one| one.family == "multilingual").count());
    let mut misjudged = Vec::new();
    for Item { source, right, wrong } in &items {
        assert!(right.len() >= 3 && wrong.len() >= 3, "{source}");
        let instance = of(source).unwrap_or_else(|| panic!("no item `{source}`"));
        let others = items.iter().filter(|other| other.source != *source);
        let elsewhere = others.flat_map(|other| &other.right);
        for (answer, passes) in right
            .iter()
            .map(|answer| (answer, true))
            .chain(wrong.iter().chain([source]).chain(elsewhere).map(|answer| (answer, false)))
        {
            let score = judged(instance, &Answer::text(answer.as_str()));
            if (score.outcome == Outcome::Pass) != passes {
                let why: Vec<_> = score.checks.into_iter().filter(|check| !check.held).collect();
                misjudged.push(format!("{source}: {answer}\n  {why:?}"));
            }
        }
        // All at once is no answer.
        check(instance, source, Outcome::Fail);
        let score = judged(instance, &Answer::text(format!("{}\n{source}", right.join("\n"))));
        assert_ne!(score.outcome, Outcome::Pass, "{source}: {score:?}");
    }
    assert!(misjudged.is_empty(), "{}", misjudged.join("\n"));
}

#[test]
fn quoted_answers_in_languages_are_answers() {
    let polish = instance("multilingual", "pl", "per „Pan”");
    let answers = [
        "„Czy mógłby mi Pan wysłać swój adres?”",
        "**Czy może mi Pan wysłać swój adres?**",
        "«Czy może mi Pan wysłać swój adres?»",
    ];
    check_all(&polish, &answers.map(str::to_owned), Outcome::Pass);
}
