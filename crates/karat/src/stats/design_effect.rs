//! The design effect: how much wider windows make the error of a mean than single tokens would.
//! Owns the ratio; never makes an interval.

use super::clustered::Clustered;
use super::student::linearised_standard_error;

/// Variance of the token mean with windows as the unit, over its variance were tokens independent.
///
/// 1 means that tokens of one window are as good as independent; d means that it takes d times as
/// many tokens as independence would. `None` below two windows and where all tokens have the same
/// value or one is not finite.
///
/// Source: Kish, Survey Sampling (1965).
pub fn design_effect(clustered: &Clustered) -> Option<f64> {
    let sums = clustered.sums();
    let mean = sums.mean()?;
    let clustered_error = linearised_standard_error(&sums)?;
    if sums.is_constant() {
        return None;
    }
    let n = clustered.n_tokens() as f64;
    let squares: f64 = clustered.tokens().map(|value| (value - mean).powi(2)).sum();
    let independent_variance = squares / (n - 1.0) / n;
    (independent_variance > 0.0).then(|| clustered_error.powi(2) / independent_variance)
}
