//! Reports: one run in the form a reader asked for.
//! Owns the list of formats; never measures, estimates or reads the store.
//!
//! Every format is made from a [`RunDocument`] alone. `text`, `markdown` and `html` say the same things: the
//! `content` modules decide what is said, the formats how it looks; `html` draws them as well. `csv` is the tidy table and
//! `json` the whole document.

mod anatomy;
mod content;
pub mod csv;
mod fit;
mod html;
pub mod json;
pub mod markdown;
pub mod metric_names;
mod number;
mod page;
mod page_format;
mod rows;
mod run_list;
mod strip;
pub mod text;
mod text_table;

use std::io::{self, Write};

pub use self::anatomy::{difference, inspection};
pub use self::csv::Csv;
pub use self::fit::{FitAnswer, FitReason, FitRow, fit};
pub use self::html::Html;
pub use self::json::Json;
pub use self::markdown::Markdown;
pub use self::page_format::PageFormat;
pub use self::run_list::{ListedRun, run_list};
pub use self::text::Text;
use crate::record::RunDocument;

/// One form of a report.
pub trait Format {
    /// What `--format` calls it.
    fn name(&self) -> &'static str;

    /// Writes the whole report.
    fn render(&self, doc: &RunDocument, out: &mut dyn Write) -> io::Result<()>;
}

/// How reports look, as far as the caller decides it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportOptions {
    /// Colour in `text`; the other formats have none.
    pub color: bool,
}

/// All formats, the default one first.
pub fn formats(options: ReportOptions) -> [Box<dyn Format>; 5] {
    [
        Box::new(Text::new(options)),
        Box::new(Markdown),
        Box::new(Json),
        Box::new(Csv),
        Box::new(Html),
    ]
}
