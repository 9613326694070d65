//! What a stored interval says about one hypothesis: its standard error and p value, read back.
//! Owns the normal and the t reading of an interval's end; makes no interval.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::interval::Interval;
use super::student::t_quantile;

/// Standard error on the side of an interval that faces `at`: the distance from the value to that end,
/// over the normal quantile of its level. Infinite where the interval has no width there.
///
/// Intervals that are not symmetric have a standard error for each side.
pub fn facing_error(value: f64, interval: Interval, at: f64) -> f64 {
    let z = Normal::standard().inverse_cdf(0.5 + interval.level / 2.0);
    let end = if at < value { value - interval.lo } else { interval.hi - value };
    end / z
}

/// Two-sided p value of the hypothesis that the true value is `at`: below 1 - level exactly where the
/// interval excludes it; 1 where value and `at` are the same.
pub fn p_from_interval(value: f64, interval: Interval, at: f64) -> f64 {
    let distance = (value - at).abs();
    if distance == 0.0 {
        return 1.0;
    }
    2.0 * Normal::standard().sf(distance / facing_error(value, interval, at))
}

/// One-sided p value of the hypothesis that the true value is `at` or below.
pub fn p_above(value: f64, interval: Interval, at: f64) -> f64 {
    let half = p_from_interval(value, interval, at) / 2.0;
    if value > at { half } else { 1.0 - half }
}

/// Two-sided p value of the hypothesis that the true value is 0, from Student's t interval of a mean
/// over `n` units; `None` below two of them.
pub fn p_from_t_interval(value: f64, interval: Interval, n: usize) -> Option<f64> {
    let quantile = t_quantile(0.5 + interval.level / 2.0, n)?;
    let error = (interval.hi - interval.lo) / (2.0 * quantile);
    let t = StudentsT::new(0.0, 1.0, (n - 1) as f64).ok()?;
    Some(if value == 0.0 { 1.0 } else { 2.0 * t.sf(value.abs() / error) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::BlockMean;

    const SKEWED: Interval = Interval { lo: -0.1, hi: 2.0, level: 0.95 };

    #[test]
    fn an_end_of_the_interval_is_just_at_its_level() {
        for at in [SKEWED.lo, SKEWED.hi] {
            assert!((p_from_interval(0.5, SKEWED, at) - 0.05).abs() < 1e-9);
        }
        assert!(p_from_interval(0.5, SKEWED, 0.0) > 0.05);
        assert!(p_from_interval(0.5, SKEWED, -0.2) < 0.05);
    }

    #[test]
    fn one_side_is_half_of_two() {
        assert!((p_above(0.5, SKEWED, -0.1) - 0.025).abs() < 1e-9);
        assert!((p_above(0.5, SKEWED, 2.0) - 0.975).abs() < 1e-9);
        assert!((p_above(0.5, SKEWED, 0.5) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_t_interval_gives_back_the_p_value_of_its_test() {
        let mean = BlockMean::of(&[0.02, -0.01, 0.04, 0.03, 0.01]).unwrap();
        let interval = mean.interval(0.9).unwrap();
        let p = p_from_t_interval(mean.mean, interval, mean.n).unwrap();
        assert!((p - mean.p_value().unwrap()).abs() < 1e-9, "{p}");
        assert_eq!(p_from_t_interval(0.0, interval, mean.n), Some(1.0));
        assert_eq!(p_from_t_interval(mean.mean, interval, 1), None);
    }

    #[test]
    fn a_point_excludes_all_but_itself() {
        let point = Interval { lo: 0.3, hi: 0.3, level: 0.95 };
        assert!(p_from_interval(0.3, point, 0.0) < 1e-12);
        assert!((p_from_interval(0.3, point, 0.3) - 1.0).abs() < 1e-12);
    }
}
