//! The document of a stored run: everything a report says, recomputed from stored windows.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

use super::block_series;
use super::memory::stored;
use super::stored_attempts::StoredAttempts;
use crate::instrument::behaviour::{Asked, summarize as summarize_behaviour};
use crate::instrument::fidelity::language::language_rows;
use crate::instrument::fidelity::summary::{TextScores, summarize};
use crate::instrument::fidelity::worst::{WorstByWindow, worst_tokens};
use crate::instrument::memory;
use crate::instrument::speed;
use crate::instrument::speed::summary::{SpeedResults, SpeedSummary};
use crate::metric::token::{ModelScores, PairScores};
use crate::plan::{
    BehaviourPlan, ControlPlan, FidelityPlan, MemoryPlan, Pair, Part, RunPlan, SpeedPlan, TrackOf,
};
use crate::record::{
    Answer, AttemptRecord, Claim, Distribution, EngineRecord, Estimate, Finding, Flip,
    MachineRecord, Margins, ModelRecord, RunDocument, RunHeader, SCHEMA_VERSION, Severity,
    TextRecord, WorstToken,
};
use crate::stats::{Bootstrap, Resampling};
use crate::store::{Run, Store};
use crate::units::count;
use crate::verdict::{VerdictSettings, answers, changed_at_once};

/// Reads a run (id, unique beginning of one, or `latest`) and summarises it. `margins`: those of the
/// answers, from the ones that the run declared.
pub(super) fn document(
    store: &Store,
    wanted: &str,
    margins: impl FnOnce(Margins) -> Margins,
) -> anyhow::Result<RunDocument> {
    let Run { header, plan, steps } = store.run(wanted)?;
    let plan: RunPlan = serde_json::from_value(plan)
        .with_context(|| format!("run {} was stored by another version of karat", header.id))?;
    let mut content = Content::default();
    if let Some(fidelity) = &plan.fidelity {
        content.fidelity(store, fidelity, &header)?;
    }
    if let Some(memory) = &plan.memory {
        content.memory(store, memory)?;
    }
    if let Some(speed) = &plan.speed {
        content.speed(store, speed, &header)?;
    }
    if let Some(control) = &plan.control {
        content.control(store, control, &header)?;
    }
    if let Some(behaviour) = &plan.behaviour {
        content.behaviour(store, behaviour, &header)?;
    }
    let margins = margins(plan.margins);
    let answers = content.answers(&plan, &header, margins);
    content.findings.extend(changed_at_once(&content.models, &content.estimates, &answers));
    content.findings.extend((margins != plan.margins).then(|| Finding {
        severity: Severity::Warning,
        message: "margins of the answers were given to this report, after the data were seen; the run \
                  declared others"
            .to_owned(),
    }));
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
        worst_tokens: content.worst_tokens,
        attempts: content.attempts,
        flips: content.flips,
        margins,
        answers,
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
    worst_tokens: Vec<WorstToken>,
    attempts: Vec<AttemptRecord>,
    flips: Vec<Flip>,
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

    fn memory(&mut self, store: &Store, plan: &MemoryPlan) -> anyhow::Result<()> {
        self.common(&plan.machine, &plan.engine, &plan.models, &plan.findings);
        for case in &plan.cases {
            let reply = if plan.predict_only { None } else { stored(store, plan, case)? };
            self.estimates.extend(memory::summary::rows(plan, case, reply.as_ref()));
        }
        Ok(())
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
        let (mut sums, mut is_early) = (Vec::new(), false);
        for text in 0..plan.texts.len() {
            let scores = read_scores(store, plan, text, Part::SecondHalf)?;
            let first_half = read_scores(store, plan, text, Part::FirstHalf)?;
            let summary = summarize(plan, text, (&scores, &first_half), &bootstrap)?;
            let n_rows = self.estimates.len();
            self.estimates.extend(summary.estimates);
            self.distributions.extend(summary.distributions);
            self.claims.extend(summary.claims.into_iter().map(|claim| Claim {
                estimates: claim.estimates.iter().map(|row| row + n_rows).collect(),
                ..claim
            }));
            self.findings.extend(summary.findings);
            sums.push(summary.sums);
            is_early |= summary.is_early;
            let worst = read_worst(store, plan, text)?;
            let (tokens, unknown) = worst_tokens(plan, text, &summary.windows, &worst);
            self.worst_tokens.extend(tokens);
            self.findings.extend(unknown);
            // The plan says how many are to be scored, the document how many were.
            let windows = summary.windows.len() as u64;
            let stopped_early = summary.is_early;
            self.texts.push(TextRecord { windows, stopped_early, ..plan.texts[text].clone() });
        }
        let mut by_language = language_rows(plan, &sums, &bootstrap);
        if is_early {
            for row in &mut by_language {
                (row.lo, row.hi, row.level) = (None, None, None);
            }
        }
        self.estimates.extend(by_language);
        Ok(())
    }
}

