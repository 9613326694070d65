//! A server's counter of tokens: whether what it says can be of the answer that was asked for. Owns the
//! bound and its wording.

use crate::record::{Finding, Severity};
use crate::units::count;

/// Counts beyond so many times the limit that was asked for count something else, or nothing.
const MOST: u64 = 2;

/// What a series of answers was said to have.
#[derive(Clone, Debug, Default)]
pub(super) struct Counter {
    n_refused: u64,
    /// The first count that was refused, and the limit that was asked for.
    first: Option<(u64, u32)>,
}

impl Counter {
    /// The count of an answer, where it can be that.
    pub fn credible(&mut self, tokens: Option<u64>, max_tokens: u32) -> Option<u64> {
        let told = tokens?;
        if told <= u64::from(max_tokens).saturating_mul(MOST) {
            return tokens;
        }
        self.n_refused += 1;
        self.first.get_or_insert((told, max_tokens));
        None
    }

    /// What was not believed.
    pub fn finding(&self) -> Option<Finding> {
        let (told, max_tokens) = self.first?;
        Some(Finding {
            severity: Severity::Warning,
            message: format!(
                "the server counted {told} tokens where at most {max_tokens} were asked for: the tokens \
                 of {} are taken as unknown",
                count(self.n_refused, "answer")
            ),
        })
    }
}
