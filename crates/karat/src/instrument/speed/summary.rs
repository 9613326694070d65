//! From stored samples to rows of the tidy table, claims and findings. Values in, values out.

use std::collections::BTreeSet;

use crate::plan::{SpeedPlan, TestKind};
use crate::record::{Claim, Estimate, Finding, Unit};
use crate::stats::{BlockMean, Summary};

use super::attribution::attributions;
pub use super::blocks::SpeedResults;
use super::claims::{self, Names};
use super::comparing::Comparing;
use super::conditions;
use super::rows::{RowMaker, bandwidth_rows};
use super::series::Series;

/// Rows, claims and remarks of a speed run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpeedSummary {
    /// Rows, test by test.
    pub estimates: Vec<Estimate>,
    /// Statements, with the indexes of the rows they rest on.
    pub claims: Vec<Claim>,
    /// What to know when reading them.
    pub findings: Vec<Finding>,
}

/// Summarises what a series has so far. `level`: of every interval, and of all claims together.
pub fn summarize(plan: &SpeedPlan, results: &SpeedResults, level: f64) -> SpeedSummary {
    let mut comparing = Comparing {
        names: Names::of_speed(plan),
        level,
        refused: BTreeSet::new(),
        estimates: Vec::new(),
    };
    let tests: Vec<(RowMaker<'_>, Series)> = (0..plan.tests.len())
        .map(|test| (RowMaker::of_test(plan, test), results.log_rates(plan, test)))
        .collect();
    let best = results.sweeps.iter().copied().reduce(f64::max);
    let mut comparisons = Vec::new();
    for (test, (rows, rates)) in tests.iter().enumerate() {
        comparing.own(rows, rates);
        let noise = comparing.noise_floor(rows, rates);
        comparisons.extend(comparing.ratios((test, noise), rows, rates));
        if plan.tests[test].kind == TestKind::Tg {
            comparing.estimates.extend(traffic((plan, test), (rows, rates), best, level));
        }
    }
    let mut claims = claims::comparisons(&comparing.names, &comparisons, level);
    let main_types: Vec<&str> =
        plan.anatomy.iter().map(|anatomy| anatomy.main_type.as_str()).collect();
    let attributions = attributions(&plan.models, &main_types);
    claims.extend(comparing.shares(&tests, &attributions, &comparisons));
    let mut estimates = comparing.estimates;
    estimates.extend(bandwidth_rows(plan, &results.sweeps));
    SpeedSummary { estimates, claims, findings: conditions::findings(plan, results) }
}

/// What a generated token moves, and how near that comes to what memory can do at its `best`.
fn traffic(
    (plan, test): (&SpeedPlan, usize),
    (rows, rates): (&RowMaker<'_>, &Series),
    best: Option<f64>,
    level: f64,
) -> Vec<Estimate> {
    let planned = plan.tests[test];
    let mut estimates = Vec::new();
    for (model, anatomy) in plan.anatomy.iter().enumerate() {
        let weights = anatomy.weight_bytes.map(|bytes| bytes as f64);
        let kv = anatomy
            .kv
            .as_ref()
            .map(|kv| kv.bytes_per_token(u64::from(planned.depth), u64::from(planned.n_tokens)));
        let bare = |value| Summary { value, interval: None };
        let mut add = |metric: &str, unit, summary, n| {
            estimates.push(rows.of_model(model, metric, unit, summary, n));
        };
        if let Some(weights) = weights {
            add("weight_bytes_per_token", Unit::Bytes, bare(weights), 0);
        }
        if let Some(kv) = kv {
            add("kv_bytes_per_token", Unit::Bytes, bare(kv), 0);
        }
        let Some((weights, kv)) = weights.zip(kv) else { continue };
        let bytes = weights + kv;
        add("bytes_per_token", Unit::Bytes, bare(bytes), 0);
        let is_bound = conditions::is_memory_bound(plan, model);
        let Some(best) = best.filter(|_| is_bound) else { continue };
        let Some(mean) = BlockMean::of(&rates.of(model)) else { continue };
        let share = mean.summary(level).map(|ln| ln.exp() * bytes / best);
        add("bandwidth_share", Unit::Fraction, share, mean.n);
    }
    estimates
}
