//! KLD by language: all texts of each language together, languages side by side.
//! Owns this table; one per ruler, against the original. All its figures are in csv and json.

use super::caption;
use crate::record::RunDocument;
use crate::report::metric_names::KLD_MEAN;
use crate::report::number::{MILLI_NATS, bare_figure, figure};
use crate::report::page::{Align, Block, Cell, Column, Page, Table};
use crate::report::rows::{Place, Rows, Ruler};

/// Beyond this many languages the table would not fit its width with intervals.
const MAX_WITH_INTERVALS: usize = 3;

pub(super) fn blocks(doc: &RunDocument, rows: Rows<'_>, ruler: &Ruler) -> Page {
    let Some(reference) = rows.references().into_iter().next() else { return Page::new() };
    let builds = rows.candidates();
    let place = |scope| Place { ruler, reference, scope };
    let mut languages = rows.languages();
    languages.retain(|(_, scope)| {
        builds.iter().any(|build| rows.figure(place(scope), KLD_MEAN, build).is_some())
    });
    if languages.is_empty() {
        return Page::new();
    }
    let all = || {
        let builds = &builds;
        languages.iter().flat_map(move |(_, scope)| {
            builds.iter().filter_map(move |build| rows.figure(place(scope), KLD_MEAN, build))
        })
    };
    let with_intervals = languages.len() <= MAX_WITH_INTERVALS;
    let unit = if with_intervals { caption::level(doc, all()) } else { String::new() };
    let mut columns = vec![Column::new("build", "", Align::Left)];
    columns.extend(languages.iter().map(|(name, _)| Column::new(name, &unit, Align::Point)));
    let row = |build: &&str| {
        let kld = languages.iter().map(|(_, scope)| {
            let kld = rows.figure(place(scope), KLD_MEAN, build);
            if with_intervals { figure(kld, MILLI_NATS) } else { bare_figure(kld, MILLI_NATS) }
        });
        std::iter::once(Cell::plain(*build)).chain(kld).collect()
    };
    let table = Table { columns, rows: builds.iter().map(row).collect() };
    vec![
        Block::Heading(format!(
            "By language, against {}",
            caption::reference_name(rows, reference)
        )),
        Block::Caption(format!(
            "{} · KLD mean over all tokens of the texts of a language, in {} · windows resampled \
             within each text",
            caption::basis(ruler, all(), []),
            MILLI_NATS.unit
        )),
        Block::Table(table),
    ]
}
