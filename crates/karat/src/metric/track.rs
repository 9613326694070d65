//! What metrics are computed from: the per-token results of one text, window by window.
//! Owns the check that results to be paired are of the same tokens; never computes a figure.

use thiserror::Error;

use super::token::{ModelScores, PairScores};
use crate::units::count;

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
    #[error(
        "`{name}` has {}, `{other}` has {want}: pair only windows scored by both",
        count(*got as u64, "window")
    )]
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
    #[error(
        "`{name}` has {} in window {window_idx}, `{other}` has {want}",
        count(*got as u64, "token")
    )]
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
        let compared: Vec<usize> = windows.iter().map(PairScores::len).collect();
        check_aligned(candidate.name, &compared, reference.name, &tokens)?;
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
    track.windows.iter().map(ModelScores::len).collect()
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

#[cfg(test)]
pub(super) mod tests {
    use super::super::kernel::{NO_TOKEN, PairStats, RowStats, TOP};
    use super::*;

    /// Scores of one window from (KLD, reverse KLD, delta-p, top-5 overlap, same top) per token.
    pub fn pair_scores(tokens: &[(f64, f64, f64, u8, bool)]) -> PairScores {
        let candidate =
            RowStats { max: 0.0, lse_offset: 0.0, top: [NO_TOKEN; TOP], nll: 0.0, p_target: 1.0 };
        let mut scores = PairScores::default();
        for &(kld, reverse_kld, delta_p, top5_overlap, same_top) in tokens {
            let stats = PairStats { candidate, kld, reverse_kld, delta_p, top5_overlap, same_top };
            scores.push(&stats);
        }
        scores
    }

    fn models(lengths: &[usize]) -> Vec<ModelScores> {
        lengths.iter().map(|&n| ModelScores { nll: vec![1.0; n] }).collect()
    }

    fn pairs(lengths: &[usize]) -> Vec<PairScores> {
        lengths.iter().map(|&n| pair_scores(&vec![(0.0, 0.0, 0.0, 5, true); n])).collect()
    }

    /// What is wrong with a candidate of these window lengths against a reference of 3 and 2.
    #[track_caller]
    fn check(candidate: &[usize], scores: &[PairScores], message: Option<&str>) {
        let (candidate, reference) = (models(candidate), models(&[3, 2]));
        let candidate = ModelTrack { name: "q4_0", windows: &candidate };
        let reference = ModelTrack { name: "bf16", windows: &reference };
        let error = PairTrack::new(candidate, reference, scores).err();
        assert_eq!(error.map(|error| error.to_string()).as_deref(), message);
    }

    #[test]
    fn same_windows_and_tokens_pair() {
        check(&[3, 2], &pairs(&[3, 2]), None);
    }

    #[test]
    fn a_missing_window_does_not_pair() {
        let message = "`q4_0` has 1 window, `bf16` has 2: pair only windows scored by both";
        check(&[3], &pairs(&[3, 2]), Some(message));
        check(&[3, 2], &pairs(&[3]), Some(message));
    }

    #[test]
    fn windows_of_other_lengths_do_not_pair() {
        let message = "`q4_0` has 1 token in window 1, `bf16` has 2";
        check(&[3, 1], &pairs(&[3, 2]), Some(message));
        check(&[3, 2], &pairs(&[3, 1]), Some(message));
    }

    #[test]
    fn distances_from_different_references_do_not_pair() {
        let (nll, scores) = (models(&[3, 2]), pairs(&[3, 2]));
        let against = |reference| {
            let candidate = ModelTrack { name: "q4_0", windows: &nll };
            let reference = ModelTrack { name: reference, windows: &nll };
            PairTrack::new(candidate, reference, &scores).unwrap()
        };
        let error = PairDifference::new(against("bf16"), against("q8_0")).unwrap_err();
        let message = "`q4_0` was measured against `bf16`, `q4_0` against `q8_0`";
        assert_eq!(error.to_string(), message);
        assert!(PairDifference::new(against("bf16"), against("bf16")).is_ok());
    }
}
