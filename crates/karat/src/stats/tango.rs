//! The interval of a paired difference of pass rates, and the test against a margin.
//! Owns Tango's score method; never tests against zero (that is McNemar's).
//!
//! Why this one: it is the score test turned round, so the difference it excludes are those that the
//! asymptotic McNemar test of that difference rejects, and at zero it is that test. It does not
//! collapse where no task is discordant (as Wald's and every bootstrap do: six equal answers would then
//! prove two builds equal to the last digit), stays within -1 and 1, and its coverage stays near the
//! nominal level from a dozen pairs on, where Newcombe's square-and-add interval, made of two Wilson
//! intervals, belongs to no test and can disagree with one. With fewer than about six discordant tasks
//! it can exclude zero where the mid-p test does not: a claim of a difference rests on the test.

use statrs::distribution::{ContinuousCDF, Normal};

use super::interval::Interval;
use super::paired::PairedCounts;

/// Halvings of an interval's end; each end is found to the last digits of a double.
const HALVINGS: u32 = 60;

/// Tango's score interval for the pass rate of the first model less that of the second; `None` without
/// pairs.
///
/// All differences Δ for which |[`score`]| is at most the normal quantile.
///
/// Source: Tango (1998).
pub fn tango_interval(counts: &PairedCounts, level: f64) -> Option<Interval> {
    let value = counts.difference()?;
    let z = Normal::standard().inverse_cdf(0.5 + level / 2.0);
    // The score falls as Δ rises, and is 0 at the value itself.
    let end = |limit: f64| {
        let (mut inside, mut outside) = (value, limit);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(inside, outside);
            if score(counts, middle).abs() <= z {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        inside
    };
    Some(Interval { lo: end(-1.0), hi: end(1.0), level })
}

/// Score statistic of the hypothesis that the difference is `delta`, standard normal where it is and
/// positive where the difference is larger; 0 without pairs.
///
/// (b - c - nΔ) / √(n (2q + Δ - Δ²)) with b and c the discordant counts and q the likeliest
/// probability, given Δ, of a task that the second model alone passes: the root of
/// 2n q² - (b + c - (2n - b + c) Δ) q - cΔ(1 - Δ) = 0 that is a probability.
///
/// Source: Tango (1998), equations 10 to 12.
pub fn score(counts: &PairedCounts, delta: f64) -> f64 {
    let n = counts.n() as f64;
    let (first, second) = (counts.first_only as f64, counts.second_only as f64);
    let top = first - second - n * delta;
    if top == 0.0 {
        return 0.0;
    }
    let half = 2.0 * n;
    let linear = -first - second + (half - first + second) * delta;
    let constant = -second * delta * (1.0 - delta);
    let root = (linear * linear - 4.0 * half * constant).max(0.0).sqrt();
    let q = (root - linear) / (2.0 * half);
    let variance = n * (2.0 * q + delta - delta * delta);
    if variance > 0.0 { top / variance.sqrt() } else { top.signum() * f64::INFINITY }
}

/// One-sided p value of the hypothesis that the first model is worse by `margin` or more (a difference
/// of pass rates, positive); 1 without pairs. Where it is small, the first model is not worse.
///
/// Source: Tango (1998); the margin is the caller's, and has to be declared before the data are seen.
pub fn non_inferiority_p(counts: &PairedCounts, margin: f64) -> f64 {
    if counts.n() == 0 {
        return 1.0;
    }
    Normal::standard().sf(score(counts, -margin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_zero_it_is_mcnemars_statistic() {
        let counts = PairedCounts { both: 5, first_only: 9, second_only: 2, neither: 4 };
        assert!((score(&counts, 0.0) - 7.0 / 11.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn equal_answers_prove_little() {
        let six = PairedCounts { both: 4, neither: 2, ..PairedCounts::default() };
        let interval = tango_interval(&six, 0.95).unwrap();
        // z² / (n + z²): what Wilson's interval leaves for a rate of which none was seen.
        let end = 3.841_458_820_694_124 / 9.841_458_820_694_124;
        assert!((interval.hi - end).abs() < 1e-9 && (interval.lo + end).abs() < 1e-9);
        assert!(non_inferiority_p(&six, 0.05) > 0.2);
    }

    #[test]
    fn all_for_one_reaches_to_the_end() {
        let all = PairedCounts { first_only: 8, ..PairedCounts::default() };
        let interval = tango_interval(&all, 0.95).unwrap();
        assert!((interval.hi - 1.0).abs() < 1e-12 && interval.lo > 0.3, "{interval:?}");
    }

    #[test]
    fn nothing_has_no_interval() {
        assert_eq!(tango_interval(&PairedCounts::default(), 0.95), None);
        assert!((non_inferiority_p(&PairedCounts::default(), 0.1) - 1.0).abs() < 1e-15);
    }
}
