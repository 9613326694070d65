//! The document of a stored run: everything a report says, recomputed from stored windows.

use anyhow::{Context as _, bail};

use crate::instrument::fidelity::summary::{TextScores, summarize};
use crate::metric::token::{ModelScores, PairScores};
use crate::plan::{FidelityPlan, RunPlan, TrackOf};
use crate::record::{
    Claim, Distribution, EngineRecord, Estimate, Finding, MachineRecord, ModelRecord, RunDocument,
    RunHeader, SCHEMA_VERSION, TextRecord,
};
use crate::stats::{Bootstrap, Resampling};
use crate::store::{Run, Store};

/// Reads a run (id, unique beginning of one, or `latest`) and summarises it.
pub(super) fn document(store: &Store, wanted: &str) -> anyhow::Result<RunDocument> {
    let Run { header, plan, steps } = store.run(wanted)?;
    let plan: RunPlan = serde_json::from_value(plan)
        .with_context(|| format!("run {} was stored by another version of karat", header.id))?;
    let mut content = Content::default();
    if let Some(fidelity) = &plan.fidelity {
        content.fidelity(store, fidelity, &header)?;
    }
    let Some((machine, engine)) = content.surroundings else {
        bail!("run {} was planned without any instrument", header.id);
    };
    Ok(RunDocument {
        schema_version: SCHEMA_VERSION,
        run: header,
        machine,
        engine,
        models: content.models,
        texts: content.texts,
        estimates: content.estimates,
        distributions: content.distributions,
        claims: content.claims,
        findings: content.findings,
        steps,
    })
}

/// What the parts of a plan come to, joined.
#[derive(Default)]
struct Content {
    /// Of the first part; the parts of one run share them.
    surroundings: Option<(MachineRecord, EngineRecord)>,
    models: Vec<ModelRecord>,
    texts: Vec<TextRecord>,
    estimates: Vec<Estimate>,
    distributions: Vec<Distribution>,
    claims: Vec<Claim>,
    findings: Vec<Finding>,
}

impl Content {
    /// Adds what every part has. A model that an earlier part has already is not told again.
    fn common(
        &mut self,
        machine: &MachineRecord,
        engine: &EngineRecord,
        models: &[ModelRecord],
        findings: &[Finding],
    ) {
        self.surroundings.get_or_insert_with(|| (machine.clone(), engine.clone()));
        for model in models {
            if self.models.iter().all(|known| known.name != model.name) {
                self.models.push(model.clone());
            }
        }
        for finding in findings {
            if !self.findings.contains(finding) {
                self.findings.push(finding.clone());
            }
        }
    }

    fn fidelity(
        &mut self,
        store: &Store,
        plan: &FidelityPlan,
        header: &RunHeader,
    ) -> anyhow::Result<()> {
        self.common(&plan.machine, &plan.engine, &plan.models, &plan.findings);
        let resampling = Resampling { level: header.level, ..Resampling::with_seed(header.seed) };
        let bootstrap = Bootstrap::new(resampling);
        for text in 0..plan.texts.len() {
            let scores = read_scores(store, plan, text)?;
            let summary = summarize(plan, text, &scores, &bootstrap)?;
            self.estimates.extend(summary.estimates);
            self.distributions.extend(summary.distributions);
            let claim = |statement| Claim { statement, estimates: Vec::new() };
            self.claims.extend(summary.claims.into_iter().map(claim));
            self.findings.extend(summary.findings);
        }
        self.texts.extend(plan.texts.iter().cloned());
        Ok(())
    }
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
