//! KL divergence of a candidate from its reference: mean, quantiles, maximum, design effect.
//! Owns these figures and the paired difference of means; the divergence of one token is made
//! elsewhere.

use super::token::PairScores;
use super::track::{PairDifference, PairTrack};
use super::{Figure, Metric};
use crate::record::Unit;
use crate::stats::{Bootstrap, Clustered, WindowSums, design_effect, mean, quantiles};

/// Reported quantiles of the tokens' divergences.
const QUANTILES: [(&str, f64); 5] = [
    ("kld_median", 0.5),
    ("kld_p90", 0.9),
    ("kld_p95", 0.95),
    ("kld_p99", 0.99),
    ("kld_p99_9", 0.999),
];

/// `kld_mean`, `kld_median` to `kld_p99_9`, `kld_max` and `kld_design_effect` of KL(reference ‖
/// candidate), in nats per token; of two candidates `kld_mean_diff`.
///
/// A token to which the candidate gives no probability where the reference does has infinite
/// divergence. Mean and maximum are then missing, and so is every quantile that reaches such
/// tokens; the quantiles below them stand, because they do not depend on how far out the rest is.
/// The maximum has no interval: what was not seen does not bound it. Divergences of rows that agree
/// but for rounding can be a hair below 0, and are averaged as they are.
///
/// Source: Kullback & Leibler (1951).
pub struct Kld;

impl Metric<PairTrack<'_>> for Kld {
    fn figures(&self, pair: &PairTrack<'_>, bootstrap: &Bootstrap) -> Vec<Figure> {
        let kld = Clustered::new(pair.windows.iter().map(PairScores::kld));
        let mean = mean(&kld.sums(), bootstrap).map(|mean| mean.within(0.0, f64::INFINITY));
        let max = kld.max().filter(|max| max.is_finite());
        let probabilities = QUANTILES.map(|(_, probability)| probability);
        let quantiles = quantiles(&kld, &probabilities, bootstrap);

        let mut figures = vec![Figure::new("kld_mean", Unit::Nats, mean)];
        figures.extend(
            std::iter::zip(QUANTILES, quantiles)
                .map(|((name, _), quantile)| Figure::new(name, Unit::Nats, quantile)),
        );
        figures.push(Figure::bare("kld_max", Unit::Nats, max));
        figures.push(Figure::bare("kld_design_effect", Unit::Ratio, design_effect(&kld)));
        figures
    }
}

impl Metric<PairDifference<'_>> for Kld {
    fn figures(&self, pairs: &PairDifference<'_>, bootstrap: &Bootstrap) -> Vec<Figure> {
        let windows = std::iter::zip(pairs.candidate.windows, pairs.versus.windows);
        let differences = WindowSums::new(windows.map(|(candidate, versus)| {
            std::iter::zip(candidate.kld(), versus.kld())
                .map(|(candidate, versus)| candidate - versus)
        }));
        vec![Figure::new("kld_mean_diff", Unit::Nats, mean(&differences, bootstrap))]
    }
}
