//! The forms of reports that are one page of one document: text, Markdown, JSON. Owns the choice;
//! the looks are those of `text` and `markdown`.

use std::io;

use serde::Serialize;

use super::page::Page;
use super::text::Ink;
use super::{markdown, text};

/// Form of a one-page report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum PageFormat {
    /// Tables for a terminal.
    #[default]
    Text,
    /// Tables for a document.
    Markdown,
    /// Everything, for programs.
    Json,
}

/// The document in the form asked for; `page` is what it says to people.
pub(super) fn render(
    document: &impl Serialize,
    page: &Page,
    format: PageFormat,
    color: bool,
) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    match format {
        PageFormat::Text => text::write_page(page, Ink::new(color), &mut out)?,
        PageFormat::Markdown => markdown::write_page(page, &mut out)?,
        PageFormat::Json => {
            serde_json::to_writer_pretty(&mut out, document)?;
            out.push(b'\n');
        }
    }
    Ok(out)
}