/// The worst tokens of every comparison with the original.
fn read_worst(
    store: &Store,
    plan: &FidelityPlan,
    text: usize,
) -> anyhow::Result<BTreeMap<Pair, WorstByWindow>> {
    let mut worst = BTreeMap::new();
    if plan.worst == 0 {
        return Ok(worst);
    }
    let members = plan.members();
    let is_shown = |pair: &Pair| pair.reference == 0 && !members[pair.candidate].purpose.is_noise();
    for pair in plan.pairs().into_iter().filter(is_shown) {
        let key = plan.track_key(text, TrackOf::Pair(pair));
        let Some(track) = store.find_track(&key)? else { continue };
        let parse = |(window_idx, json): (u32, Option<String>)| {
            let tokens = json.map(|json| serde_json::from_str(&json)).transpose();
            let tokens = tokens.with_context(|| {
                format!("the worst tokens of window {window_idx} in the store are damaged")
            })?;
            Ok((window_idx, tokens))
        };
        let windows = store.worst_tokens(track, plan.texts[text].windows as u32)?;
        let windows: anyhow::Result<WorstByWindow> = windows.into_iter().map(parse).collect();
        worst.insert(pair, windows?);
    }
    Ok(worst)
}

impl Content {
    fn speed(&mut self, store: &Store, plan: &SpeedPlan, header: &RunHeader) -> anyhow::Result<()> {
        self.common(&plan.machine, &plan.engine, &plan.models, &plan.findings);
        let results = read_speed(store, plan)?;
        self.summary(speed::summary::summarize(plan, &results, header.level));
        Ok(())
    }

    fn control(
        &mut self,
        store: &Store,
        plan: &ControlPlan,
        header: &RunHeader,
    ) -> anyhow::Result<()> {
        self.common(&plan.machine, &plan.engine, &plan.models, &[]);
        let samples = block_series::samples(store, plan)?;
        self.summary(speed::control::summary::summarize(plan, &samples, header.level));
        Ok(())
    }

    fn summary(&mut self, summary: SpeedSummary) {
        let before = self.estimates.len();
        self.estimates.extend(summary.estimates);
        self.claims.extend(summary.claims.into_iter().map(|claim| {
            let estimates = claim.estimates.iter().map(|row| row + before).collect();
            Claim { estimates, ..claim }
        }));
        self.findings.extend(summary.findings);
    }
}

impl Content {
    fn behaviour(
        &mut self,
        store: &Store,
        plan: &BehaviourPlan,
        header: &RunHeader,
    ) -> anyhow::Result<()> {
        self.common(&plan.machine, &plan.engine, &plan.models, &plan.findings);
        let mut attempts = Vec::new();
        for (model, record) in plan.models.iter().enumerate() {
            let (of_model, n_unjudged) = StoredAttempts { store, plan }.attempts(model)?;
            attempts.push(of_model);
            self.findings.extend((n_unjudged > 0).then(|| Finding {
                severity: Severity::Warning,
                message: format!(
                    "{}: {} not judged yet and left out; the same command again judges",
                    record.name,
                    count(n_unjudged, "answer")
                ),
            }));
        }
        let asked = Asked {
            seed: header.seed,
            level: header.level,
            budgets: plan.budgets.clone(),
            n_planned: plan.instances.len(),
            setting: plan.setting(),
        };
        let summary = summarize_behaviour(&plan.models, &attempts, &asked);
        self.estimates.extend(summary.estimates);
        self.attempts.extend(summary.attempts);
        self.flips.extend(summary.flips);
        self.findings.extend(summary.findings);
        Ok(())
    }

    /// The three answers, from all rows there are.
    fn answers(&self, plan: &RunPlan, header: &RunHeader, margins: Margins) -> Vec<Answer> {
        let stopped = self.texts.iter().filter(|text| text.stopped_early);
        let settings = VerdictSettings {
            margins,
            vram: plan.fits.map(|fits| fits.vram),
            n_ctx: plan.fits.and_then(|fits| fits.n_ctx),
            stopped_early: stopped.map(|text| text.name.clone()).collect(),
            ..VerdictSettings::at_level(header.level)
        };
        answers(&self.models, &self.estimates, &settings)
    }
}

/// What the store has of a speed plan's series.
fn read_speed(store: &Store, plan: &SpeedPlan) -> anyhow::Result<SpeedResults> {
    let mut results =
        SpeedResults { samples: block_series::samples(store, plan)?, ..SpeedResults::default() };
    if let Some((_, sweeps)) = store.samples(&plan.sweep_identity())?.into_iter().next() {
        results.sweeps =
            serde_json::from_value(sweeps).context("the sweep in the store is damaged")?;
    }
    Ok(results)
}

pub(super) fn read_scores(
    store: &Store,
    plan: &FidelityPlan,
    text: usize,
    part: Part,
) -> anyhow::Result<TextScores> {
    let planned = plan.texts[text].windows as u32;
    let mut scores = TextScores::default();
    for of in plan.tracks().into_iter().filter(|of| of.part() == part) {
        let Some(track) = store.find_track(&plan.track_key(text, of))? else { continue };
        for (window_idx, data) in store.windows(track, planned)? {
            let damaged = || format!("window {window_idx} in the store is damaged");
            match of {
                TrackOf::Own(model) | TrackOf::OwnFirstHalf(model) => {
                    let own = ModelScores::decode(&data).with_context(damaged)?;
                    scores.own.entry(model).or_default().insert(window_idx, own);
                }
                TrackOf::Pair(pair) | TrackOf::PairFirstHalf(pair) => {
                    let compared = PairScores::decode(&data).with_context(damaged)?;
                    scores.pairs.entry(pair).or_default().insert(window_idx, compared);
                }
            }
        }
    }
    Ok(scores)
}
