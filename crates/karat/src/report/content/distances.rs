//! Two references side by side: what a training moved, and what a conversion lost.
//! Owns the table of distances; never subtracts one from another.

use super::caption;
use crate::record::{Lineage, ModelRecord, RunDocument};
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
    if let Some(table) = named(doc, rows, ruler, [first, second], &unit) {
        let notes = format!(
            "{basis} · R0 is {first}, R1 is {second} · D(R‖X): KLD mean of X with R as the \
             yardstick. Read side by side, never subtract: KLD does not add up."
        );
        let heading = "The five distances of quantization-aware training".to_owned();
        return vec![Block::Heading(heading), Block::Caption(notes), Block::Table(table)];
    }
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

/// The table where the user said which candidate is what; a distance that nobody can measure here is
/// said to be so.
fn named(
    doc: &RunDocument,
    rows: Rows<'_>,
    ruler: &Ruler,
    [r0, r1]: [&str; 2],
    unit: &str,
) -> Option<Table> {
    let of = |lineage| {
        let is_it = |model: &&ModelRecord| model.lineage.contains(&lineage);
        doc.models.iter().find(is_it).map(|model| model.name.as_str())
    };
    let (qat, twin, naive) = (of(Lineage::Qat), of(Lineage::Twin), of(Lineage::Naive));
    qat.or(twin).or(naive)?;
    let proxy = if caption::is_proxy(rows, r0) { " (PROXY)" } else { "" };
    let same = if qat == naive { ", the same file" } else { "" };
    let distances = [
        (format!("D(R0‖R1){proxy} what the training moved"), r0, Some(r1)),
        ("D(R1‖QAT) conversion loss".to_owned(), r1, qat),
        (format!("D(R0‖QAT){proxy} total departure"), r0, qat),
        (format!("D(R0‖twin){proxy} plain rounding, same types"), r0, twin),
        (format!("D(R1‖naive) plain conversion of R1{same}"), r1, naive),
    ];
    let columns = vec![
        Column::new("distance", "", Align::Left),
        Column::new("X", "", Align::Left),
        Column::new("text", "", Align::Left),
        Column::new("KLD mean", unit, Align::Point),
    ];
    let mut table = Table { columns, rows: Vec::new() };
    for (label, reference, build) in &distances {
        let Some(build) = build else {
            let row =
                [label.as_str(), "not named: cannot be assessed", ""].map(Cell::plain::<&str>);
            table.rows.push(row.into_iter().chain([figure(None, MILLI_NATS)]).collect());
            continue;
        };
        for (index, scope) in rows.scopes().into_iter().enumerate() {
            let [label, name] = if index == 0 { [label.as_str(), build] } else { ["", ""] };
            let value = rows.figure(Place { ruler, reference, scope }, KLD_MEAN, build);
            let mut row: Vec<Cell> = [label, name, scope].map(Cell::plain::<&str>).into();
            row.push(figure(value, MILLI_NATS));
            table.rows.push(row);
        }
    }
    Some(table)
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
