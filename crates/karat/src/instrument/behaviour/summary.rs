//! From stored attempts to rows, lists and findings. Values in, values out.

use std::collections::BTreeMap;

use crate::record::{AttemptRecord, Estimate, Finding, Flip, ModelRecord};
use crate::stats::{Bootstrap, Resampling};
use crate::task::Attempt;

use super::items::{Item, items, shared};
use super::of_pair::{Pair, is_judged};
use super::rows::{Line, Part};
use super::{budget, detect, findings, listing, of_build, of_pair};

/// What the setting `sampling` says where nothing is drawn.
const GREEDY: &str = "greedy";

/// What was asked of every build, as far as the figures depend on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Seed of resampling and of random sign flips.
    pub seed: u64,
    /// Level of every interval.
    pub level: f64,
    /// Budgets to read off one greedy run at the largest; empty where none were asked for, and where
    /// answers were sampled.
    pub budgets: Vec<u32>,
    /// Tasks of the suite; where a build died, or the run was stopped, there are fewer so far.
    pub n_planned: usize,
    /// Settings that are part of the ruler, e.g. `sampling = greedy`.
    pub setting: BTreeMap<String, String>,
}

impl Asked {
    /// Whether answers were drawn, so that the same question is meant to give different ones.
    fn is_drawn(&self) -> bool {
        self.setting.get("sampling").is_some_and(|sampling| sampling != GREEDY)
    }
}

/// Rows, lists and remarks of the builds' attempts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BehaviourSummary {
    /// Rows: build by build, then pair by pair.
    pub estimates: Vec<Estimate>,
    /// Every attempt, build by build.
    pub attempts: Vec<AttemptRecord>,
    /// Tasks that one of two builds alone passes, pair by pair.
    pub flips: Vec<Flip>,
    /// What to know when reading them.
    pub findings: Vec<Finding>,
}

/// Summarises what there is so far. `attempts`: those of each model, in the models' order. Every model is
/// compared with every one before it, on the tasks that both were asked and answered.
pub fn summarize(
    models: &[ModelRecord],
    attempts: &[Vec<Attempt>],
    asked: &Asked,
) -> BehaviourSummary {
    let resampling = Resampling { level: asked.level, ..Resampling::with_seed(asked.seed) };
    let maker = Maker {
        models,
        items: attempts.iter().map(|attempts| items(attempts)).collect(),
        parts: parts(attempts),
        asked,
        bootstrap: Bootstrap::new(resampling),
    };
    let mut summary = BehaviourSummary::default();
    for (model, (record, attempts)) in models.iter().zip(attempts).enumerate() {
        summary.attempts.extend(attempts.iter().map(|one| listing::record(&record.name, one)));
        summary.estimates.extend(maker.build(model));
        let items = &maker.items[model];
        summary.findings.extend(findings::of_build(&record.name, items, asked.is_drawn()));
        summary.findings.extend(budget::left_out(&record.name, items, &asked.budgets));
    }
    let mut discordance = Vec::new();
    for model in 0..models.len().min(attempts.len()) {
        for versus in 0..model {
            discordance.extend(maker.pair((model, versus), &mut summary));
        }
    }
    let n_items = maker.items.iter().map(Vec::len).max().unwrap_or(0);
    let n_instances = n_items.max(asked.n_planned);
    let observed = discordance.iter().copied().reduce(f64::max).filter(|share| *share > 0.0);
    summary.findings.extend(detect::suite_can_tell(n_instances as u64, observed, asked.level));
    summary
}

/// All, then each family and each language where there are several.
fn parts(attempts: &[Vec<Attempt>]) -> Vec<Part> {
    let several = |name: fn(&Attempt) -> &String, part: fn(String) -> Part| -> Vec<Part> {
        let mut names: Vec<&String> = Vec::new();
        for attempt in attempts.iter().flatten() {
            if !names.contains(&name(attempt)) {
                names.push(name(attempt));
            }
        }
        if names.len() < 2 { Vec::new() } else { names.into_iter().cloned().map(part).collect() }
    };
    let families = several(|attempt| &attempt.family, Part::Family);
    let languages = several(|attempt| &attempt.language, Part::Language);
    std::iter::once(Part::All).chain(families).chain(languages).collect()
}

struct Maker<'a> {
    models: &'a [ModelRecord],
    items: Vec<Vec<Item<'a>>>,
    parts: Vec<Part>,
    asked: &'a Asked,
    bootstrap: Bootstrap,
}

impl Maker<'_> {
    fn line<'l>(&'l self, model: usize, versus: Option<usize>, scope: &'l str) -> Line<'l> {
        Line {
            candidate: &self.models[model].name,
            versus: versus.map(|versus| self.models[versus].name.as_str()),
            scope,
            setting: self.asked.setting.clone(),
        }
    }

    fn build(&self, model: usize) -> Vec<Estimate> {
        let mut rows = Vec::new();
        for part in &self.parts {
            let scope = part.scope();
            let line = self.line(model, None, &scope);
            let items: Vec<&Item<'_>> =
                self.items[model].iter().filter(|item| part.has(item.first())).collect();
            rows.extend(of_build::rows(&line, &items, &self.bootstrap));
            if *part == Part::All {
                rows.extend(of_build::memory(&line, self.models[model].served.as_ref()));
                rows.extend(budget::rows(&line, &items, &self.asked.budgets, &self.bootstrap));
            }
        }
        rows
    }

    /// Rows, flips and findings of a pair; gives the share of its tasks that one alone passes.
    fn pair(&self, (model, versus): (usize, usize), summary: &mut BehaviourSummary) -> Option<f64> {
        let names = (self.models[model].name.as_str(), self.models[versus].name.as_str());
        let (one, other) = (&self.items[model], &self.items[versus]);
        let mut pairs = shared(one, other);
        summary.findings.extend(findings::unshared(names, (one.len(), other.len()), pairs.len()));
        pairs.retain(is_judged);
        for part in &self.parts {
            let scope = part.scope();
            let line = self.line(model, Some(versus), &scope);
            let pairs: Vec<Pair<'_, '_>> =
                pairs.iter().filter(|(item, _)| part.has(item.first())).copied().collect();
            let is_all = *part == Part::All;
            summary.estimates.extend(of_pair::rows(&line, &pairs, &self.bootstrap, is_all));
        }
        summary.flips.extend(listing::flips(names, &pairs));
        let counts = of_pair::counts(&pairs);
        (counts.n() > 0).then(|| counts.discordant() as f64 / counts.n() as f64)
    }
}
