//! Series of blocks in the store: what of a plan is there, and which earlier run a new one goes on with.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde::de::DeserializeOwned;

use crate::plan::{BlockPlan, RunPlan};
use crate::store::{Run, Store};

/// Entry and block of what the store has of a plan's series.
pub(super) fn stored(
    store: &Store,
    plan: &impl BlockPlan,
) -> anyhow::Result<BTreeSet<(usize, u32)>> {
    let mut stored = BTreeSet::new();
    for entry in 0..plan.entries().len() {
        let samples = store.samples(&plan.identity(entry))?;
        stored.extend(samples.into_iter().map(|(block, _)| (entry, block)));
    }
    Ok(stored)
}

/// What the store has of a plan's series: the samples of each entry by block.
pub(super) fn samples<S: DeserializeOwned>(
    store: &Store,
    plan: &impl BlockPlan,
) -> anyhow::Result<Vec<BTreeMap<u32, S>>> {
    let read = |(block, sample): (u32, serde_json::Value)| {
        let sample = serde_json::from_value(sample)
            .with_context(|| format!("block {block} in the store is damaged"))?;
        Ok((block, sample))
    };
    let of_entry = |entry| store.samples(&plan.identity(entry))?.into_iter().map(read).collect();
    (0..plan.entries().len()).map(of_entry).collect()
}

/// Measurements that the plan's series lacks.
pub(super) fn n_missing(store: &Store, plan: &impl BlockPlan) -> anyhow::Result<u64> {
    Ok(plan.turns().len().saturating_sub(stored(store, plan)?.len()) as u64)
}

/// The series that the newest run of the same plan began, where it lacks blocks.
pub(super) fn unfinished<P: BlockPlan>(store: &Store, plan: &P) -> anyhow::Result<Option<String>> {
    let Some(newest) = runs_like(store, plan)?.next() else { return Ok(None) };
    let (_, earlier) = newest?;
    let is_complete = n_missing(store, &earlier)? == 0;
    Ok((!is_complete).then(|| earlier.series().to_owned()))
}

/// Seconds of one block in the newest run of the same plan that measured any, and has all.
pub(super) fn seconds_per_block<P: BlockPlan>(
    store: &Store,
    plan: &P,
) -> anyhow::Result<Option<f64>> {
    for like in runs_like(store, plan)? {
        let (run, earlier) = like?;
        let seconds: f64 = run.steps.iter().map(|step| step.seconds).sum();
        if seconds > 0.0 && n_missing(store, &earlier)? == 0 {
            return Ok(Some(seconds / f64::from(earlier.blocks())));
        }
    }
    Ok(None)
}

/// Runs whose blocks are measured in the same way of the same models, newest first.
fn runs_like<'s, P: BlockPlan>(
    store: &'s Store,
    plan: &P,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<(Run, P)>> + use<'s, P>> {
    let fingerprint = plan.fingerprint();
    let summaries = store.runs()?.into_iter();
    Ok(summaries.filter_map(move |summary| match store.run(&summary.header.id) {
        Err(error) => Some(Err(error.into())),
        Ok(run) => {
            // A plan of another version of karat has nothing to go on with.
            let earlier: RunPlan = serde_json::from_value(run.plan.clone()).ok()?;
            let earlier = P::of_run(earlier)?;
            (earlier.fingerprint() == fingerprint).then_some(Ok((run, earlier)))
        }
    }))
}
