//! Rows of the tidy table that a speed run makes. Owns their names, units and settings.

use std::collections::BTreeMap;

use crate::plan::{SpeedPlan, TestKind};
use crate::record::{Estimate, Instrument, ModelRecord, Unit};
use crate::stats::Summary;

/// What a row about the machine names as its candidate.
pub(super) const THIS_MACHINE: &str = "this machine";

/// Makes rows about one figure, e.g. `tg_rate` of tg128 at a depth.
pub(super) struct RowMaker<'p> {
    /// The plan's models.
    pub(super) models: &'p [ModelRecord],
    /// Name of the figure.
    pub(super) metric: &'static str,
    /// Its unit.
    pub(super) unit: Unit,
    /// What it was measured on.
    pub(super) scope: String,
    /// With which settings.
    pub(super) setting: BTreeMap<String, String>,
}

impl<'p> RowMaker<'p> {
    /// Of the rate in a test.
    pub(super) fn of_test(plan: &'p SpeedPlan, test: usize) -> Self {
        let test = plan.tests[test];
        let ruler = &plan.ruler;
        let layers = ruler.gpu_layers.map_or("all".to_owned(), |n| n.to_string());
        let prompt = plan.prompt.iter();
        let prompt = prompt.map(|prompt| ("prompt".to_owned(), prompt.name.clone()));
        let fixed = [
            ("depth".to_owned(), test.depth.to_string()),
            ("gpu_layers".to_owned(), layers),
            ("kv".to_owned(), ruler.kv.to_string()),
            ("n_threads".to_owned(), ruler.n_threads.to_string()),
        ];
        Self {
            models: &plan.models,
            metric: match test.kind {
                TestKind::Pp => "pp_rate",
                TestKind::Tg => "tg_rate",
            },
            unit: Unit::TokensPerSecond,
            scope: test.scope(),
            setting: fixed.into_iter().chain(prompt).collect(),
        }
    }

    /// A figure of a model, by its index.
    pub(super) fn of_model(
        &self,
        model: usize,
        metric: &str,
        unit: Unit,
        summary: Summary,
        n: usize,
    ) -> Estimate {
        Estimate {
            instrument: Instrument::Speed,
            metric: metric.to_owned(),
            candidate: self.models[model].name.clone(),
            reference: None,
            versus: None,
            scope: self.scope.clone(),
            setting: self.setting.clone(),
            value: Some(summary.value),
            lo: summary.interval.map(|interval| interval.lo),
            hi: summary.interval.map(|interval| interval.hi),
            level: summary.interval.map(|interval| interval.level),
            n: n as u64,
            unit,
        }
    }

    /// A figure of a model against another one.
    pub(super) fn of_pair(
        &self,
        (model, versus): (usize, usize),
        metric: &str,
        unit: Unit,
        summary: Summary,
        n: usize,
    ) -> Estimate {
        let versus = Some(self.models[versus].name.clone());
        Estimate { versus, ..self.of_model(model, metric, unit, summary, n) }
    }
}

/// The bandwidth of this machine's memory: the best sweep, and the median one.
pub(super) fn bandwidth_rows(plan: &SpeedPlan, sweeps: &[f64]) -> Vec<Estimate> {
    let mut sorted = sweeps.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(&best) = sorted.last() else { return Vec::new() };
    let row = |metric: &str, value| Estimate {
        instrument: Instrument::Speed,
        metric: metric.to_owned(),
        candidate: THIS_MACHINE.to_owned(),
        reference: None,
        versus: None,
        scope: "read sweep".to_owned(),
        setting: BTreeMap::from([("n_threads".to_owned(), plan.ruler.n_threads.to_string())]),
        value: Some(value),
        lo: None,
        hi: None,
        level: None,
        n: sweeps.len() as u64,
        unit: Unit::BytesPerSecond,
    };
    let median = crate::stats::quantile_of_sorted(&sorted, 0.5);
    vec![row("memory_bandwidth", best), row("memory_bandwidth_median", median)]
}
