//! Candidate against candidate: which of two is nearer to a reference.
//! Owns the table of paired differences; one per ruler, by distance from the original. Of many builds it
//! has the pairs that are next to each other in some text's order, which decide all others, and the QAT
//! file with its twin. (The other pairs, and which of two is nearer to a second reference, are in csv
//! and json.)

use super::caption;
use super::verdict_word::verdict_word;
use crate::record::{Estimate, Lineage, RunDocument, noise_floor};
use crate::report::metric_names::{KLD_DESIGN_EFFECT, KLD_MEAN, KLD_MEAN_DIFF};
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
    let all = grouped_by_pair(by_scope.collect());
    let asked = asked_pairs(doc, rows, (ruler, reference));
    let is_asked = |row: &&Estimate| {
        let pair = (row.candidate.as_str(), row.versus.as_deref().unwrap_or_default());
        asked.contains(&pair) || asked.contains(&(pair.1, pair.0))
    };
    let are_few = rows.candidates().len() <= FEW;
    let wanted = |row: &&Estimate| are_few || is_asked(row);
    let differences: Vec<&Estimate> = all.iter().copied().filter(wanted).collect();
    let which = if differences.len() < all.len() { "neighbours in the order · " } else { "" };
    if differences.is_empty() {
        return Page::new();
    }
    let figures = || differences.iter().copied();
    let effects = figures().filter_map(|row| rows.paired_like(row, KLD_DESIGN_EFFECT));
    let notes = format!(
        "{which}{} · same tokens, paired · {}",
        caption::basis(ruler, figures(), effects),
        caption::share_of_error(doc, figures())
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

/// So many builds are few: every pair of them is shown.
const FEW: usize = 3;

/// Pairs of builds next to each other in the order of some text, and the QAT file with its twin.
fn asked_pairs<'a>(
    doc: &'a RunDocument,
    rows: Rows<'a>,
    (ruler, reference): (&'a Ruler, &'a str),
) -> Vec<(&'a str, &'a str)> {
    let mut pairs = Vec::new();
    for scope in rows.scopes() {
        let place = Place { ruler, reference, scope };
        let mut builds: Vec<(&str, f64)> = rows
            .candidates()
            .into_iter()
            .filter_map(|build| Some((build, rows.figure(place, KLD_MEAN, build)?.value?)))
            .collect();
        builds.sort_by(|one, other| one.1.total_cmp(&other.1));
        pairs.extend(builds.windows(2).map(|two| (two[0].0, two[1].0)));
    }
    let of = |lineage| doc.models.iter().find(|model| model.lineage.contains(&lineage));
    if let (Some(qat), Some(twin)) = (of(Lineage::Qat), of(Lineage::Twin)) {
        pairs.push((qat.name.as_str(), twin.name.as_str()));
    }
    pairs
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
