//! What texts say about a pair. Owns which figure counts for which question.

use crate::record::{Estimate, Instrument, Lineage, ModelRecord, Question, noise_floor};
use crate::stats::{facing_error, p_above, p_from_interval};

use super::measurement::{Kind, Measurement, Noise, Unjudged};
use super::settings::VerdictSettings;
use super::table::{Figure, Table};

/// One measurement per text.
///
/// Perplexity on real text is the figure wherever a quantization-aware file takes part, and against the
/// original: it needs no yardstick, while the distance from the original counts what the training moved
/// as if it were loss. Between two plain builds the distance counts, because it tells them apart with
/// far less text; unless the yardstick is itself quantized.
pub(super) fn measurements<'a>(
    table: Table<'a>,
    question: Question,
    (candidate, versus): (&'a ModelRecord, &'a ModelRecord),
    settings: &VerdictSettings,
) -> Vec<Measurement<'a>> {
    let pair = (table.form_of(&candidate.name), table.form_of(&versus.name));
    let (margins, stopped) = (settings.margins, settings.stopped_early.as_slice());
    if question == Question::Ceiling {
        let mut rows = table.of(Instrument::Fidelity, "ln_ppl_ratio");
        let mut found = Vec::new();
        for (index, row) in rows.by_ref() {
            let is_it = row.candidate == pair.0
                && row.reference.as_deref() == Some(versus.name.as_str())
                && row.versus.is_none();
            let figure = Figure::of(index, row).filter(|_| is_it);
            found.extend(figure.map(|figure| (row, figure)));
        }
        return each_text(found, (Kind::Perplexity, margins.ln_ppl), stopped, |_| 0.0);
    }
    let is_qat = |model: &ModelRecord| model.lineage.contains(&Lineage::Qat);
    if !is_qat(candidate) && !is_qat(versus) {
        let to_original = |row: &Estimate| !row.setting.contains_key("proxy_reference");
        let found: Vec<_> = table
            .differences(Instrument::Fidelity, "kld_mean_diff", pair)
            .filter(|(row, _)| to_original(row))
            .collect();
        if !found.is_empty() {
            let floor = |scope: &str| noise_floor(table.rows, scope);
            return each_text(found, (Kind::Divergence, margins.kld), stopped, floor);
        }
    }
    let found = table.differences(Instrument::Fidelity, "ln_ppl_ratio", pair).collect();
    each_text(found, (Kind::Perplexity, margins.ln_ppl), stopped, |_| 0.0)
}

/// The first figure of each text; of two references the first is the original.
fn each_text<'a>(
    found: Vec<(&'a Estimate, Figure)>,
    judged_by: (Kind, f64),
    stopped: &[String],
    floor: impl Fn(&str) -> f64,
) -> Vec<Measurement<'a>> {
    let mut all: Vec<Measurement<'a>> = Vec::new();
    for (row, figure) in found {
        if all.iter().all(|known| known.scope != row.scope) {
            let why = match figure.n {
                0 | 1 => Unjudged::OneWindow,
                _ if stopped.contains(&row.scope) => Unjudged::StoppedEarly,
                _ => Unjudged::NoInterval,
            };
            all.push(measurement((&row.scope, why), figure, judged_by, floor(&row.scope)));
        }
    }
    all
}

/// Both figures are losses: a gain is less of them. `why`: the reason where there is no interval;
/// `floor`: differences up to it are the machine's.
fn measurement(
    (scope, why): (&str, Unjudged),
    loss: Figure,
    (kind, margin): (Kind, f64),
    floor: f64,
) -> Measurement<'_> {
    let gain = loss.turned();
    let is_noise = gain.value.abs() <= floor && floor > 0.0;
    let tested = gain.interval.filter(|_| !is_noise);
    let p_differs = tested.map_or(1.0, |interval| p_from_interval(gain.value, interval, 0.0));
    let p_not_worse = gain.interval.map_or(1.0, |interval| p_above(gain.value, interval, -margin));
    let error = gain.interval.map(|interval| facing_error(gain.value, interval, 0.0));
    Measurement {
        kind,
        scope,
        gain: gain.value,
        interval: gain.interval,
        p_differs,
        p_not_worse,
        margin,
        noise: error.map_or(Noise::Unknown(why), Noise::Error),
        n: gain.n,
        rows: vec![gain.row],
    }
}
