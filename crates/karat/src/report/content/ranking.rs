//! Which build is nearest, in a sentence per text.
//! Owns the sentences; rests on the paired differences and ranks nothing that they do not separate.

use super::caption;
use crate::record::{Estimate, RunDocument};
use crate::report::metric_names::{KLD_MEAN, KLD_MEAN_DIFF};
use crate::report::page::{Block, Item, Page, Tone};
use crate::report::rows::{Place, Rows};

/// Builds by distance from the original, text by text; texts of one order share a sentence.
pub(super) fn blocks(doc: &RunDocument, rows: Rows<'_>) -> Page {
    let Some(reference) = rows.references().first().copied() else { return Page::new() };
    let mut orders: Vec<(String, Vec<&str>)> = Vec::new();
    for ruler in rows.rulers() {
        for scope in rows.scopes() {
            let Some(order) = order(rows, Place { ruler, reference, scope }) else { continue };
            match orders.iter_mut().find(|(known, _)| *known == order) {
                Some((_, scopes)) => scopes.push(scope),
                None => orders.push((order, vec![scope])),
            }
        }
    }
    if orders.is_empty() {
        return Page::new();
    }
    let item = |(order, scopes): &(String, Vec<&str>)| Item {
        label: "",
        tone: Tone::Plain,
        text: format!("{}: {order}", scopes.join(", ")),
        raw: Vec::new(),
    };
    let differences = || doc.estimates.iter().filter(|row| row.metric == KLD_MEAN_DIFF);
    let reference = caption::reference_name(rows, reference);
    vec![
        Block::Heading(format!("Nearest to {reference} first, by mean KLD")),
        Block::Items(orders.iter().map(item).collect()),
        Block::Caption(format!(
            "Neighbours are told apart where the {} interval of their paired difference leaves out \
             zero; {}.",
            caption::level(doc, differences()).trim_matches(['[', ']']),
            caption::share_of_error(doc, differences())
        )),
    ]
}

/// `a, b, c. The data do not separate b from c.`; none where fewer than two builds can be ordered.
fn order(rows: Rows<'_>, place: Place<'_>) -> Option<String> {
    let mut builds: Vec<(&str, f64)> = rows
        .candidates()
        .into_iter()
        .filter_map(|build| Some((build, rows.figure(place, KLD_MEAN, build)?.value?)))
        .collect();
    builds.sort_by(|one, other| one.1.total_cmp(&other.1));
    let mut open = Vec::new();
    for neighbours in builds.windows(2) {
        let [(one, _), (other, _)] = neighbours else { continue };
        if !is_apart(difference(rows, place, one, other)?) {
            open.push(format!("{one} from {other}"));
        }
    }
    let names: Vec<&str> = builds.iter().map(|(name, _)| *name).collect();
    if names.len() < 2 {
        return None;
    }
    let open = if open.is_empty() {
        String::new()
    } else {
        format!(". The data do not separate {}", open.join(", nor "))
    };
    Some(format!("{}{open}.", names.join(", ")))
}

/// The paired difference of two builds, whichever was subtracted from the other.
fn difference<'a>(
    rows: Rows<'a>,
    place: Place<'_>,
    one: &str,
    other: &str,
) -> Option<&'a Estimate> {
    rows.paired(place, KLD_MEAN_DIFF).find(|row| {
        let pair = (row.candidate.as_str(), row.versus.as_deref().unwrap_or_default());
        pair == (one, other) || pair == (other, one)
    })
}

/// Whether the interval leaves out zero; without an interval nothing is told apart.
fn is_apart(difference: &Estimate) -> bool {
    let (Some(lo), Some(hi)) = (difference.lo, difference.hi) else { return false };
    lo > 0.0 || hi < 0.0
}
