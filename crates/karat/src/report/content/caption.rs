//! The line above a table that says what its figures rest on.
//! Owns windows, design effects, rulers, levels and the proxy label in words.

use std::ops::RangeInclusive;

use crate::record::{Estimate, RunDocument};
use crate::report::number::{percent, short};
use crate::report::rows::{Rows, Ruler, ruler_text, window_noun};
use crate::units::count;

/// `60 windows · design effect 1.42 to 2.1 · n_ctx 512`, as far as known.
pub(super) fn basis<'a>(
    ruler: &Ruler,
    figures: impl IntoIterator<Item = &'a Estimate>,
    design_effects: impl IntoIterator<Item = &'a Estimate>,
) -> String {
    let n_windows = range(figures.into_iter().map(|row| row.n)).map(|n| match n {
        n if *n.end() == 1 => count(1, window_noun(ruler)),
        n => format!("{} {}s", range_text(&n, |n: u64| n.to_string()), window_noun(ruler)),
    });
    let effects =
        design_effects.into_iter().filter_map(|row| row.value).filter(|value| value.is_finite());
    let effect =
        range(effects).map(|effect| format!("design effect {}", range_text(&effect, short)));
    let ruler = Some(ruler_text(ruler)).filter(|text| !text.is_empty());
    [n_windows, effect, ruler].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The name of a reference with what a reader must not overlook about it.
pub(super) fn reference_name(rows: Rows<'_>, reference: &str) -> String {
    if is_proxy(rows, reference) {
        format!("{reference} (PROXY reference: itself quantized, not the original)")
    } else {
        reference.to_owned()
    }
}

/// Whether a quantized file stands in for the original here.
pub(super) fn is_proxy(rows: Rows<'_>, reference: &str) -> bool {
    rows.model(reference).is_some_and(|model| model.proxy_reference)
}

/// `[95 %]`: the level of these rows' intervals, or of the run's where none of them has one.
pub(super) fn level<'a>(
    doc: &RunDocument,
    figures: impl IntoIterator<Item = &'a Estimate>,
) -> String {
    let levels = range(figures.into_iter().filter_map(|row| row.level));
    let levels = levels.unwrap_or(doc.run.level..=doc.run.level);
    format!("[{}]", range_text(&levels, percent))
}

/// What the intervals of several pairs are together, by how their texts were read.
pub(super) fn share_of_error<'a>(
    doc: &RunDocument,
    figures: impl IntoIterator<Item = &'a Estimate>,
) -> &'static str {
    let stopped: Vec<bool> =
        figures.into_iter().map(|row| stopped_early(doc, &row.scope)).collect();
    match (stopped.contains(&true), stopped.contains(&false)) {
        (true, false) => "the intervals of all pairs of a text hold together",
        (true, true) => {
            "where a text was read in part, the intervals of all its pairs hold together; elsewhere \
             each stands by itself"
        }
        _ => "each interval stands by itself, whatever the number of pairs",
    }
}

/// Whether a text's windows decided themselves when to stop.
pub(super) fn stopped_early(doc: &RunDocument, scope: &str) -> bool {
    doc.texts.iter().any(|text| text.name == scope && text.stopped_early)
}

/// The least and the greatest.
pub(super) fn range<T: PartialOrd + Copy>(
    values: impl Iterator<Item = T>,
) -> Option<RangeInclusive<T>> {
    values.fold(None, |range, value| match range {
        None => Some(value..=value),
        Some(range) if value < *range.start() => Some(value..=*range.end()),
        Some(range) if value > *range.end() => Some(*range.start()..=value),
        range => range,
    })
}

/// `1.42 to 2.1`; one where both read alike.
pub(super) fn range_text<T: Copy>(range: &RangeInclusive<T>, text: impl Fn(T) -> String) -> String {
    let (first, last) = (text(*range.start()), text(*range.end()));
    if first == last { first } else { format!("{first} to {last}") }
}
