//! What a reader has to know about answers on servers: who does not repeat itself, who is not compared
//! with whom and why, what the servers said. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::generation::{FinishReason, Generation};
use crate::plan::{BlockPlan as _, ControlPlan, ControlSample};
use crate::record::Finding;

use super::super::conditions::{missing_blocks, note, warning};
use super::super::series::Series;
use super::likeness::{Parted, parting};

type Samples = [BTreeMap<u32, ControlSample>];

/// Everything but drift and formats, warnings first.
pub(super) fn findings(
    plan: &ControlPlan,
    samples: &Samples,
    (parted, apart): (&[Parted], &BTreeSet<(usize, usize)>),
    rates: &Series,
) -> Vec<Finding> {
    let got = |entry: usize| samples.get(entry).map_or(0, BTreeMap::len);
    let missing = |entry| missing_blocks(&plan.label(entry), got(entry), plan.blocks);
    let models = 0..plan.models.len();
    let mut findings: Vec<Finding> = (0..plan.entries().len()).filter_map(missing).collect();
    findings.extend(models.clone().filter_map(|model| changed(plan, samples, model)));
    findings.extend(models.filter_map(|model| not_compared(plan, parted, model)));
    findings.extend(thinking(plan, parted, apart));
    findings.extend(cut_off(plan, samples));
    findings.extend(uncounted(plan, samples, rates));
    findings.extend(engines(plan, samples));
    findings.extend(told(plan, samples));
    if !plan.loads_afresh {
        findings.push(note(
            "the process of an OpenAI-compatible server is its owner's: karat cannot start it anew, so \
             the unit is the request, and intervals hold for these processes and no others"
                .to_owned(),
        ));
    }
    findings
}

/// Answers of a model with their blocks, the second ones of the first model included.
fn answers<'a>(
    plan: &ControlPlan,
    samples: &'a Samples,
    model: usize,
) -> impl Iterator<Item = (u32, &'a ControlSample)> {
    let again = (model == 0).then_some(plan.models.len());
    let entries = std::iter::once(model).chain(again);
    let of = |entry: usize| samples.get(entry).into_iter().flatten();
    entries.flat_map(of).map(|(block, sample)| (*block, sample))
}

/// That a build does not repeat itself.
fn changed(plan: &ControlPlan, samples: &Samples, model: usize) -> Option<Finding> {
    let mut all = answers(plan, samples, model);
    let (first_block, first) = all.next()?;
    let (block, words) =
        all.find_map(|(block, sample)| Some((block, parting(&first.answer, &sample.answer)?)))?;
    Some(warning(format!(
        "{} does not repeat itself: of its answers in blocks {} and {}, {words}",
        plan.models[model].name,
        first_block + 1,
        block + 1
    )))
}

/// That a model is not compared with some before it, told by the first of them.
fn not_compared(plan: &ControlPlan, parted: &[Parted], model: usize) -> Option<Finding> {
    let its: Vec<&Parted> = parted.iter().filter(|parted| parted.pair.0 == model).collect();
    let first = its.first()?;
    let name = |entry: usize| plan.models[entry].name.as_str();
    let count = |count: Option<u64>| count.map_or("uncounted".to_owned(), |n| n.to_string());
    let [one, other] = first.counts.map(count);
    let others: Vec<&str> = its[1..].iter().map(|parted| name(parted.pair.1)).collect();
    let others = match others.as_slice() {
        [] => String::new(),
        names => format!(" Nor is {} compared with {}.", name(model), names.join(", ")),
    };
    Some(warning(format!(
        "{} and {} did not complete the same visible tokens ({one} and {other} in block {}): {}. They \
         are not compared; each one's own rates stand.{others}",
        name(first.pair.1),
        name(model),
        first.block + 1,
        first.words
    )))
}

/// Whose times are not compared although their rates are.
fn thinking(
    plan: &ControlPlan,
    parted: &[Parted],
    apart: &BTreeSet<(usize, usize)>,
) -> Option<Finding> {
    let is_compared = |pair: &&(usize, usize)| parted.iter().all(|parted| parted.pair != **pair);
    let pairs: Vec<String> = apart
        .iter()
        .filter(is_compared)
        .map(|&(later, earlier)| format!("{} and {}", plan.label(earlier), plan.label(later)))
        .collect();
    (!pairs.is_empty()).then(|| {
        warning(format!(
            "{} did not think the same: their rates are compared, their times are not",
            pairs.join("; ")
        ))
    })
}

/// Names of the models of which this is so.
fn named(plan: &ControlPlan, is_it: impl Fn(usize) -> bool) -> Vec<&str> {
    let models = plan.models.iter().enumerate().filter(|(model, _)| is_it(*model));
    models.map(|(_, model)| model.name.as_str()).collect()
}

fn cut_off(plan: &ControlPlan, samples: &Samples) -> Option<Finding> {
    let is_cut = |answer: &Generation| answer.finish == FinishReason::Length;
    let names = named(plan, |model| {
        answers(plan, samples, model).any(|(_, sample)| is_cut(&sample.answer))
    });
    (!names.is_empty()).then(|| {
        warning(format!(
            "{}: cut off at {} tokens before the end; a larger --max-tokens shows the whole answer",
            names.join(", "),
            plan.max_tokens
        ))
    })
}

/// Answers without a rate.
fn uncounted(plan: &ControlPlan, samples: &Samples, rates: &Series) -> Option<Finding> {
    let names = named(plan, |model| {
        let n_answers = samples.get(model).map_or(0, BTreeMap::len);
        rates.of(model).len() < n_answers
    });
    (!names.is_empty()).then(|| {
        warning(format!(
            "{}: no rate for want of a count of tokens or of a time to set it against; its times stand",
            names.join(", ")
        ))
    })
}

/// Which servers answered, where they say.
fn engines(plan: &ControlPlan, samples: &Samples) -> Option<Finding> {
    let mut engines: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (model, record) in plan.models.iter().enumerate() {
        for (_, sample) in answers(plan, samples, model) {
            let engine = sample.ready.engine.as_deref().unwrap_or("a server without a name");
            engines.entry(engine).or_default().insert(&record.name);
        }
    }
    let whose = |(engine, names): (&&str, &BTreeSet<&str>)| {
        let names: Vec<&str> = names.iter().copied().collect();
        format!("{engine}: {}", names.join(", "))
    };
    let list: Vec<String> = engines.iter().map(whose).collect();
    match engines.len() {
        0 => None,
        1 => Some(note(format!("answered by {}", list.join("; ")))),
        _ => Some(warning(format!(
            "a difference may be the servers' as well as the builds': {}",
            list.join("; ")
        ))),
    }
}

/// What the servers themselves gave to know, each thing once with the models it was said of.
fn told(plan: &ControlPlan, samples: &Samples) -> Vec<Finding> {
    let mut told: Vec<(&Finding, Vec<&str>)> = Vec::new();
    for (model, record) in plan.models.iter().enumerate() {
        for (_, sample) in answers(plan, samples, model) {
            for finding in &sample.ready.findings {
                let known = told.iter().position(|(known, _)| *known == finding);
                let known = known.unwrap_or_else(|| {
                    told.push((finding, Vec::new()));
                    told.len() - 1
                });
                let names = &mut told[known].1;
                if !names.contains(&record.name.as_str()) {
                    names.push(&record.name);
                }
            }
        }
    }
    let with_names = |(finding, names): (&Finding, Vec<&str>)| Finding {
        severity: finding.severity,
        message: format!("{}: {}", names.join(", "), finding.message),
    };
    told.into_iter().map(with_names).collect()
}
