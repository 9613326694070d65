//! From stored windows to rows of the tidy table. Values in, values out.

use std::collections::{BTreeMap, BTreeSet};

use crate::metric::token::{ModelScores, PairScores};
use crate::metric::{
    Misaligned, ModelDifference, ModelTrack, PairDifference, PairTrack, Ruler,
    model_difference_rows, model_rows, pair_difference_rows, pair_rows,
};
use crate::plan::{FidelityPlan, Pair};
use crate::record::{Estimate, Finding, Severity};
use crate::stats::Bootstrap;

/// Stored results of one text, by window.
#[derive(Clone, Debug, Default)]
pub struct TextScores {
    /// Each model's own.
    pub own: BTreeMap<usize, BTreeMap<u32, ModelScores>>,
    /// Each comparison.
    pub pairs: BTreeMap<Pair, BTreeMap<u32, PairScores>>,
}

/// Rows and remarks of one text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextSummary {
    /// Rows, model by model, then comparison by comparison, then differences.
    pub estimates: Vec<Estimate>,
    /// What is missing.
    pub findings: Vec<Finding>,
}

/// The results of one model, or one comparison, on the windows that all share.
struct Aligned {
    own: BTreeMap<usize, Vec<ModelScores>>,
    pairs: BTreeMap<Pair, Vec<PairScores>>,
}

/// Summarises one text. A model that lacks windows the original has is left out of every row, with
/// a finding: figures over different windows must not share a table.
pub fn summarize(
    plan: &FidelityPlan,
    text: usize,
    scores: &TextScores,
    bootstrap: &Bootstrap,
) -> Result<TextSummary, Misaligned> {
    let scope = &plan.texts[text].name;
    let (aligned, findings) = align(plan, text, scores);
    let setting = plan.setting();
    let ruler = Ruler { scope, setting: &setting };
    let model_track = |model: usize| {
        let windows = aligned.own.get(&model)?;
        Some(ModelTrack { name: &plan.models[model].name, windows })
    };
    let mut estimates = Vec::new();
    for model in 0..plan.models.len() {
        if let Some(track) = model_track(model) {
            estimates.extend(model_rows(&track, &ruler, bootstrap));
        }
    }
    let mut pair_tracks = BTreeMap::new();
    for pair in plan.pairs() {
        let (Some(candidate), Some(reference), Some(windows)) =
            (model_track(pair.candidate), model_track(pair.reference), aligned.pairs.get(&pair))
        else {
            continue;
        };
        let track = PairTrack::new(candidate, reference, windows)?;
        estimates.extend(pair_rows(&track, &ruler, bootstrap));
        pair_tracks.insert(pair, track);
    }
    let candidates: Vec<usize> = plan.candidates().collect();
    for (position, &versus) in candidates.iter().enumerate() {
        for &candidate in &candidates[position + 1..] {
            if let (Some(one), Some(other)) = (model_track(candidate), model_track(versus)) {
                let difference = ModelDifference::new(one, other)?;
                estimates.extend(model_difference_rows(&difference, &ruler, bootstrap));
            }
            for reference in plan.references() {
                let track = |candidate| pair_tracks.get(&Pair { reference, candidate }).copied();
                if let (Some(one), Some(other)) = (track(candidate), track(versus)) {
                    let difference = PairDifference::new(one, other)?;
                    estimates.extend(pair_difference_rows(&difference, &ruler, bootstrap));
                }
            }
        }
    }
    Ok(TextSummary { estimates, findings })
}

/// Restricts everything to the windows the original has, and drops who lacks some of them.
fn align(plan: &FidelityPlan, text: usize, scores: &TextScores) -> (Aligned, Vec<Finding>) {
    let planned = plan.texts[text].windows;
    let scope = &plan.texts[text].name;
    let within = |window: &&u32| u64::from(**window) < planned;
    let shared: BTreeSet<u32> = scores
        .own
        .get(&0)
        .map(|windows| windows.keys().filter(within).copied().collect())
        .unwrap_or_default();
    let mut findings = Vec::new();
    let mut warn = |message| findings.push(Finding { severity: Severity::Warning, message });
    if (shared.len() as u64) < planned {
        let got = shared.len();
        warn(format!("{scope}: {got} of {planned} windows scored; figures are of those"));
    }
    let mut own = BTreeMap::new();
    for (model, record) in plan.models.iter().enumerate() {
        let windows = scores.own.get(&model);
        match windows.and_then(|windows| take(windows, &shared)) {
            Some(windows) if !windows.is_empty() => {
                own.insert(model, windows);
            }
            _ if shared.is_empty() => {}
            _ => {
                let name = &record.name;
                let got = windows.map_or(0, BTreeMap::len);
                let want = shared.len();
                warn(format!("{scope}: {name} is left out, it has {got} of {want} windows"));
            }
        }
    }
    let complete = |(pair, windows): (&Pair, &BTreeMap<u32, PairScores>)| {
        Some((*pair, take(windows, &shared)?))
    };
    let pairs = scores.pairs.iter().filter_map(complete).collect();
    (Aligned { own, pairs }, findings)
}

fn take<S: Clone>(windows: &BTreeMap<u32, S>, wanted: &BTreeSet<u32>) -> Option<Vec<S>> {
    wanted.iter().map(|window| windows.get(window).cloned()).collect()
}
