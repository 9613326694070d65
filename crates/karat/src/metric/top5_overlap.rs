//! Mean overlap of the five most likely tokens of candidate and reference.
//! Owns that figure; never looks at probabilities.

use super::kernel::TOP;
use super::track::PairTrack;
use super::{Figure, Metric};
use crate::record::Unit;
use crate::stats::{Bootstrap, WindowSums, mean};

/// `top5_overlap`: share of the reference's five most likely tokens that are among the candidate's
/// five, averaged over tokens; 0 to 1. Order among the five does not matter. As a share it has no interval
/// where windows are alike.
pub struct Top5Overlap;

impl Metric<PairTrack<'_>> for Top5Overlap {
    fn figures(&self, pair: &PairTrack<'_>, bootstrap: &Bootstrap) -> Vec<Figure> {
        let windows = pair.windows.iter();
        // Summed as whole numbers and divided once, so that sums are exact and ties stay ties.
        let shared = WindowSums::new(
            windows.map(|window| window.top5_overlap().iter().copied().map(f64::from)),
        );
        let overlap = mean(&shared, bootstrap)
            .map(|shared| shared.map(|count| count / TOP as f64).within(0.0, 1.0).with_width());
        vec![Figure::new("top5_overlap", Unit::Fraction, overlap)]
    }
}
