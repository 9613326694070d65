//! How many blocks figures of speed rest on: in the line above a table, and row by row where that
//! differs.
//! Owns those words and that column.

use std::ops::RangeInclusive;

use super::caption::{range, range_text};
use crate::record::Estimate;
use crate::report::number::{RATIO, figure};
use crate::report::page::{Align, Cell, Column, Table};
use crate::units::count;

/// `8 blocks`, `6 to 8 blocks`.
pub(super) fn text<'a>(figures: impl IntoIterator<Item = &'a Estimate>) -> String {
    match n_blocks(figures) {
        None => count(0, "block"),
        Some(n) if *n.end() == 1 => count(1, "block"),
        Some(n) => format!("{} blocks", numbers(&n)),
    }
}

/// The table with the blocks of each row's figures, where they are not the same everywhere.
pub(super) fn in_table(mut table: Table, figures: &[Vec<&Estimate>]) -> Table {
    let is_same = |n: RangeInclusive<u64>| n.start() == n.end();
    if n_blocks(figures.iter().flatten().copied()).is_none_or(is_same) {
        return table;
    }
    table.columns.push(Column::new("blocks", "", Align::Point));
    for (row, figures) in table.rows.iter_mut().zip(figures) {
        let n = n_blocks(figures.iter().copied());
        row.push(n.map_or_else(Cell::missing, |n| Cell::plain(numbers(&n))));
    }
    table
}

/// `noise floor: m against itself 1.002 [0.991, 1.013]`, with its blocks where the table's figures
/// rest on others.
pub(super) fn noise_floor<'a>(
    floor: &Estimate,
    figures: impl IntoIterator<Item = &'a Estimate>,
) -> String {
    let Cell { text, interval, .. } = figure(Some(floor), RATIO);
    let is_other = n_blocks(figures).is_some_and(|n| n != (floor.n..=floor.n));
    let n = is_other.then(|| format!("({})", count(floor.n, "block")));
    let words = [Some(text), interval, n].into_iter().flatten().collect::<Vec<_>>().join(" ");
    format!("noise floor: {} against itself {words}", floor.candidate)
}

/// The fewest and the most; what rests on no block, like a size, does not count.
fn n_blocks<'a>(figures: impl IntoIterator<Item = &'a Estimate>) -> Option<RangeInclusive<u64>> {
    range(figures.into_iter().map(|row| row.n).filter(|n| *n > 0))
}

fn numbers(n: &RangeInclusive<u64>) -> String {
    range_text(n, |n| n.to_string())
}
