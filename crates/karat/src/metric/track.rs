//! What metrics are computed from: the per-token results of one text, window by window.
//! Owns the check that results to be paired are of the same tokens; never computes a figure.

use thiserror::Error;

use super::token::{ModelScores, PairScores};

/// One model's per-token results on one text.
#[derive(Clone, Copy, Debug)]
pub struct ModelTrack<'a> {
    /// Short name of the model.
    pub name: &'a str,
    /// Results of each window, in the order of the text.
    pub windows: &'a [ModelScores],
}

/// A candidate's per-token results against a reference on one text.
#[derive(Clone, Copy, Debug)]
pub struct PairTrack<'a> {
    pub(super) candidate: ModelTrack<'a>,
    pub(super) reference: ModelTrack<'a>,
    pub(super) windows: &'a [PairScores],
}

/// Two candidates on the same windows.
#[derive(Clone, Copy, Debug)]
pub struct ModelDifference<'a> {
    pub(super) candidate: ModelTrack<'a>,
    pub(super) versus: ModelTrack<'a>,
}

/// Two candidates on the same windows against the same reference.
#[derive(Clone, Copy, Debug)]
pub struct PairDifference<'a> {
    pub(super) candidate: PairTrack<'a>,
    pub(super) versus: PairTrack<'a>,
}

/// Why results cannot be paired token by token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Misaligned {
    /// One side has windows the other lacks.
    #[error("`{name}` has {got} windows, `{other}` has {want}: pair only windows scored by both")]
    Windows {
        /// Whose results were to be paired.
        name: String,
        /// With whose.
        other: String,
        /// Windows of `name`.
        got: usize,
        /// Windows of `other`.
        want: usize,
    },
    /// A window has a different number of scored tokens on the two sides.
    #[error("`{name}` has {got} tokens in window {window_idx}, `{other}` has {want}")]
    Tokens {
        /// Whose results were to be paired.
        name: String,
        /// With whose.
        other: String,
        /// Which window, from 0.
        window_idx: usize,
        /// Tokens of `name` there.
        got: usize,
        /// Tokens of `other` there.
        want: usize,
    },
    /// The two candidates were measured against different yardsticks.
    #[error("`{name}` was measured against `{got}`, `{other}` against `{want}`")]
    References {
        /// First candidate.
        name: String,
        /// Second candidate.
        other: String,
        /// Reference of the first.
        got: String,
        /// Reference of the second.
        want: String,
    },
}

impl<'a> PairTrack<'a> {
    /// Checks that both models and their comparison cover the same windows and tokens.
    pub fn new(
        candidate: ModelTrack<'a>,
        reference: ModelTrack<'a>,
        windows: &'a [PairScores],
    ) -> Result<Self, Misaligned> {
        let tokens = tokens_of(&reference);
        check_aligned(candidate.name, &tokens_of(&candidate), reference.name, &tokens)?;
        for column in [
            |scores: &PairScores| scores.kld.len(),
            |scores: &PairScores| scores.reverse_kld.len(),
            |scores: &PairScores| scores.delta_p.len(),
            |scores: &PairScores| scores.top5_overlap.len(),
            |scores: &PairScores| scores.same_top.len(),
        ] {
            let lengths: Vec<usize> = windows.iter().map(column).collect();
            check_aligned(candidate.name, &lengths, reference.name, &tokens)?;
        }
        Ok(Self { candidate, reference, windows })
    }
}

impl<'a> ModelDifference<'a> {
    /// Checks that both models cover the same windows and tokens.
    pub fn new(candidate: ModelTrack<'a>, versus: ModelTrack<'a>) -> Result<Self, Misaligned> {
        check_aligned(candidate.name, &tokens_of(&candidate), versus.name, &tokens_of(&versus))?;
        Ok(Self { candidate, versus })
    }
}

impl<'a> PairDifference<'a> {
    /// Checks that both candidates cover the same windows and tokens of the same reference.
    pub fn new(candidate: PairTrack<'a>, versus: PairTrack<'a>) -> Result<Self, Misaligned> {
        if candidate.reference.name != versus.reference.name {
            return Err(Misaligned::References {
                name: candidate.candidate.name.to_owned(),
                other: versus.candidate.name.to_owned(),
                got: candidate.reference.name.to_owned(),
                want: versus.reference.name.to_owned(),
            });
        }
        // A pair's own columns were checked when it was made, so its model track stands for all.
        ModelDifference::new(candidate.candidate, versus.candidate)?;
        Ok(Self { candidate, versus })
    }
}

/// Scored tokens of each window.
fn tokens_of(track: &ModelTrack) -> Vec<usize> {
    track.windows.iter().map(|window| window.nll.len()).collect()
}

fn check_aligned(
    name: &str,
    tokens: &[usize],
    other: &str,
    other_tokens: &[usize],
) -> Result<(), Misaligned> {
    let (name, other) = (name.to_owned(), other.to_owned());
    if tokens.len() != other_tokens.len() {
        let (got, want) = (tokens.len(), other_tokens.len());
        return Err(Misaligned::Windows { name, other, got, want });
    }
    match (0..tokens.len()).find(|&idx| tokens[idx] != other_tokens[idx]) {
        None => Ok(()),
        Some(window_idx) => {
            let (got, want) = (tokens[window_idx], other_tokens[window_idx]);
            Err(Misaligned::Tokens { name, other, window_idx, got, want })
        }
    }
}
