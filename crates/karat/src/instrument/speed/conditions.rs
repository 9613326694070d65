//! What a reader has to know about the machine while it measured: drift, clock, temperature, other
//! processes, missing blocks. Pure.

use std::collections::BTreeMap;

use crate::plan::{BlockPlan as _, Conditions, SpeedPlan, SpeedSample};
use crate::record::{Finding, Severity};
use crate::stats::trend;
use crate::units::Bytes;

use super::blocks::SpeedResults;
use super::series::Series;

/// A trend this unlikely without drift is called one.
const DRIFT_P_VALUE: f64 = 0.01;
/// A clock that moved by more than this share is worth a warning.
const CLOCK_CHANGE: f64 = 0.03;
/// Other processes that take more than this share are worth a warning.
const OTHERS_SHARE: f64 = 0.05;
/// Weights have to be this many times the last-level cache for memory to be the bound.
pub(super) const CACHE_FACTOR: u64 = 4;

/// Everything there is to say, warnings first.
pub(super) fn findings(plan: &SpeedPlan, results: &SpeedResults) -> Vec<Finding> {
    let mut findings = missing(plan, results);
    findings.extend(busy(results));
    let rates = |test: usize| (plan.tests[test].title(), results.log_rates(plan, test));
    let tests = (0..plan.tests.len()).map(rates);
    findings.extend(tests.filter_map(|(title, rates)| drift(&title, &rates)));
    findings.extend(clock(results));
    findings.extend(no_share(plan, results));
    findings
}

pub(super) fn note(message: String) -> Finding {
    Finding { severity: Severity::Note, message }
}

pub(super) fn warning(message: String) -> Finding {
    Finding { severity: Severity::Warning, message }
}

fn missing(plan: &SpeedPlan, results: &SpeedResults) -> Vec<Finding> {
    let got = |entry: usize| results.samples.get(entry).map_or(0, BTreeMap::len);
    let of = |entry| missing_blocks(&plan.label(entry), got(entry), plan.blocks);
    (0..plan.entries().len()).filter_map(of).collect()
}

/// That an entry of this name lacks blocks.
pub(super) fn missing_blocks(name: &str, got: usize, want: u32) -> Option<Finding> {
    ((got as u64) < u64::from(want))
        .then(|| warning(format!("{name}: {got} of {want} blocks; its figures are of those")))
}

fn samples(results: &SpeedResults) -> impl Iterator<Item = (u32, &SpeedSample)> {
    results.samples.iter().flatten().map(|(&block, sample)| (block, sample))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

fn busy(results: &SpeedResults) -> Option<Finding> {
    let share = mean(samples(results).filter_map(|(_, sample)| sample.others_share))?;
    (share > OTHERS_SHARE).then(|| {
        warning(format!(
            "other processes took {:.0} % of the processors' time while karat measured: rates are those \
             of a busy machine; measure again when it is quiet",
            100.0 * share
        ))
    })
}

/// That the rates of a test went up or down with the blocks, whichever the model.
pub(super) fn drift(title: &str, rates: &Series) -> Option<Finding> {
    let trend = trend(&rates.block_effects()).filter(|trend| trend.p_value < DRIFT_P_VALUE)?;
    let change = 100.0 * trend.rise.exp_m1();
    let word = if change > 0.0 { "faster" } else { "slower" };
    Some(warning(format!(
        "{title}: all models became {:.1} % {word} from the first to the last block (p = {:.1e}). Ratios \
         are paired within blocks of mirrored order and stand; rates are means over the drift",
        change.abs(),
        trend.p_value
    )))
}

/// Clock and temperature at the end of measurements, in the first and the last block that has them.
fn clock(results: &SpeedResults) -> Option<Finding> {
    let mut by_block: BTreeMap<u32, Vec<Conditions>> = BTreeMap::new();
    for (block, sample) in samples(results) {
        by_block.entry(block).or_default().push(sample.conditions[1]);
    }
    let (first, last) = (by_block.values().next()?, by_block.values().next_back()?);
    let of = |read: fn(&Conditions) -> Option<f64>| {
        let at = |conditions: &Vec<Conditions>| mean(conditions.iter().filter_map(read));
        at(first).zip(at(last))
    };
    let clock = of(|conditions| conditions.clock_mhz);
    let heat = of(|conditions| conditions.celsius);
    let clock_text = clock.map_or("clock not readable".to_owned(), |(first, last)| {
        format!("clock {first:.0} MHz in the first block, {last:.0} MHz in the last")
    });
    let heat_text = heat.map_or("temperature not readable".to_owned(), |(first, last)| {
        format!("hottest sensor {first:.0} °C, then {last:.0} °C")
    });
    let has_moved = clock.is_some_and(|(first, last)| (last / first - 1.0).abs() > CLOCK_CHANGE);
    let message = format!("processor: {clock_text}; {heat_text}");
    Some(if has_moved { warning(message) } else { note(message) })
}

/// Whether memory is what a model's decoding runs against: all of it on the processor, and weights
/// that the caches cannot hold.
pub(super) fn is_memory_bound(plan: &SpeedPlan, model: usize) -> bool {
    let cache = plan.last_level_cache.map(|cache| CACHE_FACTOR.saturating_mul(cache));
    plan.on_processor()
        && plan.anatomy[model]
            .weight_bytes
            .zip(cache)
            .is_some_and(|(weights, least)| weights >= least)
}

/// Why some models have no share of the memory bandwidth.
fn no_share(plan: &SpeedPlan, results: &SpeedResults) -> Option<Finding> {
    if !plan.on_processor() {
        return Some(note(
            "share of the memory bandwidth is not shown: a sweep by the processor says nothing about \
             layers on a GPU"
                .to_owned(),
        ));
    }
    let Some(cache) = plan.last_level_cache else {
        return Some(note(
            "share of the memory bandwidth is not shown: this system does not tell the size of its \
             last-level cache"
                .to_owned(),
        ));
    };
    // Of others it is told that their weights cannot be counted.
    let counted =
        (0..plan.models.len()).filter(|&model| plan.anatomy[model].weight_bytes.is_some());
    let small = counted.filter(|&model| !is_memory_bound(plan, model));
    let small: Vec<&str> = small.map(|model| plan.models[model].name.as_str()).collect();
    (!small.is_empty() && !results.sweeps.is_empty()).then(|| {
        note(format!(
            "share of the memory bandwidth is not shown for {}: the weights of a token are less than {} \
             times the last-level cache ({})",
            small.join(", "),
            CACHE_FACTOR,
            Bytes(cache)
        ))
    })
}
