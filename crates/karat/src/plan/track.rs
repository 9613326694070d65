//! What is kept apart in a fidelity run: models' own scores, and comparisons.

use serde::{Deserialize, Serialize};

/// A candidate against a reference, as indexes into a list of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pair {
    /// The yardstick.
    pub reference: usize,
    /// Under test.
    pub candidate: usize,
}

/// Whose results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackOf {
    /// A member's own scores.
    Own(usize),
    /// A comparison.
    Pair(Pair),
}

impl TrackOf {
    /// The members it takes.
    pub fn members(self) -> impl Iterator<Item = usize> {
        let (first, second) = match self {
            Self::Own(member) => (member, None),
            Self::Pair(pair) => (pair.reference, Some(pair.candidate)),
        };
        std::iter::once(first).chain(second)
    }
}
