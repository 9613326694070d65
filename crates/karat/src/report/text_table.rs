//! A table in fixed-width characters: columns line up, numbers at their decimal point.
//! Owns widths and padding; never decides what stands in a cell.

use super::page::{Align, Cell, Column, Table};
use super::text::{Ink, MAX_WIDTH};

const INDENT: &str = "  ";
const GAP: usize = 2;
/// Indent of the figures, beyond the table's own, where each row's name has a line of its own.
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

/// The table's lines. One that would be wider than [`MAX_WIDTH`] gets as many of its leading columns
/// of words as needed on a line of their own above each row's figures, so that names are never cut.
pub(super) fn lines(table: &Table, ink: Ink) -> Vec<String> {
    let widths: Vec<Widths> =
        table.columns.iter().enumerate().map(|(i, column)| measure(column, table, i)).collect();
    let n_stacked = n_stacked(&table.columns, &widths);
    let has_units = table.columns.iter().any(|column| !column.unit.is_empty());
    let header = |text: fn(&Column) -> &str| {
        let titles = std::iter::zip(&table.columns, &widths).skip(n_stacked);
        let drawn = titles.map(|(column, widths)| title(text(column), column.align, *widths));
        ink.faint(&line(stack_indent(n_stacked).into_iter().chain(drawn)))
    };
    let mut lines = vec![header(|column| &column.title)];
    if has_units {
        lines.push(header(|column| &column.unit));
    }
    for row in &table.rows {
        let names = row[..n_stacked].iter().filter(|cell| !cell.text.is_empty());
        let names: Vec<String> = names.map(|cell| ink.tone(&cell.text, cell.tone)).collect();
        if !names.is_empty() {
            lines.push(line(names.into_iter()));
        }
        let cells = row.iter().zip(&table.columns).zip(&widths).skip(n_stacked);
        let drawn = cells.map(|((cell, column), widths)| draw(cell, column.align, *widths, ink));
        lines.push(line(stack_indent(n_stacked).into_iter().chain(drawn)));
    }
    lines
}

/// How many leading columns of words do not fit beside the figures.
fn n_stacked(columns: &[Column], widths: &[Widths]) -> usize {
    let n_words = columns.iter().take_while(|column| column.align == Align::Left).count();
    let fits = |n: usize| {
        let indent = INDENT.len() + if n == 0 { 0 } else { STACKED_INDENT };
        let total: usize = widths[n..].iter().map(|widths| widths.total + GAP).sum();
        indent + total.saturating_sub(GAP) <= MAX_WIDTH
    };
    (0..n_words).find(|n| fits(*n)).unwrap_or(n_words)
}

/// An empty cell that, with the gap after it, indents what follows.
fn stack_indent(n_stacked: usize) -> Option<String> {
    (n_stacked > 0).then(|| " ".repeat(STACKED_INDENT - GAP))
}

fn title(text: &str, align: Align, widths: Widths) -> String {
    // Over a value with its interval the title begins where the value does.
    let is_right = align == Align::Point && widths.interval == 0;
    let width = widths.total;
    if is_right { format!("{text:>width$}") } else { format!("{text:<width$}") }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("{INDENT}{}", cells.join(&" ".repeat(GAP))).trim_end().to_owned()
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
