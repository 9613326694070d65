//! Seeded choices that are the same on every machine. Owns how a stream of random numbers becomes a
//! number in a range or a place in a list.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

/// A stream of choices.
#[derive(Clone, Debug)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream that belongs to these words: equal words, equal stream.
    pub fn of(words: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for word in words {
            hash.update((word.len() as u64).to_le_bytes());
            hash.update(word);
        }
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// A number from 0 to `n` − 1, each equally likely; 0 where `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n < 2 {
            return 0;
        }
        // Of the numbers that come, those above the last whole multiple of `n` are thrown away.
        let end = u64::MAX - u64::MAX % n;
        loop {
            let number = self.0.next_u64();
            if number < end {
                return number % n;
            }
        }
    }

    /// A number from `min` to `max`, both included; `min` where there is none between.
    pub fn between(&mut self, min: i64, max: i64) -> i64 {
        let span = max.saturating_sub(min).max(0) as u64;
        min.saturating_add_unsigned(self.below(span.saturating_add(1)))
    }

    /// One of `items`.
    pub fn one<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }

    /// The numbers below `n` in random order.
    pub fn order(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            order.swap(last, self.below(last as u64 + 1) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_same_everywhere() {
        let mut draw = Draw::of(&["a", "b"]);
        let drawn: Vec<u64> = (0..6).map(|_| draw.below(1000)).collect();
        insta::assert_debug_snapshot!(drawn);
    }

    #[test]
    fn words_do_not_run_together() {
        assert_ne!(Draw::of(&["ab", "c"]).below(1 << 60), Draw::of(&["a", "bc"]).below(1 << 60));
    }

    #[test]
    fn both_ends_are_drawn() {
        let mut draw = Draw::of(&["ends"]);
        let drawn: Vec<i64> = (0..200).map(|_| draw.between(-1, 1)).collect();
        assert!([-1, 0, 1].iter().all(|wanted| drawn.contains(wanted)));
        assert!(drawn.iter().all(|number| (-1..=1).contains(number)));
        assert_eq!(draw.between(5, 4), 5);
    }

    #[test]
    fn an_order_holds_every_number_once() {
        let mut order = Draw::of(&["order"]).order(50);
        assert_ne!(order, (0..50).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
    }
}
