//! Candidate against candidate: which of two is nearer to a reference.
//! Owns the table of paired differences; one per ruler, by distance from the original. (Which of two is
//! nearer to a second reference is in csv and json.)

use super::caption;
use super::verdict_word::verdict_word;
use crate::record::{Estimate, RunDocument, noise_floor};
use crate::report::metric_names::{KLD_DESIGN_EFFECT, KLD_MEAN_DIFF};
use crate::report::number::{MILLI_NATS, figure};
use crate::report::page::{Align, Block, Cell, Column, Page, Table};
use crate::report::rows::{Place, Rows, Ruler};

pub(super) fn blocks(doc: &RunDocument, rows: Rows<'_>, ruler: &Ruler) -> Page {
    let original = rows.references().into_iter().take(1);
    original.flat_map(|reference| reference_blocks(doc, rows, ruler, reference)).collect()
}

fn reference_blocks(doc: &RunDocument, rows: Rows<'_>, ruler: &Ruler, reference: &str) -> Page {
    let by_scope = rows.scopes().into_iter().flat_map(|scope| {
        let place = Place { ruler, reference, scope };
        rows.paired(place, KLD_MEAN_DIFF)
    });
    let differences = grouped_by_pair(by_scope.collect());
    if differences.is_empty() {
        return Page::new();
    }
    let figures = || differences.iter().copied();
    let effects = figures().filter_map(|row| rows.paired_like(row, KLD_DESIGN_EFFECT));
    let notes = format!(
        "{} · same tokens, paired · each interval stands by itself, whatever the number of pairs",
        caption::basis(ruler, figures(), effects)
    );
    let unit = format!("{} {}", MILLI_NATS.unit, caption::level(doc, figures()));
    let columns = vec![
        Column::new("candidate - versus", "", Align::Left),
        Column::new("its KLD is", "", Align::Left),
        Column::new("text", "", Align::Left),
        Column::new("KLD difference", &unit, Align::Point),
    ];
    let mut table = Table { columns, rows: Vec::new() };
    let mut last = String::new();
    for row in figures() {
        let pair = format!("{} - {}", row.candidate, row.versus.as_deref().unwrap_or_default());
        let name = if pair == last { String::new() } else { pair.clone() };
        last = pair;
        table.rows.push(vec![
            Cell::plain(name),
            verdict_word(row, noise_floor(&doc.estimates, &row.scope)),
            Cell::plain(&row.scope),
            figure(Some(row), MILLI_NATS),
        ]);
    }
    let reference = caption::reference_name(rows, reference);
    let heading = format!("Candidate against candidate, by distance from {reference}");
    vec![Block::Heading(heading), Block::Caption(notes), Block::Table(table)]
}

/// All texts of a pair together, pairs in order of first appearance.
fn grouped_by_pair(rows: Vec<&Estimate>) -> Vec<&Estimate> {
    let mut pairs: Vec<Vec<&Estimate>> = Vec::new();
    for row in rows {
        let is_same = |pair: &&mut Vec<&Estimate>| {
            (&pair[0].candidate, &pair[0].versus) == (&row.candidate, &row.versus)
        };
        match pairs.iter_mut().find(is_same) {
            Some(pair) => pair.push(row),
            None => pairs.push(vec![row]),
        }
    }
    pairs.concat()
}
