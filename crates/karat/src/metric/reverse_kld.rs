//! Mean reverse KL divergence of a candidate from its reference.
//! Owns that figure; the divergence of one token is made elsewhere.

use super::track::PairTrack;
use super::{Figure, Metric};
use crate::record::Unit;
use crate::stats::{Bootstrap, WindowSums, mean};

/// `reverse_kld_mean`: token mean of KL(candidate ‖ reference), in nats.
///
/// Large where the candidate puts probability on what the reference rules out. Missing where a
/// token's divergence is infinite.
/// Source: Kullback & Leibler (1951).
pub struct ReverseKld;

impl Metric<PairTrack<'_>> for ReverseKld {
    fn figures(&self, pair: &PairTrack<'_>, bootstrap: &Bootstrap) -> Vec<Figure> {
        let windows = pair.windows.iter();
        let sums = WindowSums::new(
            windows.map(|window| window.reverse_kld().iter().copied().map(f64::from)),
        );
        let mean = mean(&sums, bootstrap).map(|mean| mean.within(0.0, f64::INFINITY));
        vec![Figure::new("reverse_kld_mean", Unit::Nats, mean)]
    }
}
