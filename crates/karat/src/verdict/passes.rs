//! What tasks say about a pair. Owns the joining of the test by task with the one by family.

use crate::record::{Estimate, Instrument};
use crate::stats::{FEWEST_FAMILIES, PairedCounts, non_inferiority_p, p_above, wilson};

use super::measurement::{Kind, Measurement, Noise, Passed};
use super::table::{Figure, Table};

/// Every task of the suite.
const ALL: &str = "all";
/// Level where a difference has no interval.
const USUAL_LEVEL: f64 = 0.95;

/// The pair's pass rates; `None` where the two have no task in common.
///
/// A difference has to be plain twice: by task (mid-p McNemar) and, from six families on, by family
/// (sign flips), because tasks of a family go together and a lead in one of them is no lead in general.
/// The larger p value counts. With fewer families no test by family could reject, and what is said is
/// said of these families. Not being worse is by Tango's score test at the margin, and by family on the
/// end of its interval; it is not claimed beside a build that may pass less than the margin itself, which
/// nobody could be worse than by it.
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
    let tasks = |metric: &'static str, one: &'a str, other: &'a str| {
        let mut rows = table.of(Instrument::Behaviour, metric);
        let (index, row) = rows.find(|(_, row)| {
            is_all(row) && row.candidate == one && row.versus.as_deref() == Some(other)
        })?;
        Some((index, row.value? as u64))
    };
    let alone = |one, other| tasks("passed_alone", one, other);
    let (first, second) = (alone(candidate, versus)?, alone(versus, candidate)?);
    let both = tasks("passed_both", candidate, versus)
        .or_else(|| tasks("passed_both", versus, candidate))?;
    let counts = PairedCounts::from_discordant(first.1, second.1, difference.n)?;
    let passed = passed((first.1, second.1, both.1), difference, margin)?;
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
    let p_not_worse = match family_mean {
        _ if !passed.has_room => 1.0,
        None => by_task,
        Some((figure, interval)) => by_task.max(p_above(figure.value, interval, -margin)),
    };
    let mut rows = vec![difference.row, first.0, second.0, both.0, mid_p.1.row];
    rows.extend(by_family.map(|(_, figure)| figure.row));
    rows.extend(family_mean.map(|(figure, _)| figure.row));
    // Where few were discordant, about as many as one more would make of it: none is no promise.
    let discordance = (counts.discordant() as f64 + 1.0) / (counts.n() as f64 + 2.0);
    Some(Measurement {
        kind: Kind::Passes(passed),
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

/// From the tasks that the first alone, the second alone and both pass. `difference`: of the same pair.
fn passed(
    (first_only, second_only, both): (u64, u64, u64),
    difference: Figure,
    margin: f64,
) -> Option<Passed> {
    let versus = both + second_only;
    let level = difference.interval.map_or(USUAL_LEVEL, |interval| interval.level);
    let surely = wilson(versus, difference.n, level)?.interval?.lo;
    Some(Passed { candidate: both + first_only, versus, has_room: surely > margin })
}

/// Whether a figure by family is of enough families to reject anything.
fn is_telling(figure: &Figure) -> bool {
    figure.n >= FEWEST_FAMILIES as u64
}
