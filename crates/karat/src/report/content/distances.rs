//! Two references side by side: what a training moved, and what a conversion lost.
//! Owns the table of distances; never subtracts one from another.

use super::caption;
use crate::record::RunDocument;
use crate::report::metric_names::{KLD_DESIGN_EFFECT, KLD_MEAN};
use crate::report::number::{MILLI_NATS, figure};
use crate::report::page::{Align, Block, Cell, Column, Page, Table};
use crate::report::rows::{Place, Rows, Ruler};

pub(super) fn blocks(doc: &RunDocument, rows: Rows<'_>, ruler: &Ruler) -> Page {
    let references = rows.references();
    let [first, second] = references[..] else { return Page::new() };
    let scopes: Vec<&str> = rows.scopes();
    let mut builds = vec![first, second];
    builds.extend(rows.candidates());
    let all = |metric: &'static str| {
        let (references, scopes, builds) = (&references, &scopes, &builds);
        references.iter().flat_map(move |reference| {
            scopes.iter().flat_map(move |scope| {
                let place = Place { ruler, reference, scope };
                builds.iter().filter_map(move |build| rows.figure(place, metric, build))
            })
        })
    };
    if all(KLD_MEAN).next().is_none() {
        return Page::new();
    }
    let basis = caption::basis(ruler, all(KLD_MEAN), all(KLD_DESIGN_EFFECT));
    let notes = format!(
        "{basis} · R0 is {first}, R1 is {second} · D(R‖X): KLD mean of build X with R as the \
         yardstick. D(R0‖R1): what lies between the references. D(R0‖X): total departure. \
         D(R1‖X): conversion loss, where X was made from R1. Read side by side, never subtract: \
         KLD does not add up."
    );
    let unit = format!("{} {}", MILLI_NATS.unit, caption::level(doc, all(KLD_MEAN)));
    let distance = |name: &str, reference: &str| {
        let proxy = if caption::is_proxy(rows, reference) { " PROXY" } else { "" };
        Column::new(&format!("D({name}‖X){proxy}"), &unit, Align::Point)
    };
    let columns = vec![
        Column::new("text", "", Align::Left),
        Column::new("X", "", Align::Left),
        distance("R0", first),
        distance("R1", second),
    ];
    let mut table = Table { columns, rows: Vec::new() };
    for scope in scopes {
        table.rows.extend(scope_rows(rows, ruler, [first, second], scope));
    }
    let heading = format!("Five distances: from {first} and from {second}");
    vec![Block::Heading(heading), Block::Caption(notes), Block::Table(table)]
}

/// The references where they were measured against each other, then every candidate; nothing for a
/// text without figures.
fn scope_rows(rows: Rows<'_>, ruler: &Ruler, references: [&str; 2], scope: &str) -> Vec<Vec<Cell>> {
    let distances = |build: &str| {
        references.map(|reference| rows.figure(Place { ruler, reference, scope }, KLD_MEAN, build))
    };
    let is_measured = |build: &&str| distances(build).iter().any(Option::is_some);
    let candidates = rows.candidates();
    if !candidates.iter().any(is_measured) {
        return Vec::new();
    }
    let mut name = scope;
    let row = |build: &str| {
        let mut row = vec![Cell::plain(std::mem::take(&mut name)), Cell::plain(build)];
        row.extend(distances(build).map(|distance| figure(distance, MILLI_NATS)));
        row
    };
    references.into_iter().filter(is_measured).chain(candidates).map(row).collect()
}
