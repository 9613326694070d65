//! KLD against the position in the window: a drawing per build, with its first and last bucket.
//! Owns this table; all buckets with their figures are in csv, json and the page's plot. With several
//! texts it would be half of the report, so it is shown for one, or where the first half was asked for.

use super::caption;
use crate::record::{Estimate, RunDocument};
use crate::report::number::{MILLI_NATS, figure};
use crate::report::page::{Align, Block, Cell, Column, Table};
use crate::report::rows::{Place, Rows};
use crate::report::strip::spark;

/// The table of a text; none where nothing is known by position, or where the text is not the only
/// one and nobody asked for more.
pub(super) fn table(
    doc: &RunDocument,
    rows: Rows<'_>,
    place: Place<'_>,
    builds: &[&str],
    is_only: bool,
) -> Option<Block> {
    let by_build: Vec<(&str, Vec<(&str, &Estimate)>)> =
        builds.iter().map(|&build| (build, rows.by_position(place, build))).collect();
    let buckets = by_build.iter().map(|(_, buckets)| buckets).find(|buckets| buckets.len() > 1)?;
    let (first, last) = (buckets.first()?.0, buckets.last()?.0);
    let level = caption::level(doc, buckets.iter().map(|(_, row)| *row));
    let unit = format!("{} {level}", MILLI_NATS.unit);
    let halves = || by_build.iter().filter_map(|(build, _)| rows.first_half(place, build));
    let has_first_half = halves().next().is_some();
    if !is_only && !has_first_half {
        return None;
    }
    let mut columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("KLD by position", "from zero", Align::Drawing),
        Column::new(&format!("at {first}"), &unit, Align::Point),
        Column::new(&format!("at {last}"), &unit, Align::Point),
    ];
    if has_first_half {
        let unit = format!("{} {}", MILLI_NATS.unit, caption::level(doc, halves()));
        columns.push(Column::new("first half", &unit, Align::Point));
    }
    let row = |(build, buckets): &(&str, Vec<(&str, &Estimate)>)| {
        let values: Vec<Option<f64>> = buckets.iter().map(|(_, row)| row.value).collect();
        let named = |name| buckets.iter().find(|(bucket, _)| *bucket == name).map(|(_, row)| *row);
        let mut cells = vec![
            Cell::plain(*build),
            Cell::plain(spark(&values)),
            figure(named(first), MILLI_NATS),
            figure(named(last), MILLI_NATS),
        ];
        if has_first_half {
            cells.push(figure(rows.first_half(place, build), MILLI_NATS));
        }
        cells
    };
    Some(Block::Table(Table { columns, rows: by_build.iter().map(row).collect() }))
}
