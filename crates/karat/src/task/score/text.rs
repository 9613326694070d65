//! `text`: a short text, exact but for case, spaces and what stands around it.

use serde::Deserialize;

use super::dress::{lines, undressed, unlisted};
use super::fold::{folded, has_form, words};
use super::number::parse;
use super::{Answer, Checked, Means, Score, Scorer, Written, check, failed, held, shown, whole};
use crate::task::Outcome;

/// `accept`: texts that are right, of one line or several; `options`: what could be chosen; `place`: how
/// much else may be said; `language`: of numbers, how they may be written.
///
/// The answer passes where it is one of the first, in the place asked for. Right, but in another place:
/// partial. It is not right where it names another option too, unless the last line names the right one
/// alone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    accept: Vec<Written>,
    #[serde(default)]
    options: Vec<Written>,
    #[serde(default)]
    place: Place,
    language: Option<String>,
}

/// Where the right text has to stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// Nothing else is said.
    #[default]
    Alone,
    /// On the last line, or lines.
    Line,
    /// In a sentence.
    Anywhere,
}

impl Checked for Text {
    fn checked(&self) -> Result<(), String> {
        if self.accept.iter().all(|text| folded(&text.0).is_empty()) {
            return Err("`accept` holds no text".to_owned());
        }
        Ok(())
    }
}

/// A line for comparison.
fn bare(line: &str) -> String {
    folded(undressed(unlisted(undressed(line)).0))
}

fn bare_lines(text: &str) -> Vec<String> {
    lines(text).map(bare).filter(|line| !line.is_empty()).collect()
}

impl Text {
    /// Whether a line is a text, or the same number in another notation.
    fn is(&self, line: &str, text: &str) -> bool {
        let number = |text: &str| parse(text, self.language.as_deref()?);
        line == text || number(line).is_some_and(|line| number(text) == Some(line))
    }

    /// Whether the last lines are right.
    fn ends_right(&self, said: &[String]) -> bool {
        self.accept.iter().any(|accepted| {
            let wanted = bare_lines(&accepted.0);
            let start = said.len().checked_sub(wanted.len());
            let tail = start.and_then(|start| said.get(start..)).unwrap_or_default();
            !wanted.is_empty()
                && tail.len() == wanted.len()
                && tail.iter().zip(&wanted).all(|(line, text)| self.is(line, text))
        })
    }

    /// Whether all that is said is right.
    fn is_right(&self, said: &[String]) -> bool {
        let n = |accepted: &Written| bare_lines(&accepted.0).len();
        self.ends_right(said) && self.accept.iter().any(|accepted| n(accepted) == said.len())
    }

    fn others(&self) -> impl Iterator<Item = &str> {
        let is_other = |option: &&str| !self.is_right(&bare_lines(option));
        self.options.iter().map(|option| option.0.as_str()).filter(is_other)
    }

    /// Another option that stands in a text beside the right one.
    fn other_in(&self, text: &str) -> Option<&str> {
        self.others().find(|option| has_form(text, option))
    }

    /// Whether the right text is named: the only one, or the only one of the last line.
    fn named(&self, text: &str) -> Result<(), String> {
        let last = lines(text).next_back().unwrap_or_default();
        let only = |text: &str| self.stands_in(text) == Some(true) && self.other_in(text).is_none();
        if only(text) || only(last) {
            return Ok(());
        }
        match self.other_in(text) {
            Some(other) if self.stands_in(text) == Some(true) => {
                Err(format!("it also names {}", shown(other)))
            }
            _ => Err(format!("{} instead of {}", shown(text), shown(&self.accept[0].0))),
        }
    }
}

impl Scorer for Text {
    fn judge(&self, answer: &Answer, _: Means<'_>) -> Score {
        const RIGHT: &str = "the right answer";
        let text = &answer.visible;
        let said = bare_lines(text);
        // A choice of several, one to a line, is no answer wherever the right one stands.
        let beside = (said.len() > 1)
            .then(|| self.others().find(|option| said.contains(&bare(option))))
            .flatten();
        let in_place = match self.place {
            Place::Alone => self.is_right(&said),
            Place::Line | Place::Anywhere => self.ends_right(&said),
        };
        let right = match beside {
            Some(other) => Err(format!("it also names {}", shown(other))),
            None if in_place => Ok(()),
            None => self.named(text),
        };
        if let Err(why) = right {
            return whole(Outcome::Fail, vec![failed(RIGHT, why)]);
        }
        let mut checks = vec![held(RIGHT)];
        let place = match self.place {
            Place::Alone => Some("nothing else said"),
            Place::Line => Some("the answer on the last line"),
            Place::Anywhere => None,
        };
        checks.extend(
            place.map(|place| check(place, in_place, || format!("the answer is {}", shown(text)))),
        );
        let is_placed = in_place || place.is_none();
        whole(if is_placed { Outcome::Pass } else { Outcome::Partial }, checks)
    }

    fn stands_in(&self, text: &str) -> Option<bool> {
        let said: Vec<String> = words(text).into_iter().map(folded).collect();
        let stands = |accepted: &Written| {
            // Of several lines, the words in their order, whatever parts them.
            let wanted: Vec<String> = words(&accepted.0).into_iter().map(folded).collect();
            has_form(text, &accepted.0)
                || wanted.len() > 1
                    && accepted.0.contains('\n')
                    && said.windows(wanted.len()).any(|piece| piece == wanted)
        };
        Some(self.accept.iter().any(stands))
    }

    fn reference(&self) -> Option<Answer> {
        self.accept.first().map(|text| Answer::text(text.0.as_str()))
    }
}
