//! Families whose answer is a word or a few.

use super::{check, check_all, instance, list};
use crate::task::Outcome;

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
