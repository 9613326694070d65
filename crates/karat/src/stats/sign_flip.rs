//! Whether paired differences lean to one side: the sign-flip permutation test.
//! Owns the flips, all of them or random ones; makes no interval.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Up to so many differences that are not zero, every way to flip them is tried.
const MOST_ENUMERATED: usize = 16;
/// Random flips beyond that.
const RANDOM_FLIPS: u32 = 99_999;

/// A p value and how it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignFlip {
    /// Two-sided.
    pub p_value: f64,
    /// All flips were tried; otherwise random ones were, with the seed given.
    pub exact: bool,
}

/// Two-sided test that paired differences are as likely to be d as -d: the share of flips of their
/// signs whose sum is as far from 0 as the one seen. `None` without differences, or where one is not
/// finite.
///
/// The unit that is flipped is what the caller passes: differences of tasks, or sums over families
/// where tasks of one family go together. Differences of zero change nothing and count for nothing.
/// With up to 16 others all flips are tried; beyond that 99,999 random ones, and p is (b + 1)/(m + 1)
/// for b of m flips as far out, so that it is never 0 and the test keeps its level.
///
/// Source: Fisher (1935); Phipson & Smyth (2010) for (b + 1)/(m + 1).
pub fn sign_flip(differences: &[f64], seed: u64) -> Option<SignFlip> {
    if differences.is_empty() || differences.iter().any(|difference| !difference.is_finite()) {
        return None;
    }
    let sizes: Vec<f64> =
        differences.iter().map(|difference| difference.abs()).filter(|size| *size > 0.0).collect();
    let seen = differences.iter().sum::<f64>().abs();
    // Sums that are equal on paper differ by rounding, depending on the order.
    let as_far = seen - 1e-9 * sizes.iter().sum::<f64>();
    if sizes.len() <= MOST_ENUMERATED {
        return Some(SignFlip { p_value: enumerated(&sizes, as_far), exact: true });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let beyond = (0..RANDOM_FLIPS).filter(|_| random_sum(&sizes, &mut rng).abs() >= as_far).count();
    let p_value = (beyond as f64 + 1.0) / (f64::from(RANDOM_FLIPS) + 1.0);
    Some(SignFlip { p_value, exact: false })
}

fn enumerated(sizes: &[f64], as_far: f64) -> f64 {
    let flips = 1_u32 << sizes.len();
    let sum = |flip: u32| -> f64 {
        sizes
            .iter()
            .enumerate()
            .map(|(i, size)| if flip >> i & 1 == 1 { -size } else { *size })
            .sum()
    };
    let beyond = (0..flips).filter(|&flip| sum(flip).abs() >= as_far).count();
    beyond as f64 / f64::from(flips)
}

fn random_sum(sizes: &[f64], rng: &mut ChaCha8Rng) -> f64 {
    let mut sum = 0.0;
    for block in sizes.chunks(32) {
        let mut signs = rng.next_u32();
        for size in block {
            sum += if signs & 1 == 1 { -size } else { *size };
            signs >>= 1;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p_value(differences: &[f64]) -> f64 {
        sign_flip(differences, 1).unwrap().p_value
    }

    #[test]
    fn of_passes_and_fails_it_is_the_exact_mcnemar_test() {
        assert!((p_value(&[1.0; 5]) - 0.0625).abs() < 1e-15);
        assert!((p_value(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]) - 0.031_25).abs() < 1e-15);
    }

    #[test]
    fn differences_of_zero_tell_nothing() {
        assert_eq!(sign_flip(&[0.0; 40], 1), Some(SignFlip { p_value: 1.0, exact: true }));
    }

    #[test]
    fn changing_the_models_over_changes_nothing() {
        let one: Vec<f64> = (0..60).map(|i| f64::from(i % 7) - 2.5).collect();
        let other: Vec<f64> = one.iter().map(|difference| -difference).collect();
        assert_eq!(sign_flip(&one, 3), sign_flip(&other, 3));
    }

    #[test]
    fn random_flips_are_seeded_and_never_give_zero() {
        let clear = [1.0; 100];
        let one = sign_flip(&clear, 3).unwrap();
        assert_eq!((one.exact, sign_flip(&clear, 3)), (false, Some(one)));
        assert!((one.p_value - 1e-5).abs() < 1e-15, "{one:?}");
    }

    #[test]
    fn what_is_no_number_is_not_tested() {
        assert_eq!(sign_flip(&[], 1), None);
        assert_eq!(sign_flip(&[1.0, f64::NAN], 1), None);
    }
}
