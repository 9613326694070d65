//! Log ratio of two models' perplexities on the same tokens.
//! Owns that metric; pairs token by token, so what both find hard cancels.

use super::track::{ModelDifference, ModelTrack, PairTrack};
use super::{Figure, Metric};
use crate::record::Unit;
use crate::stats::{Bootstrap, WindowSums, mean};

/// `ln_ppl_ratio`: ln(PPL of the candidate / PPL of the other), in nats per token.
///
/// The token mean of the difference of negative log likelihoods; above 0 the candidate is the worse
/// predictor. Missing where a token got probability 0 from either.
pub struct LnPplRatio;

impl Metric<PairTrack<'_>> for LnPplRatio {
    fn figures(&self, pair: &PairTrack<'_>, bootstrap: &Bootstrap) -> Vec<Figure> {
        vec![figure(&pair.candidate, &pair.reference, bootstrap)]
    }
}

impl Metric<ModelDifference<'_>> for LnPplRatio {
    fn figures(&self, models: &ModelDifference<'_>, bootstrap: &Bootstrap) -> Vec<Figure> {
        vec![figure(&models.candidate, &models.versus, bootstrap)]
    }
}

fn figure(candidate: &ModelTrack, other: &ModelTrack, bootstrap: &Bootstrap) -> Figure {
    let windows = std::iter::zip(candidate.windows, other.windows);
    let differences = WindowSums::new(windows.map(|(candidate, other)| {
        std::iter::zip(&candidate.nll, &other.nll).map(|(candidate, other)| candidate - other)
    }));
    Figure::new("ln_ppl_ratio", Unit::Nats, mean(&differences, bootstrap))
}
