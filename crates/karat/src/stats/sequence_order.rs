//! The order in which windows are read when a run may stop early.
//! Owns the seeded shuffle; never looks at a value.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Stream of the generator that is kept for orders, apart from the streams of resamples, which are
/// numbered by their windows.
const STREAM: u64 = u64::MAX;

/// All windows of a text in random order, `[n_windows]`: every order equally likely over seeds.
///
/// What a [`ConfidenceSequence`](super::ConfidenceSequence) promises rests on this order and on
/// nothing else about the text, so the seed must be settled before any result is seen. The same
/// seed gives the same order on every platform.
///
/// Source: Durstenfeld (1964), with draws free of modulo bias after Lemire (2019),
/// arXiv 1805.10941.
pub fn shuffled_windows(n_windows: u32, seed: u64) -> Vec<u32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(STREAM);
    let mut order: Vec<u32> = (0..n_windows).collect();
    for last in (1..n_windows).rev() {
        let chosen = below(&mut rng, last + 1);
        order.swap(chosen as usize, last as usize);
    }
    order
}

/// A uniform draw below `limit`, which must not be 0.
fn below(rng: &mut ChaCha8Rng, limit: u32) -> u32 {
    let uneven = limit.wrapping_neg() % limit;
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(limit);
        if product as u32 >= uneven {
            return (product >> 32) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_window_comes_once() {
        for n_windows in [0, 1, 2, 251] {
            let mut order = shuffled_windows(n_windows, 7);
            order.sort_unstable();
            assert!(order.into_iter().eq(0..n_windows));
        }
    }

    #[test]
    fn the_seed_alone_settles_the_order() {
        assert_eq!(shuffled_windows(40, 1), shuffled_windows(40, 1));
        assert_ne!(shuffled_windows(40, 1), shuffled_windows(40, 2));
    }

    #[test]
    fn all_orders_of_three_are_equally_frequent() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..6_000 {
            *counts.entry(shuffled_windows(3, seed)).or_insert(0_u32) += 1;
        }
        // 1,000 expected of each of six; 29 is one standard deviation.
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| count.abs_diff(1_000) < 130), "{counts:?}");
    }
}
