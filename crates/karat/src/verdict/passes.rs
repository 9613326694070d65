//! What tasks say about a pair. Owns the joining of the test by task with the one by family.

use crate::record::{Estimate, Instrument};
use crate::stats::{FEWEST_FAMILIES, PairedCounts, non_inferiority_p, p_above};

use super::measurement::{Kind, Measurement, Noise};
use super::table::{Figure, Table};

/// Every task of the suite.
const ALL: &str = "all";

/// The pair's pass rates; `None` where the two have no task in common.
///
/// A difference has to be plain twice: by task (mid-p McNemar) and, from six families on, by family
/// (sign flips), because tasks of a family go together and a lead in one of them is no lead in general.
/// The larger p value counts. With fewer families no test by family could reject, and what is said is
/// said of these families. Not being worse is by Tango's score test at the margin, and by family on the
/// end of its interval.
pub(super) fn measurement<'a>(
    table: Table<'a>,
    (candidate, versus): (&'a str, &'a str),
    margin: f64,
) -> Option<Measurement<'a>> {
    let pair = (candidate, versus);
    let is_all = |row: &Estimate| row.scope == ALL;
    let (_, difference) = table
        .differences(Instrument::Behaviour, "pass_rate_diff", pair)
        .find(|(row, _)| is_all(row))?;
    let alone = |one: &'a str, other: &'a str| {
        let mut rows = table.of(Instrument::Behaviour, "passed_alone");
        let (index, row) = rows.find(|(_, row)| {
            is_all(row) && row.candidate == one && row.versus.as_deref() == Some(other)
        })?;
        Some((index, row.value? as u64))
    };
    let (first, second) = (alone(candidate, versus)?, alone(versus, candidate)?);
    let counts = PairedCounts::from_discordant(first.1, second.1, difference.n)?;
    // p values do not depend on who is subtracted from whom.
    let p_value = |metric: &'static str| {
        let mut rows = table.differences(Instrument::Behaviour, metric, pair);
        let (row, figure) = rows.find(|(row, _)| is_all(row))?;
        Some((row.value?, figure))
    };
    let mid_p = p_value("pass_p_mid")?;
    let by_family = p_value("pass_p_family").filter(|(_, figure)| is_telling(figure));
    let family_mean = table
        .difference_with("pass_rate_diff", pair, ("unit", "family"))
        .filter(is_telling)
        .and_then(|figure| Some((figure, figure.interval?)));
    let by_task = non_inferiority_p(&counts, margin);
    let p_not_worse = family_mean.map_or(by_task, |(figure, interval)| {
        by_task.max(p_above(figure.value, interval, -margin))
    });
    let mut rows = vec![difference.row, first.0, second.0, mid_p.1.row];
    rows.extend(by_family.map(|(_, figure)| figure.row));
    rows.extend(family_mean.map(|(figure, _)| figure.row));
    // Where few were discordant, about as many as one more would make of it: none is no promise.
    let discordance = (counts.discordant() as f64 + 1.0) / (counts.n() as f64 + 2.0);
    Some(Measurement {
        kind: Kind::Passes,
        scope: ALL,
        gain: difference.value,
        interval: difference.interval,
        p_differs: by_family.map_or(mid_p.0, |(p_value, _)| p_value.max(mid_p.0)),
        p_not_worse,
        margin,
        noise: Noise::Discordance(discordance),
        n: counts.n(),
        rows,
    })
}

/// Whether a figure by family is of enough families to reject anything.
fn is_telling(figure: &Figure) -> bool {
    figure.n >= FEWEST_FAMILIES as u64
}
