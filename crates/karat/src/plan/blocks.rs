//! Blocks: who is measured when. Owns the orders; knows no instrument.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One measurement of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Which block it belongs to, from 0.
    pub block: u32,
    /// Whose it is: an index of the plan's entries.
    pub entry: usize,
}

/// What takes part in a block, as indexes of models: each once, then the first again, as if it were
/// another one, for the noise floor.
pub(super) fn entries(n_models: usize) -> Vec<usize> {
    (0..n_models).chain([0]).collect()
}

/// Every measurement in the order it is to be made. Blocks come in pairs: the first of a pair has a
/// random order, the second the same one backwards, so that a steady drift falls on all alike.
pub(super) fn turns(n_entries: usize, blocks: u32, seed: u64) -> Vec<Turn> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..n_entries).collect();
    let mut turns = Vec::new();
    for block in 0..blocks {
        if block % 2 == 0 {
            shuffle(&mut order, &mut rng);
        } else {
            order.reverse();
        }
        turns.extend(order.iter().map(|&entry| Turn { block, entry }));
    }
    turns
}

/// Fisher & Yates, with the high half of a product for the draw; its bias is far below what any
/// number of blocks could show.
fn shuffle(order: &mut [usize], rng: &mut ChaCha8Rng) {
    for last in (1..order.len()).rev() {
        let drawn = (u64::from(rng.next_u32()) * (last as u64 + 1)) >> 32;
        order.swap(last, drawn as usize);
    }
}
