//! Stored samples of a speed plan, and their rates as what statistics takes. Pure.

use std::collections::BTreeMap;

use crate::plan::{SpeedPlan, SpeedSample};

use super::series::Series;

/// What a series has so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpeedResults {
    /// Samples of each entry of the plan, by block.
    pub samples: Vec<BTreeMap<u32, SpeedSample>>,
    /// Bytes per second of each sweep over memory; empty where there was none.
    pub sweeps: Vec<f64>,
}

impl SpeedResults {
    /// ln of each entry's rate (tokens per second) in a test.
    pub(super) fn log_rates(&self, plan: &SpeedPlan, test: usize) -> Series {
        let n_tokens = plan.tests[test].n_tokens;
        let logs = |samples: &BTreeMap<u32, SpeedSample>| {
            let rates = samples
                .iter()
                .filter_map(|(&block, sample)| Some((block, sample.rate(test, n_tokens)?.ln())));
            rates.collect()
        };
        Series(self.samples.iter().map(logs).collect())
    }
}
