//! `recall`: a fact from a long text, and none of those that look like it.

use serde::Deserialize;

use super::fold::{folded, has_form};
use super::{Answer, Checked, Means, Score, Scorer, check, whole};
use crate::task::Outcome;

/// `answer`: the fact; `distractors`: facts that were not asked for. Passes where the first is named and
/// none of the others.
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

impl Scorer for Recall {
    fn judge(&self, answer: &Answer, _: Means<'_>) -> Score {
        let found = has_form(&answer.visible, &self.answer);
        let other =
            self.distractors.iter().find(|distractor| has_form(&answer.visible, distractor));
        let checks = vec![
            check("the fact is named", found, || {
                format!("`{}` does not stand in the answer", self.answer)
            }),
            check("no other fact is named", other.is_none(), || {
                format!("`{}` stands in the answer", other.map_or("", String::as_str))
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
