//! A report before it has a look: headings, tables, lists.
//! Owns the vocabulary between content and formats; never holds a raw number.

/// What a reader is told, in order.
pub(super) type Page = Vec<Block>;

/// One part of a page.
#[derive(Debug)]
pub(super) enum Block {
    /// The page's own title.
    Title(String),
    /// Title of a section.
    Heading(String),
    /// What one has to know to read the table that follows.
    Caption(String),
    /// Figures.
    Table(Table),
    /// Findings, failures and the like.
    Items(Vec<Item>),
    /// Lines that are shown as they are, e.g. of a text diff.
    Lines(Vec<(Tone, String)>),
    /// Names and values, e.g. the machine.
    Facts(Vec<(String, String)>),
}

/// Rows of cells under named columns.
#[derive(Debug)]
pub(super) struct Table {
    /// Left to right; the first one names the row.
    pub(super) columns: Vec<Column>,
    /// As many cells per row as columns.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// One column of a table.
#[derive(Debug)]
pub(super) struct Column {
    /// What it shows.
    pub(super) title: String,
    /// Its unit, or empty.
    pub(super) unit: String,
    /// How its cells line up.
    pub(super) align: Align,
}

/// How the cells of a column line up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// Words: at their first letter.
    Left,
    /// Numbers: at their decimal point.
    Point,
    /// A drawing in fixed-width characters, all cells of the same width; text only.
    Drawing,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// A word, or a number as it is printed.
    pub(super) text: String,
    /// The number's interval, e.g. `[17.9, 19.3]`.
    pub(super) interval: Option<String>,
    /// What it means.
    pub(super) tone: Tone,
}

/// What a piece of text means to the reader; formats with colour show it by colour as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing special.
    Plain,
    /// Less important.
    Faint,
    /// The candidate is the nearer one.
    Good,
    /// The candidate is the farther one, or something failed.
    Bad,
    /// Not decided, or to be read with care.
    Open,
}

/// One entry of a list.
#[derive(Debug)]
pub(super) struct Item {
    /// What kind of entry, in a word; empty where the heading says it.
    pub(super) label: &'static str,
    /// How it is to be taken.
    pub(super) tone: Tone,
    /// A sentence or two.
    pub(super) text: String,
    /// Raw lines that belong to it, e.g. of a log.
    pub(super) raw: Vec<String>,
}

impl Column {
    pub(super) fn new(title: &str, unit: &str, align: Align) -> Self {
        Self { title: title.to_owned(), unit: unit.to_owned(), align }
    }
}

impl Cell {
    pub(super) fn plain<T: Into<String>>(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }

    pub(super) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), interval: None, tone }
    }

    /// What a missing value looks like everywhere.
    pub(super) fn missing() -> Self {
        Self::toned("—", Tone::Faint)
    }
}
