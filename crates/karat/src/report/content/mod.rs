//! What a report says: one section per file, put in order here.
//! Owns the order; never how anything looks.

mod caption;
mod distances;
mod fidelity;
mod footer;
mod languages;
mod memory;
mod models;
mod notes;
mod overview;
mod pairs;
mod position;
mod speed;
mod verdict_word;
mod worst;

use super::page::Page;
use super::rows::Rows;
use crate::record::RunDocument;

/// The whole report. Details come first and conclusions last, because a terminal shows the end.
pub(super) fn page(doc: &RunDocument) -> Page {
    let rows = Rows::new(doc);
    let mut page = models::blocks(doc);
    for ruler in rows.rulers() {
        page.extend(fidelity::blocks(doc, rows, ruler));
        page.extend(overview::blocks(doc, rows, ruler));
        page.extend(languages::blocks(doc, rows, ruler));
        page.extend(distances::blocks(doc, rows, ruler));
        page.extend(worst::blocks(doc, rows, ruler));
        page.extend(pairs::blocks(doc, rows, ruler));
    }
    page.extend(memory::blocks(doc));
    page.extend(speed::blocks(doc));
    page.extend(notes::blocks(doc));
    page.extend(footer::blocks(doc));
    page
}
