//! What a report says: one section per file, put in order here.
//! Owns the order; never how anything looks.

mod behaviour;
mod blocks;
mod caption;
mod control;
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
mod ranking;
mod speed;
mod tasks;
mod verdict;
mod verdict_word;
mod worst;

use super::page::Page;
use super::rows::{Rows, Ruler};
use crate::record::RunDocument;

/// What there is to say about one ruler.
type Section = fn(&RunDocument, Rows<'_>, &Ruler) -> Page;

/// The whole report: what one has to know to read it, the details, and the conclusions last, because a
/// terminal shows the end.
pub(super) fn page(doc: &RunDocument) -> Page {
    let sections: [Section; 6] = [
        fidelity::blocks,
        overview::blocks,
        languages::blocks,
        distances::blocks,
        worst::blocks,
        pairs::blocks,
    ];
    let mut page = opening(doc);
    page.extend(notes::caveats(doc));
    page.extend(measured(doc, &sections));
    page.extend(footer(doc));
    page.extend(notes::claims(doc));
    page.extend(verdict::besides(doc));
    page.extend(verdict::answers(doc));
    page
}

/// What was compared.
pub(super) fn opening(doc: &RunDocument) -> Page {
    models::blocks(doc)
}

/// Every table of figures, for a report that shows the worst tokens at length itself.
pub(super) fn figures(doc: &RunDocument) -> Page {
    let sections: [Section; 5] =
        [fidelity::blocks, overview::blocks, languages::blocks, distances::blocks, pairs::blocks];
    measured(doc, &sections)
}

fn measured(doc: &RunDocument, sections: &[Section]) -> Page {
    let rows = Rows::new(doc);
    let mut page = Page::new();
    for ruler in rows.rulers() {
        page.extend(sections.iter().flat_map(|section| section(doc, rows, ruler)));
    }
    page.extend(memory::blocks(doc));
    page.extend(speed::blocks(doc));
    page.extend(control::blocks(doc));
    page.extend(speed::shares(doc));
    page.extend(behaviour::blocks(doc));
    page
}

/// What one has to know, and then the conclusions, for a report that begins with them.
pub(super) fn summary(doc: &RunDocument) -> Page {
    let mut page = notes::caveats(doc);
    page.extend(verdict::answers(doc));
    page.extend(verdict::besides(doc));
    page.extend(notes::claims(doc));
    page.extend(ranking::blocks(doc, Rows::new(doc)));
    page
}

/// Where the figures come from.
pub(super) fn footer(doc: &RunDocument) -> Page {
    footer::blocks(doc)
}
