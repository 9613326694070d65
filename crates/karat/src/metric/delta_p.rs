//! Change of the probability of the token that really follows, candidate minus reference.
//! Owns its mean and root mean square; the change at one token is made elsewhere.

use super::track::PairTrack;
use super::{Figure, Metric};
use crate::record::Unit;
use crate::stats::{Bootstrap, WindowSums, mean};

/// `delta_p_mean`: token mean of the change, below 0 where the candidate got worse; -1 to 1.
/// `delta_p_rms`: root of the token mean of its square, 0 to 1; its interval is that of the mean
/// square, mapped through the root.
///
/// Source: "delta p" of llama-perplexity, as a fraction instead of percent.
pub struct DeltaP;

impl Metric<PairTrack<'_>> for DeltaP {
    fn figures(&self, pair: &PairTrack<'_>, bootstrap: &Bootstrap) -> Vec<Figure> {
        let changes =
            || pair.windows.iter().map(|window| window.delta_p().iter().copied().map(f64::from));
        let change =
            mean(&WindowSums::new(changes()), bootstrap).map(|change| change.within(-1.0, 1.0));
        let squares = WindowSums::new(changes().map(|window| window.map(|change| change.powi(2))));
        let rms = mean(&squares, bootstrap).map(|square| square.within(0.0, 1.0).map(f64::sqrt));
        vec![
            Figure::new("delta_p_mean", Unit::Fraction, change),
            Figure::new("delta_p_rms", Unit::Fraction, rms),
        ]
    }
}
