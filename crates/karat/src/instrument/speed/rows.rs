//! Rows of the tidy table that a speed run makes. Owns their names, units and settings.

use std::collections::BTreeMap;

use crate::plan::{SpeedPlan, SpeedTest, TestKind};
use crate::record::{Estimate, Instrument, Unit};
use crate::stats::Summary;

/// What a row about the machine names as its candidate.
pub(super) const THIS_MACHINE: &str = "this machine";

/// Makes rows of one test.
pub(super) struct RowMaker<'p> {
    plan: &'p SpeedPlan,
    test: SpeedTest,
}

impl<'p> RowMaker<'p> {
    pub(super) fn new(plan: &'p SpeedPlan, test: usize) -> Self {
        Self { plan, test: plan.tests[test] }
    }

    /// `pp_rate`, `tg_rate_ratio` ...: the name of a metric of this kind of test.
    pub(super) fn metric(&self, rest: &str) -> String {
        match self.test.kind {
            TestKind::Pp => format!("pp_{rest}"),
            TestKind::Tg => format!("tg_{rest}"),
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
        let candidate = self.plan.models[model].name.clone();
        Estimate {
            instrument: Instrument::Speed,
            metric: metric.to_owned(),
            candidate,
            reference: None,
            versus: None,
            scope: self.test.scope(),
            setting: self.setting(),
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
        let versus = Some(self.plan.models[versus].name.clone());
        Estimate { versus, ..self.of_model(model, metric, unit, summary, n) }
    }

    fn setting(&self) -> BTreeMap<String, String> {
        let ruler = &self.plan.ruler;
        let layers = ruler.gpu_layers.map_or("all".to_owned(), |n| n.to_string());
        let prompt = self.plan.prompt.iter();
        let prompt = prompt.map(|prompt| ("prompt".to_owned(), prompt.name.clone()));
        let fixed = [
            ("depth".to_owned(), self.test.depth.to_string()),
            ("gpu_layers".to_owned(), layers),
            ("kv".to_owned(), ruler.kv.to_string()),
            ("n_threads".to_owned(), ruler.n_threads.to_string()),
        ];
        fixed.into_iter().chain(prompt).collect()
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
