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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(windows: &[&[f64]], want: Option<f64>) {
        let got = design_effect(&Clustered::new(windows.iter().copied()));
        match (got, want) {
            (Some(got), Some(want)) => assert!((got - want).abs() < 1e-12, "{got}, want {want}"),
            _ => assert_eq!(got, want),
        }
    }

    #[test]
    fn windows_of_one_token_have_no_effect() {
        check(&[&[1.0], &[5.0], &[2.0], &[9.0]], Some(1.0));
    }

    #[test]
    fn repeated_tokens_count_once() {
        // Four copies of each value: 8 tokens carry what 2 do. Windows: variance 1 of means -1 and
        // 1 is 2 / 2; tokens: 8 / 7 / 8.
        check(&[&[1.0; 4], &[-1.0; 4]], Some(7.0));
    }

    #[test]
    fn windows_that_balance_have_effect_zero() {
        check(&[&[1.0, -1.0], &[2.0, -2.0]], Some(0.0));
    }

    #[test]
    fn it_is_undefined_without_spread_or_windows() {
        check(&[], None);
        check(&[&[1.0, 2.0]], None);
        check(&[&[3.0, 3.0], &[3.0]], None);
        check(&[&[3.0, 1.0], &[f64::INFINITY]], None);
    }
}
