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

/// The part of a window that is scored: a piece of work of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The tokens before the middle, each window computed up to there only.
    FirstHalf,
    /// The tokens after the middle, as llama-perplexity scores them: the figures.
    #[default]
    SecondHalf,
}

/// Whose results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackOf {
    /// A member's own scores.
    Own(usize),
    /// A comparison.
    Pair(Pair),
    /// A member's own scores in the windows' first halves.
    OwnFirstHalf(usize),
    /// A comparison in the windows' first halves.
    PairFirstHalf(Pair),
}

impl TrackOf {
    /// The part of the windows it is of.
    pub fn part(self) -> Part {
        match self {
            Self::Own(_) | Self::Pair(_) => Part::SecondHalf,
            Self::OwnFirstHalf(_) | Self::PairFirstHalf(_) => Part::FirstHalf,
        }
    }

    /// The member whose own scores these are; none for a comparison.
    pub fn own(self) -> Option<usize> {
        match self {
            Self::Own(member) | Self::OwnFirstHalf(member) => Some(member),
            Self::Pair(_) | Self::PairFirstHalf(_) => None,
        }
    }

    /// The comparison; none for a member's own scores.
    pub fn pair(self) -> Option<Pair> {
        match self {
            Self::Pair(pair) | Self::PairFirstHalf(pair) => Some(pair),
            Self::Own(_) | Self::OwnFirstHalf(_) => None,
        }
    }

    /// The same, of members that are called otherwise; what `rename` gives an error for, fails.
    pub fn renamed<E>(self, rename: impl Fn(usize) -> Result<usize, E>) -> Result<Self, E> {
        let pair = |Pair { reference, candidate }| {
            Ok(Pair { reference: rename(reference)?, candidate: rename(candidate)? })
        };
        Ok(match self {
            Self::Own(member) => Self::Own(rename(member)?),
            Self::OwnFirstHalf(member) => Self::OwnFirstHalf(rename(member)?),
            Self::Pair(of) => Self::Pair(pair(of)?),
            Self::PairFirstHalf(of) => Self::PairFirstHalf(pair(of)?),
        })
    }

    /// The members it takes.
    pub fn members(self) -> impl Iterator<Item = usize> {
        let (first, second) = match self {
            Self::Own(member) | Self::OwnFirstHalf(member) => (member, None),
            Self::Pair(pair) | Self::PairFirstHalf(pair) => (pair.reference, Some(pair.candidate)),
        };
        std::iter::once(first).chain(second)
    }
}
