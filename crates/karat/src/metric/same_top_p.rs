//! Share of tokens where candidate and reference have the same most likely token.
//! Owns that figure and its paired difference; never looks at probabilities.

use super::track::{PairDifference, PairTrack};
use super::{Figure, Metric};
use crate::record::Unit;
use crate::stats::{Bootstrap, WindowSums, mean};

/// `same_top_p`: share of tokens, 0 to 1; of two candidates `same_top_p_diff`, -1 to 1, above 0
/// where the candidate agrees more often.
///
/// A token agrees or not, so that all tokens seen may well agree (or two candidates agree at the same
/// ones) where others would not: then there is no interval.
///
/// Source: "same top p" of llama-perplexity.
pub struct SameTopP;

impl Metric<PairTrack<'_>> for SameTopP {
    fn figures(&self, pair: &PairTrack<'_>, bootstrap: &Bootstrap) -> Vec<Figure> {
        let windows = pair.windows.iter();
        let same =
            WindowSums::new(windows.map(|window| window.same_top().iter().copied().map(f64::from)));
        let share = mean(&same, bootstrap).map(|share| share.within(0.0, 1.0).with_width());
        vec![Figure::new("same_top_p", Unit::Fraction, share)]
    }
}

impl Metric<PairDifference<'_>> for SameTopP {
    fn figures(&self, pairs: &PairDifference<'_>, bootstrap: &Bootstrap) -> Vec<Figure> {
        let windows = std::iter::zip(pairs.candidate.windows, pairs.versus.windows);
        let differences = WindowSums::new(windows.map(|(candidate, versus)| {
            std::iter::zip(candidate.same_top(), versus.same_top())
                .map(|(&candidate, &versus)| f64::from(candidate) - f64::from(versus))
        }));
        let difference =
            mean(&differences, bootstrap).map(|share| share.within(-1.0, 1.0).with_width());
        vec![Figure::new("same_top_p_diff", Unit::Fraction, difference)]
    }
}
