//! The interval of one rate: passes among tasks.
//! Owns Wilson's score interval; knows nothing of pairs or clusters.

use statrs::distribution::{ContinuousCDF, Normal};

use super::interval::{Interval, Summary};

/// The rate `hits / n` with Wilson's score interval; `None` without trials or with more hits than trials.
///
/// Stays between 0 and 1 and has a width where none or all were hit, as with a few tasks they often
/// are. It takes tasks for independent: where they come in families, it is an interval for these
/// families and says nothing of others.
///
/// Source: Wilson (1927); Brown, Cai & DasGupta (2001) for the choice.
pub fn wilson(hits: u64, n: u64, level: f64) -> Option<Summary> {
    if n == 0 || hits > n {
        return None;
    }
    let z = Normal::standard().inverse_cdf(0.5 + level / 2.0);
    let (trials, rate) = (n as f64, hits as f64 / n as f64);
    let shrink = 1.0 + z * z / trials;
    let centre = (rate + z * z / (2.0 * trials)) / shrink;
    let half_width =
        z / shrink * (rate * (1.0 - rate) / trials + z * z / (4.0 * trials * trials)).sqrt();
    let interval = Interval { lo: centre - half_width, hi: centre + half_width, level };
    Some(Summary { value: rate, interval: Some(interval) }.within(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_few_are_not_certain_of_the_next() {
        let summary = wilson(6, 6, 0.95).unwrap();
        let interval = summary.interval.unwrap();
        assert!(interval.lo < 0.62 && (interval.hi - 1.0).abs() < 1e-12, "{interval:?}");
    }

    #[test]
    fn what_is_no_rate_has_none() {
        assert_eq!(wilson(0, 0, 0.95), None);
        assert_eq!(wilson(3, 2, 0.95), None);
    }
}
