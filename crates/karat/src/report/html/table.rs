//! Tables that sort: real tables with scopes and captions.
//! Owns their markup and the keys they are sorted by; the sorting itself is in `script.js`.

use maud::{Markup, html};

use crate::report::page::{Align, Cell, Column, Table, Tone};
use crate::visible::visible;

/// What stands over a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Captions<'a> {
    /// What it shows and rests on, a line each.
    Own(&'a [String]),
    /// The same as over the table before: only told to those who do not see that one.
    OfTableBefore(&'a [String]),
}

/// A table in a box of its own, which scrolls where the table is wider than the page.
pub(super) fn markup(table: &Table, captions: Captions<'_>) -> Markup {
    let (captions, class) = match captions {
        Captions::Own(captions) => (captions, None),
        Captions::OfTableBefore(captions) => (captions, Some("repeated")),
    };
    let shown: Vec<usize> =
        (0..table.columns.len()).filter(|i| table.columns[*i].align != Align::Drawing).collect();
    let label = captions.first().map_or("table", String::as_str);
    html! {
        div.scroll role="region" tabindex="0" aria-label=(visible(label)) {
            table {
                caption class=[class] {
                    @for (i, line) in captions.iter().enumerate() {
                        @if i == 0 { strong { (visible(line)) } }
                        @else { span { (visible(line)) } }
                    }
                }
                thead {
                    tr { @for i in &shown { (header(&table.columns[*i])) } }
                }
                tbody {
                    @for (row_idx, row) in table.rows.iter().enumerate() {
                        tr {
                            @for i in &shown {
                                (cell(&filled(table, row_idx, *i), *i, table.columns[*i].align, row.get(*i)))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn header(column: &Column) -> Markup {
    let class = (column.align == Align::Point).then_some("num");
    html! {
        th scope="col" class=[class] {
            (visible(&column.title))
            @if !column.unit.is_empty() { " " span.unit { (visible(&column.unit)) } }
        }
    }
}

/// The cell to show: an empty word repeats the one above it, because sorted rows part company.
fn filled(table: &Table, row_idx: usize, column_idx: usize) -> Cell {
    let is_word = table.columns[column_idx].align == Align::Left;
    let above = table.rows[..=row_idx].iter().rev().filter_map(|row| row.get(column_idx));
    let mut cells = above.filter(|cell| !is_word || !cell.text.is_empty());
    cells.next().cloned().unwrap_or_else(Cell::missing)
}

fn cell(cell: &Cell, column_idx: usize, align: Align, given: Option<&Cell>) -> Markup {
    let tone = match cell.tone {
        Tone::Plain => "",
        Tone::Faint => "faint",
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Open => "open",
    };
    let repeated = if given.is_some_and(|given| given.text.is_empty()) { "again" } else { "" };
    let num = if align == Align::Point { "num" } else { "" };
    let classes: Vec<&str> = [num, tone, repeated].into_iter().filter(|c| !c.is_empty()).collect();
    let class = (!classes.is_empty()).then(|| classes.join(" "));
    let key = (align == Align::Point).then(|| sort_key(&cell.text)).flatten();
    html! {
        @if column_idx == 0 {
            th scope="row" class=[class] data-key=[key] { (visible(&cell.text)) }
        } @else {
            td class=[class] data-key=[key] {
                (visible(&cell.text))
                @if let Some(interval) = &cell.interval {
                    " " span.interval { (interval) }
                }
            }
        }
    }
}

/// The number a printed figure stands for, its unit of size counted in; none for words and dashes.
fn sort_key(text: &str) -> Option<f64> {
    let mut words = text.split_whitespace();
    let number: f64 = words.next()?.parse().ok().filter(|number: &f64| number.is_finite())?;
    let factor = match words.next() {
        Some("kB") => 1e3,
        Some("MB") => 1e6,
        Some("GB") => 1e9,
        Some("TB") => 1e12,
        Some("KiB") => 2_f64.powi(10),
        Some("MiB") => 2_f64.powi(20),
        Some("GiB") => 2_f64.powi(30),
        Some("TiB") => 2_f64.powi(40),
        _ => 1.0,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::{Captions, markup, sort_key};
    use crate::report::page::{Align, Cell, Column, Table};

    #[track_caller]
    fn check(text: &str, key: Option<f64>) {
        assert_eq!(sort_key(text), key);
    }

    #[test]
    fn figures_sort_by_what_they_mean() {
        check("-0.12", Some(-0.12));
        check("4.58 GB", Some(4.58e9));
        check("512 MiB", Some(536_870_912.0));
        check("7 tokens", Some(7.0));
        check("—", None);
        check("reference", None);
        check("nan", None);
        check("", None);
    }

    #[test]
    fn a_word_left_out_because_it_is_that_of_the_row_above_is_written_again() {
        let columns = ["pair", "text"].map(|title| Column::new(title, "", Align::Left)).into();
        let rows = [["a - b", "one"], ["", "two"]].map(|row| row.map(Cell::plain::<&str>).into());
        let page = markup(&Table { columns, rows: rows.into() }, Captions::Own(&[])).into_string();
        assert_eq!(page.matches(">a - b</th>").count(), 2, "{page}");
    }

    #[test]
    fn names_are_data() {
        let columns = vec![Column::new("<b>", "\"", Align::Left)];
        let rows = vec![vec![Cell::plain("\"><img onerror=x>\u{202e}")]];
        let page = markup(&Table { columns, rows }, Captions::Own(&["</caption>".to_owned()]))
            .into_string();
        assert!(!page.contains("<img") && !page.contains("<b>"), "{page}");
        assert!(page.contains(r"&lt;img onerror=x&gt;\u{202e}"), "{page}");
        assert_eq!(page.matches("</caption>").count(), 1, "{page}");
    }
}
