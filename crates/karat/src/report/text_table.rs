//! A table in fixed-width characters: columns line up, numbers at their decimal point.
//! Owns widths and padding; never decides what stands in a cell.

use super::page::{Align, Cell, Column, Table};
use super::text::{Ink, MAX_WIDTH};

const INDENT: &str = "  ";
const GAP: usize = 2;
/// Indent of the figures where each row's name has a line of its own.
const STACKED_INDENT: usize = 4;

/// Widths of one column's parts, in characters.
#[derive(Clone, Copy, Debug, Default)]
struct Widths {
    /// Up to the decimal point, or the whole of a word.
    whole: usize,
    /// The decimal point and what follows.
    fraction: usize,
    /// The interval, with the blank before it.
    interval: usize,
    /// All of it, and no less than the column's title.
    total: usize,
}

/// The table's lines. One that would be wider than [`MAX_WIDTH`] gets its first column on lines of
/// its own above each row's figures, so that long model names are never cut.
pub(super) fn lines(table: &Table, ink: Ink) -> Vec<String> {
    let widths: Vec<Widths> =
        table.columns.iter().enumerate().map(|(i, column)| measure(column, table, i)).collect();
    let total: usize = widths.iter().map(|w| w.total + GAP).sum();
    let is_stacked = total - GAP + INDENT.len() > MAX_WIDTH;
    let mut lines = header(table, &widths, is_stacked, ink);
    for row in &table.rows {
        let cells = row.iter().zip(&table.columns).zip(&widths);
        let mut drawn: Vec<String> =
            cells.map(|((cell, column), widths)| draw(cell, column.align, *widths, ink)).collect();
        if is_stacked {
            let name = drawn.remove(0);
            if !row[0].text.is_empty() {
                lines.push(line(&[name]));
            }
            drawn.insert(0, " ".repeat(STACKED_INDENT - GAP));
        }
        lines.push(line(&drawn));
    }
    lines
}

fn header(table: &Table, widths: &[Widths], is_stacked: bool, ink: Ink) -> Vec<String> {
    let has_units = table.columns.iter().any(|column| !column.unit.is_empty());
    let drawn = |text: fn(&Column) -> &str| {
        let mut cells: Vec<String> = std::iter::zip(&table.columns, widths)
            .map(|(column, widths)| title(text(column), column.align, *widths))
            .collect();
        if is_stacked {
            let rest = cells.split_off(1);
            let first = cells.remove(0);
            let name = first.trim_end();
            cells.push(format!("{name:<width$}", width = STACKED_INDENT - GAP));
            // A long name of the first column has no room beside the others.
            if name.chars().count() > STACKED_INDENT - GAP {
                cells[0] = " ".repeat(STACKED_INDENT - GAP);
            }
            cells.extend(rest);
        }
        ink.faint(&line(&cells))
    };
    let mut lines = vec![drawn(|column| &column.title)];
    if has_units {
        lines.push(drawn(|column| &column.unit));
    }
    lines
}

fn title(text: &str, align: Align, widths: Widths) -> String {
    // Over a value with its interval the title begins where the value does.
    let is_right = align == Align::Point && widths.interval == 0;
    let width = widths.total;
    if is_right { format!("{text:>width$}") } else { format!("{text:<width$}") }
}

fn line(cells: &[String]) -> String {
    let gap = " ".repeat(GAP);
    format!("{INDENT}{}", cells.join(&gap)).trim_end().to_owned()
}

fn measure(column: &Column, table: &Table, column_idx: usize) -> Widths {
    let mut widths = Widths::default();
    for row in &table.rows {
        let cell = &row[column_idx];
        let (whole, fraction) = split(&cell.text, column.align);
        widths.whole = widths.whole.max(len(whole));
        widths.fraction = widths.fraction.max(len(fraction));
        let interval = cell.interval.as_deref().map_or(0, |interval| len(interval) + 1);
        widths.interval = widths.interval.max(interval);
    }
    let cells = widths.whole + widths.fraction + widths.interval;
    widths.total = cells.max(len(&column.title)).max(len(&column.unit));
    widths
}

fn draw(cell: &Cell, align: Align, widths: Widths, ink: Ink) -> String {
    let (whole, fraction) = split(&cell.text, align);
    let (left, right) = match align {
        Align::Left | Align::Drawing => (0, widths.total - len(&cell.text)),
        Align::Point => {
            let used = widths.whole + widths.fraction + widths.interval;
            // A narrow column of numbers keeps to the right, under its title.
            let shift = if widths.interval == 0 { widths.total - used } else { 0 };
            let left = shift + widths.whole - len(whole);
            let right = widths.fraction - len(fraction);
            (left, right)
        }
    };
    let mut text = format!("{}{}", " ".repeat(left), ink.tone(&cell.text, cell.tone));
    text.push_str(&" ".repeat(right));
    let mut used = left + len(&cell.text) + right;
    if let Some(interval) = &cell.interval {
        text.push(' ');
        text.push_str(&ink.faint(interval));
        used += 1 + len(interval);
    }
    text.push_str(&" ".repeat(widths.total.saturating_sub(used)));
    text
}

/// A number before and from its decimal point (or its unit) on; a word whole.
fn split(text: &str, align: Align) -> (&str, &str) {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if align != Align::Point || !is_number {
        return (text, "");
    }
    text.split_at(text.find(['.', ' ', 'e']).unwrap_or(text.len()))
}

fn len(text: &str) -> usize {
    text.chars().count()
}
