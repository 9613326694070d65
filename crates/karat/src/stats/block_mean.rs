//! The mean of values that come one per block, e.g. paired log ratios of rates: its t interval, its
//! test against zero, and how many blocks it would take. Owns the closed forms; never resamples.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::interval::{Interval, Summary};
use super::student::t_quantile;

/// Beyond this many blocks nobody will measure.
const MOST_BLOCKS: u64 = 100_000;

/// Mean and spread of one value per block. Blocks are independent: each is a process of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockMean {
    /// Mean over blocks.
    pub mean: f64,
    /// Standard deviation over blocks, with n - 1; missing for a single block.
    pub sd: Option<f64>,
    /// Blocks.
    pub n: usize,
}

impl BlockMean {
    /// Mean and standard deviation; `None` without values or where one is not finite.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        if n == 0 || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = (n > 1).then(|| (squares / (n - 1) as f64).sqrt());
        Some(Self { mean, sd, n })
    }

    /// Standard error of the mean.
    pub fn standard_error(&self) -> Option<f64> {
        self.sd.map(|sd| sd / (self.n as f64).sqrt())
    }

    /// Student's t interval with n - 1 degrees of freedom; `None` for a single block.
    ///
    /// Where blocks come in pairs of mirrored order, a steady drift makes the values of a pair
    /// deviate in opposite directions; the interval is then wider than it had to be, never narrower.
    ///
    /// Source: Student (1908); on log ratios of times, Kalibera & Jones (2013).
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let half_width = t_quantile(0.5 + level / 2.0, self.n)? * self.standard_error()?;
        Some(Interval { lo: self.mean - half_width, hi: self.mean + half_width, level })
    }

    /// Value and interval together.
    pub fn summary(&self, level: f64) -> Summary {
        Summary { value: self.mean, interval: self.interval(level) }
    }

    /// Two-sided p value of the t test that the true mean is zero; `None` for a single block.
    ///
    /// Blocks without any spread give 1 where the mean is zero, else 0.
    pub fn p_value(&self) -> Option<f64> {
        let error = self.standard_error()?;
        if error == 0.0 {
            return Some(if self.mean == 0.0 { 1.0 } else { 0.0 });
        }
        let freedom = (self.n - 1) as f64;
        let tail = StudentsT::new(0.0, 1.0, freedom).ok()?.sf((self.mean / error).abs());
        Some(2.0 * tail)
    }

    /// Blocks after which a t test at `alpha` would find a true mean as large as this one with
    /// probability `power`, were the spread what it is here; `None` where that is more than 100,000,
    /// or nothing can be said.
    ///
    /// The smallest n with n >= (t(1 - alpha/2) + t(power))² sd² / mean², quantiles with n - 1
    /// degrees of freedom: within one block of the noncentral t distribution's answer from 5 on.
    ///
    /// Source: Cohen (1988), section 2.4.
    pub fn blocks_needed(&self, alpha: f64, power: f64) -> Option<u64> {
        let effect = (self.mean / self.sd?).abs();
        if effect == 0.0 || effect.is_nan() {
            return None;
        }
        let is_enough = |n: u64| {
            let quantile = |probability| t_quantile(probability, n as usize);
            let Some((two_sided, power)) = quantile(1.0 - alpha / 2.0).zip(quantile(power)) else {
                return false;
            };
            n as f64 >= ((two_sided + power) / effect).powi(2)
        };
        // What is needed falls with n and n grows, so the first that is enough can be bisected.
        let (mut short, mut enough) = (1, 2);
        while !is_enough(enough) {
            if enough > MOST_BLOCKS {
                return None;
            }
            (short, enough) = (enough, 2 * enough);
        }
        while enough - short > 1 {
            let middle = short + (enough - short) / 2;
            if is_enough(middle) {
                enough = middle;
            } else {
                short = middle;
            }
        }
        (enough <= MOST_BLOCKS).then_some(enough)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_what_is_not_finite_have_no_mean() {
        assert_eq!(BlockMean::of(&[]), None);
        assert_eq!(BlockMean::of(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn one_block_has_a_value_and_no_more() {
        let one = BlockMean::of(&[0.3]).unwrap();
        assert_eq!(one.summary(0.95), Summary { value: 0.3, interval: None });
        assert_eq!((one.p_value(), one.blocks_needed(0.05, 0.8)), (None, None));
    }

    #[test]
    fn blocks_without_spread_are_certain() {
        let same = |value| BlockMean::of(&[value; 8]).unwrap();
        assert_eq!(same(0.5).p_value(), Some(0.0));
        assert_eq!(same(0.0).p_value(), Some(1.0));
        assert_eq!(same(0.0).blocks_needed(0.05, 0.8), None);
    }

    #[test]
    fn the_blocks_needed_are_just_enough() {
        // A mean of 0.01 with a standard deviation of 0.02: half a standard deviation.
        let blocks: Vec<f64> =
            (0..8).map(|i| 0.01 + if i % 2 == 0 { 0.02 } else { -0.02 }).collect();
        let mean = BlockMean::of(&blocks).unwrap();
        let n = mean.blocks_needed(0.05, 0.8).unwrap();
        let needed = |n: u64| {
            let t = t_quantile(0.975, n as usize).unwrap() + t_quantile(0.8, n as usize).unwrap();
            (t * mean.sd.unwrap() / mean.mean).powi(2)
        };
        assert!(n as f64 >= needed(n) && ((n - 1) as f64) < needed(n - 1), "{n}");
    }

    #[test]
    fn a_difference_too_small_to_find_has_no_number_of_blocks() {
        let tiny = BlockMean { mean: 1e-6, sd: Some(1.0), n: 8 };
        assert_eq!(tiny.blocks_needed(0.05, 0.8), None);
    }
}
