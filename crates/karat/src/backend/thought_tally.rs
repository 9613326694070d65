//! Whether answers thought as they were asked to: what a single answer cannot show, because a model may
//! do without. Owns the count and its wording.

use super::Thinking;
use crate::generation::Generation;
use crate::record::{Finding, Severity};
use crate::units::count;

/// Answers of a series, and how many of them thought.
#[derive(Clone, Debug, Default)]
pub(super) struct ThoughtTally {
    asked: Thinking,
    n_answers: u64,
    n_thought: u64,
}

impl ThoughtTally {
    /// Begins a series.
    pub fn restart(&mut self, asked: &Thinking) {
        *self = Self { asked: asked.clone(), n_answers: 0, n_thought: 0 };
    }

    /// Counts an answer.
    pub fn observe(&mut self, generation: &Generation) {
        self.n_answers += 1;
        self.n_thought += u64::from(!generation.thinking.trim().is_empty());
    }

    /// What does not fit what was asked.
    pub fn findings(&self) -> Vec<Finding> {
        let (answers, thought) = (count(self.n_answers, "answer"), self.n_thought);
        let message = match &self.asked {
            Thinking::On | Thinking::Level(_) if self.n_answers > 0 && thought == 0 => format!(
                "thinking was asked for, and none of {answers} shows any: the model or its server \
                 may have ignored it, or keeps it to itself"
            ),
            Thinking::Off if thought > 0 => format!(
                "thinking was switched off, and {thought} of {answers} thought all the same"
            ),
            _ => return Vec::new(),
        };
        vec![Finding { severity: Severity::Warning, message }]
    }
}
