//! Blocks: who is measured when, and in which series of blocks. Owns the orders; knows no instrument.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::RunPlan;
use crate::record::ModelRecord;

/// One measurement of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Which block it belongs to, from 0.
    pub block: u32,
    /// Whose it is: an index of the plan's entries.
    pub entry: usize,
}

/// A plan that measures every model once per block, and whose blocks several runs can add to.
pub trait BlockPlan: Sized {
    /// The plan of this kind that a run has.
    fn of_run(run: RunPlan) -> Option<Self>;

    /// Models in the order given.
    fn models(&self) -> &[ModelRecord];

    /// Blocks: each has every model once, and the first once more.
    fn blocks(&self) -> u32;

    /// Seed of the orders.
    fn seed(&self) -> u64;

    /// Names the series of blocks this run adds to: the id of the run that began it.
    fn series(&self) -> &str;

    /// Hash of what a block's result depends on, but for the moment it was measured: runs of equal
    /// fingerprint can add to each other's blocks.
    fn fingerprint(&self) -> String;

    /// Under what the store keeps the blocks of an entry.
    fn identity(&self, entry: usize) -> String;

    /// What takes part in a block, as indexes of models: each once, then the first again, as if it
    /// were another one, for the noise floor.
    fn entries(&self) -> Vec<usize> {
        (0..self.models().len()).chain([0]).collect()
    }

    /// Every measurement in the order it is to be made.
    fn turns(&self) -> Vec<Turn> {
        turns(self.entries().len(), self.blocks(), self.seed())
    }

    /// Name of an entry, unique in the run.
    fn label(&self, entry: usize) -> String {
        match self.models().get(entry) {
            Some(model) => model.name.clone(),
            None => format!("{} again", self.models()[0].name),
        }
    }

    /// Names of all entries.
    fn labels(&self) -> Vec<String> {
        (0..self.entries().len()).map(|entry| self.label(entry)).collect()
    }
}

/// The order of measurements. Blocks come in pairs: the first of a pair has a random order, the second the same one backwards, so that a steady drift falls on all alike.
fn turns(n_entries: usize, blocks: u32, seed: u64) -> Vec<Turn> {
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
