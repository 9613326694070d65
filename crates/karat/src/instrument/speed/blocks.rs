//! Stored samples as what statistics takes: logarithms of rates and of ratios, block by block. Pure.

use std::collections::BTreeMap;

use crate::plan::{SpeedPlan, SpeedSample};

/// What a series has so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpeedResults {
    /// Samples of each entry of the plan, by block.
    pub samples: Vec<BTreeMap<u32, SpeedSample>>,
    /// Bytes per second of each sweep over memory; empty where there was none.
    pub sweeps: Vec<f64>,
}

impl SpeedResults {
    /// ln of an entry's rate (tokens per second) in a test, by block.
    pub(super) fn log_rates(
        &self,
        plan: &SpeedPlan,
        entry: usize,
        test: usize,
    ) -> BTreeMap<u32, f64> {
        let n_tokens = plan.tests[test].n_tokens;
        let samples = self.samples.get(entry).into_iter().flatten();
        let rates =
            samples.filter_map(|(&block, sample)| Some((block, sample.rate(test, n_tokens)?.ln())));
        rates.collect()
    }

    /// ln of the ratios `one / other` of each pair of entries, on the blocks that all of them have.
    pub(super) fn log_ratios(
        &self,
        plan: &SpeedPlan,
        pairs: &[(usize, usize)],
        test: usize,
    ) -> Vec<Vec<f64>> {
        let rates = |entry| self.log_rates(plan, entry, test);
        let sides: Vec<_> = pairs.iter().map(|&(one, other)| (rates(one), rates(other))).collect();
        let has = |block: &u32| {
            sides.iter().all(|(one, other)| one.contains_key(block) && other.contains_key(block))
        };
        let blocks: Vec<u32> = (0..plan.blocks).filter(has).collect();
        let ratios = sides
            .iter()
            .map(|(one, other)| blocks.iter().map(|block| one[block] - other[block]).collect());
        ratios.collect()
    }

    /// What each block did to a test's rates, whatever the model: the mean over entries of how far ln
    /// of the rate is from the entry's own mean. On the blocks that all entries have.
    pub(super) fn block_effects(&self, plan: &SpeedPlan, test: usize) -> Vec<(u32, f64)> {
        let entries = 0..plan.entries().len();
        let rates: Vec<_> = entries.map(|entry| self.log_rates(plan, entry, test)).collect();
        let has = |block: &u32| rates.iter().all(|rates| rates.contains_key(block));
        let blocks: Vec<u32> = (0..plan.blocks).filter(has).collect();
        let means: Vec<f64> = rates
            .iter()
            .map(|rates| blocks.iter().map(|block| rates[block]).sum::<f64>() / blocks.len() as f64)
            .collect();
        let effect = |block: &u32| {
            let off = rates.iter().zip(&means).map(|(rates, mean)| rates[block] - mean);
            off.sum::<f64>() / rates.len() as f64
        };
        blocks.iter().map(|block| (*block, effect(block))).collect()
    }
}
