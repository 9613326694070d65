//! Perplexity of one model on one text.
//! Owns that metric; needs no reference.

use super::track::ModelTrack;
use super::{Figure, Metric};
use crate::record::Unit;
use crate::stats::{Bootstrap, WindowSums, mean};

/// `ppl`: exp of the token mean of the negative log likelihood.
///
/// Interval: that of the mean, mapped through exp. Missing where a token got probability 0.
/// Source: Jelinek et al. (1977).
pub struct Ppl;

impl Metric<ModelTrack<'_>> for Ppl {
    fn figures(&self, track: &ModelTrack<'_>, bootstrap: &Bootstrap) -> Vec<Figure> {
        let nll = WindowSums::new(track.windows.iter().map(|window| window.nll.iter().copied()));
        let ppl = mean(&nll, bootstrap).map(|nll| nll.map(f64::exp));
        vec![Figure::new("ppl", Unit::Perplexity, ppl)]
    }
}
