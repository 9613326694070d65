//! Endpoints of the bias-corrected and accelerated (BCa) bootstrap interval.
//! Owns the correction of percentiles; never draws resamples.

use statrs::distribution::{ContinuousCDF, Normal};

use super::quantiles::quantile_of_sorted;

/// BCa endpoints `(lo, hi)` of a statistic at confidence `level`.
///
/// `sorted`: the statistic on each resample, ascending, at least one, none NaN. `value`: the
/// statistic on the data. `jackknife`: the statistic with each sampling unit left out in turn.
/// Quantiles of `sorted` are interpolated linearly; resamples that tie with `value` count half.
///
/// Where the correction is undefined (all resamples on one side of the value) the plain percentile
/// endpoints are returned, and a jackknife without spread means no acceleration.
///
/// Source: Efron (1987); ties as in `scipy.stats.bootstrap`.
pub fn bca_endpoints(sorted: &[f64], value: f64, jackknife: &[f64], level: f64) -> (f64, f64) {
    let tail = (1.0 - level) / 2.0;
    let bias = bias(sorted, value);
    let acceleration = acceleration(jackknife);
    let end = |probability: f64| {
        quantile_of_sorted(sorted, corrected_probability(probability, bias, acceleration))
    };
    (end(tail), end(1.0 - tail))
}

/// Bias correction z0: the normal quantile of the share of resamples below the value.
///
/// 0 where all of them are on one side: the value is then no centre to correct towards.
fn bias(sorted: &[f64], value: f64) -> f64 {
    let below = sorted.partition_point(|&resampled| resampled < value);
    let not_above = sorted.partition_point(|&resampled| resampled <= value);
    let share = (below + not_above) as f64 / (2 * sorted.len()) as f64;
    if share <= 0.0 || share >= 1.0 { 0.0 } else { Normal::standard().inverse_cdf(share) }
}

/// Acceleration: a sixth of the skewness of the jackknife's influence values.
fn acceleration(jackknife: &[f64]) -> f64 {
    let centre = jackknife.iter().sum::<f64>() / jackknife.len() as f64;
    let (squares, cubes) = jackknife.iter().fold((0.0, 0.0), |(squares, cubes), left_out| {
        let influence = centre - left_out;
        (squares + influence.powi(2), cubes + influence.powi(3))
    });
    if squares > 0.0 { cubes / (6.0 * squares.powf(1.5)) } else { 0.0 }
}

/// The probability whose bootstrap quantile is the endpoint for the nominal `probability`.
fn corrected_probability(probability: f64, bias: f64, acceleration: f64) -> f64 {
    let normal = Normal::standard();
    let shifted = bias + normal.inverse_cdf(probability);
    let stretch = 1.0 - acceleration * shifted;
    if stretch > 0.0 {
        normal.cdf(bias + shifted / stretch)
    } else if shifted > 0.0 {
        // The correction has run to infinity: the endpoint is the end of the distribution.
        1.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0.00, 0.01, ... 1.00.
    fn hundredths() -> Vec<f64> {
        (0..=100).map(|i| f64::from(i) / 100.0).collect()
    }

    #[track_caller]
    fn check(value: f64, jackknife: &[f64], level: f64, want: (f64, f64)) {
        let (lo, hi) = bca_endpoints(&hundredths(), value, jackknife, level);
        let error = (lo - want.0).abs().max((hi - want.1).abs());
        assert!(error < 1e-9, "got {lo} to {hi}, want {want:?}");
    }

    #[test]
    fn without_bias_and_skew_it_is_the_percentile_interval() {
        check(0.5, &[1.0, 2.0, 3.0], 0.9, (0.05, 0.95));
    }

    #[test]
    fn a_jackknife_without_spread_means_no_acceleration() {
        check(0.5, &[2.0, 2.0], 0.9, (0.05, 0.95));
    }

    #[test]
    fn a_value_outside_all_resamples_gets_the_percentile_interval() {
        check(-1.0, &[1.0, 2.0, 3.0], 0.9, (0.05, 0.95));
        check(2.0, &[1.0, 2.0, 3.0], 0.9, (0.05, 0.95));
    }

    #[test]
    fn a_long_right_tail_moves_both_ends_up() {
        // Leaving out the one large unit lowers the mean most.
        let (lo, hi) = bca_endpoints(&hundredths(), 0.5, &[0.9, 1.0, 1.0, 1.0], 0.9);
        assert!(lo > 0.06 && hi > 0.96, "{lo} to {hi}");
    }

    #[test]
    fn runaway_acceleration_ends_at_the_last_resample() {
        // A level so high that the stretch changes its sign.
        let jackknife: Vec<f64> = (0..100).map(|i| if i == 0 { 0.0 } else { 1.0 }).collect();
        let (lo, hi) = bca_endpoints(&hundredths(), 0.5, &jackknife, 1.0 - 1e-12);
        assert!(hi >= 1.0 && lo < 0.5, "{lo} to {hi}");
    }
}
