//! `text`: a short text, exact but for case, spaces and the marks around it.

use serde::Deserialize;

use super::fold::{folded, has_form};
use super::{Answer, Checked, Means, Score, Scorer, Written, check, failed, held, shown, whole};
use crate::task::Outcome;

/// `accept`: texts that are right; `options`: what could be chosen. The answer passes where it is one of
/// the first. Right, but with words around it: partial, unless it names another option too.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    accept: Vec<Written>,
    #[serde(default)]
    options: Vec<Written>,
}

impl Checked for Text {
    fn checked(&self) -> Result<(), String> {
        if self.accept.iter().all(|text| folded(&text.0).is_empty()) {
            return Err("`accept` holds no text".to_owned());
        }
        Ok(())
    }
}

/// Text without marks around it.
fn bare(text: &str) -> String {
    const AROUND: &[char] = &['"', '\'', '`', '*', '.', '!', '?', ':', ' ', '(', ')'];
    folded(text).trim_matches(AROUND).to_owned()
}

impl Scorer for Text {
    fn judge(&self, answer: &Answer, _: Means<'_>) -> Score {
        const RIGHT: &str = "the answer is right";
        const ALONE: &str = "nothing else is said";
        let said = bare(&answer.visible);
        if self.accept.iter().any(|text| bare(&text.0) == said) {
            return whole(Outcome::Pass, vec![held(RIGHT), held(ALONE)]);
        }
        let stands = self.stands_in(&answer.visible) == Some(true);
        let is_right =
            |option: &&Written| !self.accept.iter().any(|text| bare(&text.0) == bare(&option.0));
        let other = self
            .options
            .iter()
            .filter(is_right)
            .find(|option| has_form(&answer.visible, &option.0));
        let named = match (stands, other) {
            (true, None) => held(RIGHT),
            (true, Some(other)) => failed(RIGHT, format!("it also names {}", shown(&other.0))),
            (false, _) => failed(
                RIGHT,
                format!("{} instead of {}", shown(&answer.visible), shown(&self.accept[0].0)),
            ),
        };
        let is_partial = named.held;
        let alone =
            check(ALONE, !is_partial, || format!("the answer is {}", shown(&answer.visible)));
        whole(if is_partial { Outcome::Partial } else { Outcome::Fail }, vec![named, alone])
    }

    fn stands_in(&self, text: &str) -> Option<bool> {
        Some(self.accept.iter().any(|accepted| has_form(text, &accepted.0)))
    }

    fn reference(&self) -> Option<Answer> {
        self.accept.first().map(|text| Answer::text(text.0.as_str()))
    }
}
