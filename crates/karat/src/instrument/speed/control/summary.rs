//! From stored answers to rows of the tidy table, claims and findings. Values in, values out.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use crate::plan::{ControlPlan, ControlSample};
use crate::record::{Estimate, Severity, Unit};
use crate::stats::Summary;

use super::super::claims::{self, Names};
use super::super::comparing::Comparing;
use super::super::conditions;
use super::super::rows::RowMaker;
use super::super::summary::SpeedSummary;
use super::figures::{Clock, Figure};
use super::formats::told_apart;
use super::likeness::{Parted, parted, thought_apart};
use super::remarks;

/// Summarises what a series has so far: `samples` of each entry of the plan, by block. `level`: of every
/// interval, and of all claims together.
///
/// Claims and shares rest on the rate of generation alone; the other figures stand beside it.
pub fn summarize(
    plan: &ControlPlan,
    samples: &[BTreeMap<u32, ControlSample>],
    level: f64,
) -> SpeedSummary {
    let parted = parted(plan, samples);
    let apart = thought_apart(plan, samples);
    let clock = Clock::of(samples.iter().flatten().map(|(_, sample)| &sample.answer));
    let of_texts: BTreeSet<(usize, usize)> =
        parted.iter().map(|Parted { pair, .. }| *pair).collect();
    let of_times: BTreeSet<(usize, usize)> = &of_texts | &apart;
    let mut comparing = Comparing {
        names: Names::of_control(plan),
        level,
        refused: of_texts.clone(),
        estimates: Vec::new(),
    };
    let test = Figure::TgRate(clock).series(plan, samples);
    let (rows, rates) = &test;
    comparing.estimates.extend(tokens(plan, samples, rows));
    comparing.own(rows, rates);
    let noise = comparing.noise_floor(rows, rates);
    let comparisons = comparing.ratios((0, noise), rows, rates);
    let mut claims = claims::comparisons(&comparing.names, &comparisons, level);
    let first = |model: usize| samples.get(model)?.values().next();
    let format = |model| first(model)?.ready.quantization.as_deref();
    let named: Vec<Option<&str>> = (0..plan.models.len()).map(format).collect();
    let (attributions, formats) = told_apart(plan, &named);
    claims.extend(comparing.shares(slice::from_ref(&test), &attributions, &comparisons));
    for (figure, refused) in [
        (Figure::PpRate, &of_texts),
        (Figure::Ttft, &of_texts),
        (Figure::Ttfo, &of_times),
        (Figure::ResponseSeconds, &of_times),
    ] {
        let (rows, series) = figure.series(plan, samples);
        comparing.refused.clone_from(refused);
        comparing.own(&rows, &series);
        let noise = comparing.noise_floor(&rows, &series);
        comparing.ratios((0, noise), &rows, &series);
    }
    let mut findings = remarks::findings(plan, samples, (&parted, &apart), rates);
    findings.extend(conditions::drift(&plan.prompt.name, rates));
    findings.extend(formats);
    findings.sort_by_key(|finding| finding.severity == Severity::Note);
    SpeedSummary { estimates: comparing.estimates, claims, findings }
}

/// Visible tokens of each model's answer, and those of its thinking where it thought: means over
/// blocks, which are the same in each where a build repeats itself.
fn tokens(
    plan: &ControlPlan,
    samples: &[BTreeMap<u32, ControlSample>],
    rows: &RowMaker<'_>,
) -> Vec<Estimate> {
    let mut estimates = Vec::new();
    for (model, samples) in samples.iter().enumerate().take(plan.models.len()) {
        let answers = || samples.values().map(|sample| sample.answer.tokens);
        let visible: Vec<_> = answers().filter_map(|tokens| tokens.visible).collect();
        let thinking: Vec<_> = answers().filter_map(|tokens| tokens.thinking).collect();
        let has_thought = thinking.iter().any(|thinking| thinking.tokens > 0);
        for (metric, counts) in [("visible_tokens", &visible), ("thinking_tokens", &thinking)] {
            if counts.is_empty() || (metric == "thinking_tokens" && !has_thought) {
                continue;
            }
            let n = counts.len();
            let sum: u64 = counts.iter().map(|counted| counted.tokens).sum();
            let mean = Summary { value: sum as f64 / n as f64, interval: None };
            let mut row = rows.of_model(model, metric, Unit::Count, mean, n);
            row.setting.remove("clock");
            if has_thought && counts.iter().any(|counted| !counted.exact) {
                row.setting.insert("split".to_owned(), "estimated".to_owned());
            }
            estimates.push(row);
        }
    }
    estimates
}
