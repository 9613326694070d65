//! From figures to rows of the tidy table.
//! Owns who and what a row names; never computes a figure.

use std::collections::BTreeMap;

use super::track::{ModelDifference, ModelTrack, PairDifference, PairTrack};
use super::{
    Figure, MODEL_DIFFERENCE_METRICS, MODEL_METRICS, Metric, PAIR_DIFFERENCE_METRICS, PAIR_METRICS,
};
use crate::record::{Estimate, Instrument};
use crate::stats::Bootstrap;

/// What the figures were measured on: part of every row.
#[derive(Clone, Copy, Debug)]
pub struct Ruler<'a> {
    /// Short name of the text.
    pub scope: &'a str,
    /// Settings, e.g. `n_ctx = 512`.
    pub setting: &'a BTreeMap<String, String>,
}

/// Whose figures they are: the name columns of a row.
#[derive(Clone, Copy)]
struct Subject<'a> {
    candidate: &'a str,
    reference: Option<&'a str>,
    versus: Option<&'a str>,
    n_windows: usize,
}

/// Rows of one model on its own: `ppl`.
pub fn model_rows(track: &ModelTrack, ruler: &Ruler, bootstrap: &Bootstrap) -> Vec<Estimate> {
    let subject = Subject {
        candidate: track.name,
        reference: None,
        versus: None,
        n_windows: track.windows.len(),
    };
    rows(&figures(MODEL_METRICS, track, bootstrap), subject, ruler)
}

/// Rows of one candidate minus another, where no reference is needed: `ln_ppl_ratio`.
pub fn model_difference_rows(
    models: &ModelDifference,
    ruler: &Ruler,
    bootstrap: &Bootstrap,
) -> Vec<Estimate> {
    let subject = Subject {
        candidate: models.candidate.name,
        reference: None,
        versus: Some(models.versus.name),
        n_windows: models.candidate.windows.len(),
    };
    rows(&figures(MODEL_DIFFERENCE_METRICS, models, bootstrap), subject, ruler)
}

/// Rows of a candidate against a reference: `ln_ppl_ratio`, all of KLD, `reverse_kld_mean`,
/// `same_top_p`, `top5_overlap`, `delta_p_mean`, `delta_p_rms`.
pub fn pair_rows(pair: &PairTrack, ruler: &Ruler, bootstrap: &Bootstrap) -> Vec<Estimate> {
    let subject = Subject {
        candidate: pair.candidate.name,
        reference: Some(pair.reference.name),
        versus: None,
        n_windows: pair.windows.len(),
    };
    rows(&figures(PAIR_METRICS, pair, bootstrap), subject, ruler)
}

/// Rows of one candidate minus another against the same reference: `kld_mean_diff`,
/// `same_top_p_diff`.
pub fn pair_difference_rows(
    pairs: &PairDifference,
    ruler: &Ruler,
    bootstrap: &Bootstrap,
) -> Vec<Estimate> {
    let subject = Subject {
        candidate: pairs.candidate.candidate.name,
        reference: Some(pairs.candidate.reference.name),
        versus: Some(pairs.versus.candidate.name),
        n_windows: pairs.candidate.windows.len(),
    };
    rows(&figures(PAIR_DIFFERENCE_METRICS, pairs, bootstrap), subject, ruler)
}

fn figures<I>(metrics: &[&dyn Metric<I>], input: &I, bootstrap: &Bootstrap) -> Vec<Figure> {
    metrics.iter().flat_map(|metric| metric.figures(input, bootstrap)).collect()
}

fn rows(figures: &[Figure], subject: Subject, ruler: &Ruler) -> Vec<Estimate> {
    figures.iter().map(|figure| row(figure, subject, ruler)).collect()
}

/// One row. A figure that has run to infinity (exp of a huge mean) is undefined like any other.
fn row(figure: &Figure, subject: Subject, ruler: &Ruler) -> Estimate {
    let summary = figure.summary.filter(|summary| summary.value.is_finite());
    let interval = summary
        .and_then(|summary| summary.interval)
        .filter(|interval| interval.lo.is_finite() && interval.hi.is_finite());
    Estimate {
        instrument: Instrument::Fidelity,
        metric: figure.name.to_owned(),
        candidate: subject.candidate.to_owned(),
        reference: subject.reference.map(str::to_owned),
        versus: subject.versus.map(str::to_owned),
        scope: ruler.scope.to_owned(),
        setting: ruler.setting.clone(),
        value: summary.map(|summary| summary.value),
        lo: interval.map(|interval| interval.lo),
        hi: interval.map(|interval| interval.hi),
        level: interval.map(|interval| interval.level),
        n: subject.n_windows as u64,
        unit: figure.unit,
    }
}
