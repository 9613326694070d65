//! The bundled families, judged as their readers would: right answers in several styles, wrong ones of
//! the kinds that models give. The two families of code are in tests/task_code.rs, with the sandbox.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use karat_sandbox::Sandbox;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::score::{Answer, Means};
use super::{Drawing, Instance, Outcome, Score, Suite, Values};
use crate::generation::ToolCall;

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

#[test]
fn exact_arithmetic() {
    let english = instance("exact_arithmetic", "en", "40 lamps at 26.25");
    for right in [
        "1007.5",
        "40 × 26.25 = 1050\n5 % off: 997.50\nWith delivery:\n\n**1,007.50**",
        "The total is below.\n\n$$\\boxed{1007.5}$$",
        "\\[\n\\boxed{1{,}007.50}\n\\]",
        "Discounted: 997.5\n\n€1,007.50",
        "So it pays:\n1007.50 euros.",
        "`1007.50`",
    ] {
        check(&english, right, Outcome::Pass);
    }
    check(&english, "The workshop pays 1007.50 euros (997.50 + 10.00).", Outcome::Partial);
    check(&english, "Total = 1007.5", Outcome::Partial);
    for wrong in [
        "1007",
        "1010.00",
        "1007.5\n1008",
        "1007.5 or 1008",
        "I think the answer is 1007.5, or maybe 1060.",
        "It is 1060 or\n1007.5",
        "1006.5, 1007.5, 1008.5",
        "- 997.5\n- 1007.5\n- 1060",
        "A) 997.5\nB) 1007.5\nC) 1060",
    ] {
        check(&english, wrong, Outcome::Fail);
    }
    for (language, answers) in [
        ("pl", ["1007,50 euro", "1 007,50", "**1.007,50**"]),
        ("de", ["1.007,50 €", "1007,5", "**1.007,50 Euro**"]),
        ("fr", ["1 007,50 €", "1\u{202f}007,50", "« 1007,5 »"]),
    ] {
        let instance = instance("exact_arithmetic", language, "26,25");
        check_all(&instance, &answers.map(str::to_owned), Outcome::Pass);
        check(&instance, "1007,5 / 1008", Outcome::Fail);
    }
    check(&instance("exact_arithmetic", "pl", "26,25"), "1007,5 albo 1008", Outcome::Fail);
    check(
        &instance("exact_arithmetic", "de", "26,25"),
        "Das sind 1007,5 oder 1008 Euro.",
        Outcome::Fail,
    );
    check(&instance("exact_arithmetic", "fr", "26,25"), "1007,5 ou peut-être 1008", Outcome::Fail);
}

#[test]
fn unit_arithmetic() {
    let mass = instance("unit_arithmetic", "pl", "Worek waży");
    let right = mass.scorer["expected"].as_str().unwrap().to_owned();
    let comma = right.replace('.', ",");
    let answers =
        [right.clone(), format!("27 kg to 27 000 g.\n\n**{comma}**"), format!("Razem:\n${comma}$")];
    check_all(&mass, &answers, Outcome::Pass);
    // Here the prompt wants no unit.
    check(&mass, &format!("{comma} kg"), Outcome::Partial);
    let wrong =
        [format!("{right}1"), format!("{comma} albo 9"), format!("{comma}\n9"), "kg".to_owned()];
    check_all(&mass, &wrong, Outcome::Fail);
}

#[test]
fn date_arithmetic() {
    let instance = instance("date_arithmetic", "en", "2024-02-10");
    let right = [
        "2024-03-11",
        "**2024-03-11**",
        "`2024-03-11`.",
        "\"2024-03-11\"",
        "2024\u{2011}03\u{2011}11",
    ];
    check_all(&instance, &right.map(str::to_owned), Outcome::Pass);
    check(&instance, "30 days after 2024-02-10 is 2024-03-11.", Outcome::Partial);
    for wrong in [
        "2024-03-12",
        "2024-03-11 or 2024-03-12",
        "2024-03-10\n2024-03-11\n2024-03-12",
        "I think it is 2024-03-11, but it could be 2024-03-10.",
        "11 March",
    ] {
        check(&instance, wrong, Outcome::Fail);
    }
}

#[test]
fn table_lookup() {
    let instance = instance("table_lookup", "de", "Spalte „Preis“");
    let right = list(&instance.scorer["accept"])[0].clone();
    let comma = right.replace('.', ",");
    let answers = [
        right.clone(),
        format!("**{comma}**"),
        format!("„{comma}“"),
        format!("»{comma}«."),
        format!("- {right}"),
    ];
    check_all(&instance, &answers, Outcome::Pass);
    check(&instance, &format!("Der Preis ist {comma}."), Outcome::Partial);
    let options = list(&instance.scorer["options"]);
    let other = options.iter().find(|option| **option != right).unwrap();
    let wrong = [
        other.clone(),
        format!("{right} oder {other}"),
        format!("{other}\n{right}"),
        options.join(", "),
        format!("1{right}"),
    ];
    check_all(&instance, &wrong, Outcome::Fail);
}

