//! Finding rows for a pair of builds, whichever of the two was subtracted from the other.
//! Owns the turning round; never judges.

use crate::record::{Estimate, Instrument};
use crate::stats::Interval;

/// Settings that make a row one of a part of something, or made in another way than the main one.
const APART: [&str; 5] = ["position", "positions", "unit", "pairs", "budget"];
/// What the scope of all texts of one language begins with.
const LANGUAGE: &str = "language:";

/// The tidy table.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) rows: &'a [Estimate],
}

/// A figure of a pair, as candidate - versus, with the row it came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figure {
    pub(super) row: usize,
    pub(super) value: f64,
    pub(super) interval: Option<Interval>,
    pub(super) n: u64,
}

impl Figure {
    pub(super) fn of(row: usize, estimate: &Estimate) -> Option<Self> {
        let ends = estimate.lo.zip(estimate.hi).zip(estimate.level);
        let interval = ends.map(|((lo, hi), level)| Interval { lo, hi, level });
        Some(Self { row, value: estimate.value?, interval, n: estimate.n })
    }

    /// The same with the builds changed over.
    pub(super) fn turned(self) -> Self {
        let interval = self.interval.map(|i| Interval { lo: -i.hi, hi: -i.lo, level: i.level });
        Self { value: -self.value, interval, ..self }
    }
}

impl<'a> Table<'a> {
    /// Rows of one instrument and metric, of whole things only, with their indexes.
    pub(super) fn of(
        self,
        instrument: Instrument,
        metric: &'a str,
    ) -> impl Iterator<Item = (usize, &'a Estimate)> {
        self.rows.iter().enumerate().filter(move |(_, row)| {
            row.instrument == instrument && row.metric == metric && is_whole(row)
        })
    }

    /// Every difference of a pair, turned so that it is candidate - versus. `wanted` says which of the
    /// rows; `further`: a setting that it has to have, or that it may not be a part.
    pub(super) fn differences(
        self,
        instrument: Instrument,
        metric: &'a str,
        (candidate, versus): (&'a str, &'a str),
    ) -> impl Iterator<Item = (&'a Estimate, Figure)> {
        self.of(instrument, metric)
            .filter_map(move |(index, row)| oriented(index, row, (candidate, versus)))
    }

    /// The difference of a pair among rows with this setting.
    pub(super) fn difference_with(
        self,
        metric: &str,
        pair: (&str, &str),
        (name, value): (&str, &str),
    ) -> Option<Figure> {
        let has = |row: &Estimate| {
            row.metric == metric
                && row.scope == "all"
                && row.setting.get(name).is_some_and(|found| found == value)
                && row.setting.keys().filter(|name| APART.contains(&name.as_str())).count() == 1
        };
        let mut rows = self.rows.iter().enumerate().filter(|(_, row)| has(row));
        rows.find_map(|(index, row)| Some(oriented(index, row, pair)?.1))
    }

    /// Names in fidelity rows that are forms of a model: itself, or itself with a KV cache type.
    pub(super) fn form_of(self, model: &'a str) -> &'a str {
        let mut names = self.rows.iter().filter(|row| row.instrument == Instrument::Fidelity);
        let is_exact = self
            .rows
            .iter()
            .any(|row| row.instrument == Instrument::Fidelity && row.candidate == model);
        if is_exact {
            return model;
        }
        let is_form =
            |name: &str| name.strip_prefix(model).is_some_and(|rest| rest.starts_with(" kv "));
        names.find(|row| is_form(&row.candidate)).map_or(model, |row| row.candidate.as_str())
    }
}

/// Whether a row is of all there is, not of a part, a language or a variant.
fn is_whole(row: &Estimate) -> bool {
    !row.scope.starts_with(LANGUAGE) && APART.iter().all(|name| !row.setting.contains_key(*name))
}

fn oriented<'a>(
    index: usize,
    row: &'a Estimate,
    (candidate, versus): (&str, &str),
) -> Option<(&'a Estimate, Figure)> {
    let figure = Figure::of(index, row)?;
    match (row.candidate.as_str(), row.versus.as_deref()?) {
        pair if pair == (candidate, versus) => Some((row, figure)),
        pair if pair == (versus, candidate) => Some((row, figure.turned())),
        _ => None,
    }
}
