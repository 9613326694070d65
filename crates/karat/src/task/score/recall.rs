//! `recall`: a fact from a long text, and none of those that look like it.

use serde::Deserialize;

use super::fold::{folded, has_form, words};
use super::{Answer, Checked, Means, Score, Scorer, check, whole};
use crate::task::Outcome;

/// `answer`: the fact; `distractors`: facts that were not asked for. Passes where the first is named and
/// none of the others, nor a word that is made like it: beside `nectar-839` no `zebra-123`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recall {
    answer: String,
    #[serde(default)]
    distractors: Vec<String>,
}

impl Checked for Recall {
    fn checked(&self) -> Result<(), String> {
        if folded(&self.answer).is_empty() {
            return Err("`answer` is empty".to_owned());
        }
        match self.distractors.iter().find(|distractor| has_form(&self.answer, distractor)) {
            Some(distractor) => Err(format!("the distractor `{distractor}` is part of the answer")),
            None => Ok(()),
        }
    }
}

/// How a word is made: runs of letters and of digits, and what parts them. None without a digit, because
/// any word is made like any other.
fn make(word: &str) -> Option<String> {
    let mut make = String::new();
    for character in folded(word).chars() {
        let kind = match character {
            digit if digit.is_numeric() => '0',
            letter if letter.is_alphabetic() => 'a',
            other => other,
        };
        if !make.ends_with(kind) {
            make.push(kind);
        }
    }
    (make.contains('0') && make.contains('a')).then_some(make)
}

impl Recall {
    /// A word of the text that is made like the fact and is another.
    fn invented<'a>(&self, text: &'a str) -> Option<&'a str> {
        let wanted = make(&self.answer)?;
        let is_other = |word: &&str| folded(word) != folded(&self.answer);
        words(text).into_iter().filter(is_other).find(|word| make(word).as_ref() == Some(&wanted))
    }
}

impl Scorer for Recall {
    fn judge(&self, answer: &Answer, _: Means<'_>) -> Score {
        let found = has_form(&answer.visible, &self.answer);
        let distractor =
            self.distractors.iter().find(|distractor| has_form(&answer.visible, distractor));
        let other = distractor.map(String::as_str).or_else(|| self.invented(&answer.visible));
        let checks = vec![
            check("the fact", found, || format!("`{}` does not stand in the answer", self.answer)),
            check("no other fact", other.is_none(), || {
                format!("`{}` stands in the answer", other.unwrap_or_default())
            }),
        ];
        let passes = found && other.is_none();
        whole(if passes { Outcome::Pass } else { Outcome::Fail }, checks)
    }

    fn stands_in(&self, text: &str) -> Option<bool> {
        Some(has_form(text, &self.answer))
    }

    fn reference(&self) -> Option<Answer> {
        Some(Answer::text(self.answer.as_str()))
    }
}
