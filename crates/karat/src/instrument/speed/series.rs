//! One figure block by block, as what statistics takes: logarithms, their paired differences, and what
//! each block did to all of them. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// Logarithms of one figure by block, of each entry of a plan: its models, then the first again.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Series(pub(super) Vec<BTreeMap<u32, f64>>);

impl Series {
    /// Of one entry, in the order of the blocks that it has.
    pub(super) fn of(&self, entry: usize) -> Vec<f64> {
        self.0.get(entry).into_iter().flatten().map(|(_, log)| *log).collect()
    }

    /// ln of the ratios `one / other` of each pair of entries, on the blocks that all of them have.
    pub(super) fn ratios(&self, pairs: &[(usize, usize)]) -> Vec<Vec<f64>> {
        let blocks = self.shared(pairs.iter().flat_map(|&(one, other)| [one, other]));
        let ratio =
            |&(one, other): &(usize, usize), block| self.0[one][block] - self.0[other][block];
        pairs.iter().map(|pair| blocks.iter().map(|block| ratio(pair, block)).collect()).collect()
    }

    /// What each block did to the figure, whoever was measured: the mean over entries of how far its
    /// logarithm is from the entry's own mean. On the blocks that all entries have.
    pub(super) fn block_effects(&self) -> Vec<f64> {
        let blocks = self.shared(0..self.0.len());
        let mean = |logs: &BTreeMap<u32, f64>| {
            blocks.iter().map(|block| logs[block]).sum::<f64>() / blocks.len() as f64
        };
        let means: Vec<f64> = self.0.iter().map(mean).collect();
        let effect = |block: &u32| {
            let off = self.0.iter().zip(&means).map(|(logs, mean)| logs[block] - mean);
            off.sum::<f64>() / self.0.len() as f64
        };
        blocks.iter().map(effect).collect()
    }

    /// The blocks that all of these entries have.
    fn shared(&self, entries: impl Iterator<Item = usize>) -> BTreeSet<u32> {
        let blocks = entries.map(|entry| -> BTreeSet<u32> {
            self.0.get(entry).into_iter().flatten().map(|(block, _)| *block).collect()
        });
        blocks.reduce(|one, other| &one & &other).unwrap_or_default()
    }
}
