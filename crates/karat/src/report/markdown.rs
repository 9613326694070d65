//! The report as Markdown with pipe tables, for issues, pull requests and model cards.
//! Owns the markup; says what the text report says, without colours and drawings.

use std::io::{self, Write};

use super::page::{Align, Block, Cell, Column, Item, Page, Table};
use super::{Format, content};
use crate::record::RunDocument;
use crate::visible::is_hidden;

/// GitHub-flavoured Markdown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Markdown;

impl Format for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn render(&self, doc: &RunDocument, out: &mut dyn Write) -> io::Result<()> {
        write_page(&content::page(doc), out)
    }
}

/// Writes a page, blocks set apart by empty lines.
pub(super) fn write_page(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    for (i, block) in page.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        write_block(block, out)?;
    }
    Ok(())
}

fn write_block(block: &Block, out: &mut dyn Write) -> io::Result<()> {
    match block {
        Block::Title(text) => writeln!(out, "# {}", escaped(text)),
        Block::Heading(text) => writeln!(out, "## {}", escaped(text)),
        Block::Caption(text) => writeln!(out, "{}", escaped(text)),
        Block::Table(table) => write_table(table, out),
        Block::Items(items) => items.iter().try_for_each(|item| write_item(item, out)),
        Block::Lines(lines) => {
            let lines: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
            write_fenced(&lines, "", "diff", out)
        }
        Block::Facts(facts) => facts
            .iter()
            .try_for_each(|(name, value)| writeln!(out, "- {}: {}", escaped(name), escaped(value))),
    }
}

fn write_table(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let is_shown = |column: &Column| column.align != Align::Drawing;
    let columns: Vec<&Column> = table.columns.iter().filter(|column| is_shown(column)).collect();
    let titles = columns.iter().map(|column| heading(column));
    write_row(titles, out)?;
    let rules = columns.iter().map(|column| match column.align {
        Align::Left => "---".to_owned(),
        Align::Point | Align::Drawing => "---:".to_owned(),
    });
    write_row(rules, out)?;
    for row in &table.rows {
        let cells = std::iter::zip(&table.columns, row).filter(|(column, _)| is_shown(column));
        write_row(cells.map(|(_, cell)| cell_text(cell)), out)?;
    }
    Ok(())
}

fn write_row(cells: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| {} |", cells.collect::<Vec<_>>().join(" | "))
}

fn heading(column: &Column) -> String {
    let (title, unit) = (escaped(&column.title), &column.unit);
    if title.is_empty() || unit.is_empty() { title + unit } else { format!("{title}, {unit}") }
}

fn cell_text(cell: &Cell) -> String {
    let text = escaped(&cell.text);
    match &cell.interval {
        Some(interval) => format!("{text} {interval}"),
        None => text,
    }
}

fn write_item(item: &Item, out: &mut dyn Write) -> io::Result<()> {
    match item.label {
        "" => writeln!(out, "- {}", escaped(&item.text))?,
        label => writeln!(out, "- **{label}**: {}", escaped(&item.text))?,
    }
    if item.raw.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let lines: Vec<&str> = item.raw.iter().map(String::as_str).collect();
    write_fenced(&lines, "  ", "text", out)
}

fn write_fenced(lines: &[&str], indent: &str, kind: &str, out: &mut dyn Write) -> io::Result<()> {
    // The lines may hold back-ticks themselves: the fence has more than the longest run inside.
    let longest = lines.iter().map(|line| longest_run(line, '`')).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    writeln!(out, "{indent}{fence}{kind}")?;
    for line in lines {
        writeln!(out, "{indent}{}", visible(line))?;
    }
    writeln!(out, "{indent}{fence}")
}

/// Inside a fence nothing is markup, but a control character is still no text.
fn visible(line: &str) -> String {
    let shown = |c: char| match c {
        c if c.is_control() => ' ',
        c if is_hidden(c) => '�',
        c => c,
    };
    line.chars().map(shown).collect()
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or(0)
}

/// Names and paths are data: what Markdown or HTML would take for markup is shown as it is. An
/// underscore inside a word, as in `Q4_0`, is no markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut is_after_word = false;
    while let Some(c) = chars.next() {
        let is_before_word = chars.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '_' if is_after_word && is_before_word => escaped.push(c),
            '\\' | '`' | '*' | '_' | '|' | '<' | '[' | ']' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.push(' '),
            c if is_hidden(c) => escaped.push('�'),
            _ => escaped.push(c),
        }
        is_after_word = c.is_alphanumeric();
    }
    escaped
}
