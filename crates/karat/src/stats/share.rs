//! What share of a paired difference a part of it is. Owns Fieller's interval; never resamples.

use super::block_mean::BlockMean;
use super::interval::{Interval, Summary};
use super::student::t_quantile;

/// The share `mean(part) / mean(whole)` of values paired by block; `None` without blocks, where
/// lengths differ, or where the whole is zero.
///
/// A share may lie outside 0 to 1: parts can pull in opposite directions. Its interval is Fieller's:
/// all shares ρ for which a t test finds no mean in `part - ρ whole`, with n - 1 degrees of freedom;
/// exact where blocks are normal. It is missing where the whole itself cannot be told from zero at
/// this level, for then no share can be excluded.
///
/// Source: Fieller (1954).
pub fn share(part: &[f64], whole: &[f64], level: f64) -> Option<Summary> {
    if part.len() != whole.len() {
        return None;
    }
    let (upper, lower) = (BlockMean::of(part)?, BlockMean::of(whole)?);
    let value = upper.mean / lower.mean;
    value.is_finite().then(|| Summary { value, interval: fieller(part, whole, level) })
}

/// Ends of {ρ : a ρ² - 2 b ρ + c <= 0} with a = W² - t² s_ww/n, b = P W - t² s_pw/n,
/// c = P² - t² s_pp/n, where P and W are the means.
fn fieller(part: &[f64], whole: &[f64], level: f64) -> Option<Interval> {
    let n = part.len() as f64;
    let (upper, lower) = (BlockMean::of(part)?, BlockMean::of(whole)?);
    let (part_sd, whole_sd) = (upper.sd?, lower.sd?);
    let products: f64 =
        part.iter().zip(whole).map(|(p, w)| (p - upper.mean) * (w - lower.mean)).sum();
    let covariance = products / (n - 1.0);
    let scale = t_quantile(0.5 + level / 2.0, part.len())?.powi(2) / n;
    let a = lower.mean.powi(2) - scale * whole_sd.powi(2);
    let b = upper.mean * lower.mean - scale * covariance;
    let c = upper.mean.powi(2) - scale * part_sd.powi(2);
    if a <= 0.0 {
        return None;
    }
    // Never negative beyond rounding where a > 0: the share itself satisfies the inequality.
    let root = (b * b - a * c).max(0.0).sqrt();
    Some(Interval { lo: (b - root) / a, hi: (b + root) / a, level })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_is_all_of_itself() {
        let blocks = [0.2, 0.25, 0.22, 0.27];
        let share = share(&blocks, &blocks, 0.95).unwrap();
        let interval = share.interval.unwrap();
        assert!((share.value - 1.0).abs() < 1e-12);
        // A root of a rounding error: the interval is a point up to 10⁻⁷.
        assert!(interval.lo > 1.0 - 1e-6 && interval.hi < 1.0 + 1e-6, "{interval:?}");
    }

    #[test]
    fn shares_of_two_parts_add_up() {
        let (one, other) = ([0.2, 0.25, 0.22], [0.1, 0.12, 0.05]);
        let whole: Vec<f64> = one.iter().zip(&other).map(|(a, b)| a + b).collect();
        let value = |part: &[f64]| share(part, &whole, 0.95).unwrap().value;
        assert!((value(&one) + value(&other) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_single_block_gives_a_share_without_interval() {
        assert_eq!(share(&[1.0], &[2.0], 0.95), Some(Summary { value: 0.5, interval: None }));
    }

    #[test]
    fn a_whole_that_may_be_zero_bounds_no_share() {
        let share = share(&[0.1, 0.1, 0.1], &[1.0, -0.9, 0.2], 0.95).unwrap();
        assert_eq!(share.interval, None);
    }

    #[test]
    fn nothing_has_no_share() {
        assert_eq!(share(&[], &[], 0.95), None);
        assert_eq!(share(&[1.0], &[1.0, 2.0], 0.95), None);
        assert_eq!(share(&[1.0, 2.0], &[0.0, 0.0], 0.95), None);
    }
}
