//! The report for people at a terminal: at most 100 columns, colour with a meaning or none.
//! Owns the look of headings, lists and colours; never what is said.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::page::{Block, Item, Page, Tone};
use super::{Format, ReportOptions, content, text_table};
use crate::record::RunDocument;
use crate::visible::is_hidden;

/// Columns that a line of words or figures keeps within. A single long word, such as a path, may
/// go beyond.
pub(super) const MAX_WIDTH: usize = 100;

/// Plain text, UTF-8.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text {
    ink: Ink,
}

impl Text {
    /// Text with or without colour.
    pub fn new(options: ReportOptions) -> Self {
        Self { ink: Ink { color: options.color } }
    }
}

impl Format for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn render(&self, doc: &RunDocument, out: &mut dyn Write) -> io::Result<()> {
        write_page(&content::page(doc), self.ink, out)
    }
}

/// Writes a page, one line after the other.
pub(super) fn write_page(page: &Page, ink: Ink, out: &mut dyn Write) -> io::Result<()> {
    let mut is_after_table = false;
    for (idx, block) in page.iter().enumerate() {
        let is_next_title = idx > 0 && matches!(block, Block::Title(_));
        let is_table = matches!(block, Block::Table(_));
        if is_next_title || is_table && is_after_table {
            writeln!(out)?;
        }
        for line in ink.lines(block) {
            writeln!(out, "{line}")?;
        }
        is_after_table = is_table;
    }
    Ok(())
}

/// Puts ANSI codes around text, or none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ink {
    color: bool,
}

impl Ink {
    pub(super) fn new(color: bool) -> Self {
        Self { color }
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.tone(text, Tone::Faint)
    }

    pub(super) fn tone(self, text: &str, tone: Tone) -> String {
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        let style = match tone {
            Tone::Plain => Style::new(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Good => color(AnsiColor::Green),
            Tone::Bad => color(AnsiColor::Red),
            Tone::Open => color(AnsiColor::Yellow),
        };
        self.paint(text, style)
    }

    fn bold(self, text: &str) -> String {
        self.paint(text, Style::new().bold())
    }

    fn paint(self, text: &str, style: Style) -> String {
        let text = harmless(text);
        if !self.color || style.is_plain() || text.is_empty() {
            return text;
        }
        format!("{style}{text}{style:#}")
    }

    fn lines(self, block: &Block) -> Vec<String> {
        match block {
            Block::Title(text) => vec![self.bold(text)],
            Block::Heading(text) => vec![String::new(), self.bold(text)],
            Block::Caption(text) if text.is_empty() => Vec::new(),
            Block::Caption(text) => {
                wrapped(text, 2).iter().map(|line| format!("  {}", self.faint(line))).collect()
            }
            Block::Table(table) => text_table::lines(table, self),
            Block::Items(items) => items.iter().flat_map(|item| self.item(item)).collect(),
            Block::Lines(lines) => {
                lines.iter().map(|(tone, line)| format!("  {}", self.tone(line, *tone))).collect()
            }
            Block::Facts(facts) => self.facts(facts),
        }
    }

    fn item(self, item: &Item) -> Vec<String> {
        let label = match item.label {
            "" => "-".to_owned(),
            label => format!("{label}:"),
        };
        let hang = 2 + label.chars().count() + 1;
        let mut lines = wrapped(&item.text, hang);
        for line in lines.iter_mut().skip(1) {
            line.insert_str(0, &" ".repeat(hang));
        }
        if let Some(first) = lines.first_mut() {
            first.insert_str(0, &format!("  {} ", self.tone(&label, item.tone)));
        }
        let raw = item.raw.iter().map(|line| format!("{}{}", " ".repeat(4), self.faint(line)));
        lines.into_iter().chain(raw).collect()
    }

    fn facts(self, facts: &[(String, String)]) -> Vec<String> {
        let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let hang = 2 + width + 2;
        let fact = |(name, value): &(String, String)| -> Vec<String> {
            let label = self.faint(&format!("{name:<width$}"));
            let first = format!("  {label}  ");
            let rest = " ".repeat(hang);
            let line = |(i, line): (usize, &String)| {
                format!("{}{line}", if i == 0 { &first } else { &rest })
            };
            wrapped(value, hang).iter().enumerate().map(line).collect()
        };
        facts.iter().flat_map(fact).collect()
    }
}

/// Names, paths and log lines are data: one control character of theirs, shown as it is, could move
/// the cursor or change the terminal's state.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { '�' } else { c }).collect()
}

/// Breaks text at blanks so that each line fits beside an indent of `indent` columns.
fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let width = MAX_WIDTH - indent;
    let mut lines = vec![String::new()];
    for word in harmless(text).split_whitespace() {
        let line = lines.last_mut().expect("there is always a line to write on");
        let needed = line.chars().count() + 1 + word.chars().count();
        if line.is_empty() {
            line.push_str(word);
        } else if needed <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
