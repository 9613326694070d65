//! The report as one HTML file: summary, plots, tables that sort; no network, no other file.
//! Owns the list of its parts; what is said comes from `content`, what is drawn from the same rows.

mod block;
mod figure;
mod palette;
mod plot;
mod shell;
mod short_name;
mod svg;
mod table;
mod view;
mod worst;

use std::io::{self, Write};

use super::Format;
use crate::record::RunDocument;

/// One file that a browser shows on its own, on a phone, in dark mode and on paper.
///
/// Names, texts and tokens are data from strangers: the templates escape every string, characters
/// that would not show are spelled out, and a content security policy with the hashes of the page's
/// own style and script forbids everything else, the network included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Html;

impl Format for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn render(&self, doc: &RunDocument, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", shell::page(doc).into_string())
    }
}