#[test]
fn word_list_by_place() {
    let english = instance("word_list", "en", "Which word is number");
    let right = list(&english.scorer["accept"])[0].clone();
    let options = list(&english.scorer["options"]);
    let other = options.iter().find(|option| **option != right).unwrap();
    let answers = [
        right.clone(),
        format!("The word is \"{right}\"."),
        format!("**{}**", right.to_uppercase()),
        format!("6. {right}"),
        format!("The list is {}.\nSo the word asked for is {right}.", options.join(", ")),
    ];
    check_all(&english, &answers, Outcome::Pass);
    let wrong = [
        other.clone(),
        format!("{right} or {other}"),
        format!("I think it is {right}, or maybe {other}."),
        options.join("\n"),
        options.join(", "),
    ];
    check_all(&english, &wrong, Outcome::Fail);

    let polish = instance("word_list", "pl", "Odpowiedz samym słowem");
    let right = list(&polish.scorer["accept"])[0].clone();
    let answers = [format!("„{right}”"), format!("«{right}»."), format!("**{right}**")];
    check_all(&polish, &answers, Outcome::Pass);
    check(&polish, &format!("To słowo to {right}."), Outcome::Partial);
}

#[test]
fn word_list_in_german_and_french() {
    for (language, prompt, quoted) in [
        ("de", "Welches Wort", ["„W“", "»W«", "**W**"]),
        ("fr", "Quel mot", ["« W »", "“W”", "*W*."]),
    ] {
        let instance = instance("word_list", language, prompt);
        let right = list(&instance.scorer["accept"])[0].clone();
        check_all(&instance, &quoted.map(|form| form.replace('W', &right)), Outcome::Pass);
        check(&instance, &list(&instance.scorer["options"]).join(" "), Outcome::Fail);
    }
}

#[test]
fn word_list_counted() {
    let english = instance("word_list", "en", "How many words");
    let [figure, word] = [0, 1].map(|index| list(&english.scorer["accept"])[index].clone());
    let answers = [
        figure.clone(),
        format!("**{figure}**."),
        word.clone(),
        format!("Let me count them.\n\n{figure}"),
    ];
    check_all(&english, &answers, Outcome::Pass);
    check(&english, &format!("There are {figure} words in the list."), Outcome::Partial);
    let wrong = [
        "3".to_owned(),
        format!("{figure}0"),
        format!("{figure}\n3"),
        format!("{} or {figure}", list(&english.scorer["options"])[0]),
    ];
    check_all(&english, &wrong, Outcome::Fail);
}

#[test]
fn word_list_sorted() {
    let instance = instance("word_list", "en", "Sort these words");
    let right = list(&instance.scorer["accept"])[0].clone();
    let words: Vec<&str> = right.lines().collect();
    let each = |form: &dyn Fn(usize, &str) -> String| -> String {
        words.iter().enumerate().map(|(at, word)| form(at + 1, word)).collect::<Vec<_>>().join("\n")
    };
    let answers = [
        right.clone(),
        each(&|at, word| format!("{at}. {word}")),
        each(&|_, word| format!("- **{word}**")),
        format!("```\n{right}\n```"),
        format!("Here are the words:\n\n{}", each(&|_, word| format!("* {}", word.to_uppercase()))),
    ];
    check_all(&instance, &answers, Outcome::Pass);
    check(&instance, &words.join(", "), Outcome::Partial);
    let mut backwards = words.clone();
    backwards.reverse();
    let wrong = [backwards.join("\n"), words[1..].join("\n"), format!("{right}\nzebra")];
    for answer in &wrong[..2] {
        check(&instance, answer, Outcome::Fail);
    }
    check(&instance, &wrong[2], Outcome::Partial);
}

#[test]
fn long_context_recall() {
    let instance = instance("long_context_recall", "en", "secret code");
    let right = instance.scorer["answer"].as_str().unwrap().to_owned();
    let other = list(&instance.scorer["distractors"])[0].clone();
    let answers = [
        right.clone(),
        format!("The secret code is **{}**.", right.to_uppercase()),
        format!("`{}`", right.replace('-', "\u{2011}")),
    ];
    check_all(&instance, &answers, Outcome::Pass);
    let wrong = [
        other.clone(),
        format!("{right} or {other}"),
        format!("{right} or zebra-123"),
        format!("{right}1"),
        right.split('-').next().unwrap().to_owned(),
    ];
    check_all(&instance, &wrong, Outcome::Fail);
}

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
    let is_it = |check: &&super::Check| check.name == "commits to one reading";
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
    let Items { items } = toml::from_str(include_str!("fixtures/multilingual.toml")).unwrap();
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
