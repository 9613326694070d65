//! Fidelity metrics: from per-token results of a text to reported figures.
//! Owns the metric trait and the lists of metrics; never reads, prints or stores anything.
//!
//! A metric is one file and one line in the list of what it is computed from.

pub mod delta_p;
pub mod figure;
pub mod kernel;
pub mod kld;
pub mod ln_ppl_ratio;
pub mod position;
pub mod ppl;
pub mod reverse_kld;
pub mod rows;
pub mod same_top_p;
pub mod token;
pub mod top5_overlap;
pub mod track;
pub mod worst;

pub use figure::Figure;
pub use position::{equal_buckets, octave_buckets, position_rows};
pub use rows::{Ruler, model_difference_rows, model_rows, pair_difference_rows, pair_rows};
pub use track::{Misaligned, ModelDifference, ModelTrack, PairDifference, PairTrack};

use crate::stats::Bootstrap;

/// Figures that are computed together from per-token results of kind `I`.
pub trait Metric<I>: Sync {
    /// The figures in the order they are reported: always the same ones, without a value where it
    /// is undefined.
    fn figures(&self, input: &I, bootstrap: &Bootstrap) -> Vec<Figure>;
}

/// What one model is measured by on its own.
pub const MODEL_METRICS: &[&dyn for<'a> Metric<ModelTrack<'a>>] = &[&ppl::Ppl];

/// What two candidates are compared by without a reference.
pub const MODEL_DIFFERENCE_METRICS: &[&dyn for<'a> Metric<ModelDifference<'a>>] =
    &[&ln_ppl_ratio::LnPplRatio];

/// What a candidate is measured by against a reference.
pub const PAIR_METRICS: &[&dyn for<'a> Metric<PairTrack<'a>>] = &[
    &ln_ppl_ratio::LnPplRatio,
    &kld::Kld,
    &reverse_kld::ReverseKld,
    &same_top_p::SameTopP,
    &top5_overlap::Top5Overlap,
    &delta_p::DeltaP,
];

/// What two candidates are compared by against the same reference.
pub const PAIR_DIFFERENCE_METRICS: &[&dyn for<'a> Metric<PairDifference<'a>>] =
    &[&kld::Kld, &same_top_p::SameTopP];
