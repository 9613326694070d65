//! The document of a stored run: everything a report says, recomputed from stored windows.

use anyhow::Context as _;

use crate::instrument::fidelity::summary::{TextScores, summarize};
use crate::metric::token::{ModelScores, PairScores};
use crate::plan::{FidelityPlan, TrackOf};
use crate::record::{Claim, RunDocument, SCHEMA_VERSION};
use crate::stats::{Bootstrap, Resampling};
use crate::store::{Run, Store};

/// Reads a run (id, unique beginning of one, or `latest`) and summarises it.
pub(super) fn document(store: &Store, wanted: &str) -> anyhow::Result<RunDocument> {
    let Run { header, plan, steps } = store.run(wanted)?;
    let plan: FidelityPlan = serde_json::from_value(plan)
        .with_context(|| format!("run {} was stored by another version of karat", header.id))?;
    let resampling = Resampling { level: header.level, ..Resampling::with_seed(header.seed) };
    let bootstrap = Bootstrap::new(resampling);
    let (mut estimates, mut findings) = (Vec::new(), plan.findings.clone());
    let mut claims = Vec::new();
    for text in 0..plan.texts.len() {
        let scores = read_scores(store, &plan, text)?;
        let summary = summarize(&plan, text, &scores, &bootstrap)?;
        estimates.extend(summary.estimates);
        let claim = |statement| Claim { statement, estimates: Vec::new() };
        claims.extend(summary.claims.into_iter().map(claim));
        findings.extend(summary.findings);
    }
    Ok(RunDocument {
        schema_version: SCHEMA_VERSION,
        run: header,
        machine: plan.machine,
        engine: plan.engine,
        models: plan.models,
        texts: plan.texts,
        estimates,
        claims,
        findings,
        steps,
    })
}

pub(super) fn read_scores(
    store: &Store,
    plan: &FidelityPlan,
    text: usize,
) -> anyhow::Result<TextScores> {
    let planned = plan.texts[text].windows as u32;
    let mut scores = TextScores::default();
    for of in plan.tracks() {
        let Some(track) = store.find_track(&plan.track_key(text, of))? else { continue };
        for (window_idx, data) in store.windows(track, planned)? {
            let damaged = || format!("window {window_idx} in the store is damaged");
            match of {
                TrackOf::Own(model) => {
                    let own = ModelScores::decode(&data).with_context(damaged)?;
                    scores.own.entry(model).or_default().insert(window_idx, own);
                }
                TrackOf::Pair(pair) => {
                    let compared = PairScores::decode(&data).with_context(damaged)?;
                    scores.pairs.entry(pair).or_default().insert(window_idx, compared);
                }
            }
        }
    }
    Ok(scores)
}
