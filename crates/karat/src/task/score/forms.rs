//! `forms`: a text in a natural language, by the forms that have to stand in it and those that must not,
//! and by its nearness to references.

use serde::Deserialize;

use super::chrf::chrf;
use super::fold::{has_pattern, words};
use super::{Answer, Check, Checked, Means, Score, Scorer, check, failed, whole};
use crate::task::Outcome;
use crate::units::count;

/// `required`: groups, of each of which one form has to stand in the answer; `forbidden`: forms that
/// must not; `references`: good answers; `source`: the sentence that was to be changed or translated. A
/// `*` before or after a form stands for any letters.
///
/// Passes where every form is as asked, chrF is at least `pass_from`, so that a list of the forms is no
/// answer, and the answer is one and not a choice of several. Partial where that fails, chrF is at least
/// `partial_from`, and the answer is nearer to a reference than to the source: who gives the sentence
/// back has done nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forms {
    required: Vec<Vec<String>>,
    #[serde(default)]
    forbidden: Vec<String>,
    references: Vec<String>,
    source: Option<String>,
    #[serde(default = "pass_from")]
    pass_from: f64,
    #[serde(default = "partial_from")]
    partial_from: f64,
}

fn pass_from() -> f64 {
    40.0
}

fn partial_from() -> f64 {
    50.0
}

/// The first forms of a group, for a reason.
fn several(group: &[String]) -> String {
    const MOST: usize = 6;
    let first = group.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    if group.len() > MOST { format!("{first} …") } else { first }
}

/// Words of the longest answer that is still one: twice the longest reference's and some more.
fn most_words(references: &[String]) -> usize {
    2 * references.iter().map(|reference| words(reference).len()).max().unwrap_or(0) + 4
}

impl Checked for Forms {
    fn checked(&self) -> Result<(), String> {
        let Some(reference) = self.references.first() else {
            return Err("`references` is empty".to_owned());
        };
        if self.required.is_empty() || self.required.iter().any(Vec::is_empty) {
            return Err("`required` holds no forms, or an empty group".to_owned());
        }
        for reference in &self.references {
            if let Some(failed) = self.forms(reference).into_iter().find(|check| !check.held) {
                return Err(format!("the reference `{reference}` does not pass: {}", failed.why));
            }
        }
        if reference.trim().is_empty() {
            return Err("the first reference is empty".to_owned());
        }
        match &self.source {
            Some(source) if self.has_all(source) => {
                Err(format!("the source `{source}` has all forms of a good answer"))
            }
            _ => Ok(()),
        }
    }
}

impl Forms {
    fn forms(&self, text: &str) -> Vec<Check> {
        let mut checks: Vec<Check> = self
            .required
            .iter()
            .map(|group| {
                let stands = group.iter().any(|form| has_pattern(text, form));
                let name = match group.as_slice() {
                    [form] => format!("`{form}`"),
                    _ => format!("`{}` or the like", group[0]),
                };
                check(name, stands, || match group.as_slice() {
                    [_] => "it does not stand in the answer".to_owned(),
                    _ => format!("none of these stands in the answer: {}", several(group)),
                })
            })
            .collect();
        let wrong: Vec<&str> = self
            .forbidden
            .iter()
            .filter(|form| has_pattern(text, form))
            .map(String::as_str)
            .collect();
        checks.push(check("no wrong form", wrong.is_empty(), || {
            format!("`{}` stands in the answer", wrong.join("`, `"))
        }));
        checks
    }

    fn has_all(&self, text: &str) -> bool {
        self.forms(text).iter().all(|check| check.held)
    }

    /// Whether a text is nearer to the source than to any reference.
    fn is_source(&self, text: &str, nearness: f64) -> bool {
        self.source
            .as_ref()
            .is_some_and(|source| chrf(text, std::slice::from_ref(source)) >= nearness)
    }
}

impl Scorer for Forms {
    fn judge(&self, answer: &Answer, _: Means<'_>) -> Score {
        let text = answer.visible.trim();
        let mut checks = self.forms(text);
        let has_all = checks.iter().all(|check| check.held);
        let nearness = chrf(text, &self.references);
        checks.push(check("near a good answer", nearness >= self.pass_from, || {
            format!("chrF is {nearness:.1}, below {}", self.pass_from)
        }));
        let (n_words, most) = (words(text).len(), most_words(&self.references));
        checks.push(check("one answer and no more", n_words <= most, || {
            format!("it has {}, more than {most}", count(n_words as u64, "word"))
        }));
        let is_echo = !has_all && nearness >= self.partial_from && self.is_source(text, nearness);
        if is_echo {
            checks.push(failed(
                "more than what was given",
                "it is nearer to the given sentence than to a good answer",
            ));
        }
        let outcome = if checks.iter().all(|check| check.held) {
            Outcome::Pass
        } else if nearness >= self.partial_from && !is_echo {
            Outcome::Partial
        } else {
            Outcome::Fail
        };
        whole(outcome, checks)
    }

    fn stands_in(&self, text: &str) -> Option<bool> {
        // Thinking holds drafts and remarks: a line of it has to be an answer.
        let near = |line: &str| chrf(line, &self.references) >= self.partial_from;
        Some(text.lines().any(|line| near(line) && self.has_all(line)))
    }

    fn reference(&self) -> Option<Answer> {
        self.references.first().map(Answer::text)
    }
}
