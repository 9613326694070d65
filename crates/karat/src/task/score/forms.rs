//! `forms`: a text in a natural language, by the forms that have to stand in it and those that must not,
//! and by its nearness to references.

use serde::Deserialize;

use super::chrf::chrf;
use super::fold::has_form;
use super::{Answer, Checked, Means, Score, Scorer, check, whole};
use crate::task::Outcome;

/// `required`: groups, of each of which one form has to stand in the answer; `forbidden`: forms that
/// must not; `references`: good answers. Passes where every form is as asked and chrF is at least
/// `pass_from`, so that a list of the forms is no answer. Partial where that fails and chrF is at least
/// `partial_from`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forms {
    required: Vec<Vec<String>>,
    #[serde(default)]
    forbidden: Vec<String>,
    references: Vec<String>,
    #[serde(default = "pass_from")]
    pass_from: f64,
    #[serde(default = "partial_from")]
    partial_from: f64,
}

fn pass_from() -> f64 {
    30.0
}

fn partial_from() -> f64 {
    50.0
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
        Ok(())
    }
}

impl Forms {
    fn forms(&self, text: &str) -> Vec<super::Check> {
        let required = self.required.iter().map(|group| {
            let stands = group.iter().any(|form| has_form(text, form));
            let name = group.join(" / ");
            check(format!("has {name}"), stands, || format!("{name} does not stand in the answer"))
        });
        let forbidden = self.forbidden.iter().map(|form| {
            let stands = has_form(text, form);
            check(format!("has no {form}"), !stands, || format!("{form} stands in the answer"))
        });
        required.chain(forbidden).collect()
    }
}

impl Scorer for Forms {
    fn judge(&self, answer: &Answer, _: Means<'_>) -> Score {
        let mut checks = self.forms(&answer.visible);
        let forms_held = checks.iter().all(|check| check.held);
        let nearness = chrf(answer.visible.trim(), &self.references);
        let is_near = nearness >= self.pass_from;
        checks.push(check("is near a reference", is_near, || {
            format!("chrF is {nearness:.1}, below {}", self.pass_from)
        }));
        let outcome = if forms_held && is_near {
            Outcome::Pass
        } else if nearness >= self.partial_from {
            Outcome::Partial
        } else {
            Outcome::Fail
        };
        whole(outcome, checks)
    }

    fn stands_in(&self, text: &str) -> Option<bool> {
        // Thinking holds drafts and remarks: a line of it has to be an answer.
        let near = |line: &str| chrf(line, &self.references) >= self.partial_from;
        let is_answer = |line: &str| near(line) && self.forms(line).iter().all(|check| check.held);
        Some(text.lines().any(is_answer))
    }

    fn reference(&self) -> Option<Answer> {
        self.references.first().map(Answer::text)
    }
}
