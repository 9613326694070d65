//! What the figures support, what one has to know to read them, and what went wrong.
//! Owns claims, findings and steps that did not end well; never draws a conclusion of its own.

use crate::record::{Finding, Outcome, RunDocument, Severity, StepRecord};
use crate::report::number::{duration, memory_size};
use crate::report::page::{Block, Item, Page, Tone};

/// What the figures support.
pub(super) fn claims(doc: &RunDocument) -> Page {
    let claims = doc.claims.iter().map(|claim| plain(claim.statement.clone()));
    let mut page = Page::new();
    list(&mut page, "What the figures say", claims.collect());
    page
}

/// What one has to know to read them, and what went wrong.
pub(super) fn caveats(doc: &RunDocument) -> Page {
    let failed = doc.steps.iter().filter(|step| step.outcome == Outcome::Failed).map(failure);
    let unfinished: Vec<_> =
        doc.steps.iter().filter(|step| step.outcome == Outcome::Unfinished).collect();
    let mut page = Page::new();
    let (warnings, notes): (Vec<&Finding>, Vec<&Finding>) =
        doc.findings.iter().partition(|finding| finding.severity == Severity::Warning);
    let findings = warnings.into_iter().chain(notes).map(finding).collect();
    list(&mut page, "To know when reading this", findings);
    list(&mut page, "Failed", failed.collect());
    if !unfinished.is_empty() {
        let again = "the same command again goes on from here; what is finished is not repeated";
        let mut items: Vec<Item> =
            unfinished.iter().map(|step| plain(step.title.clone())).collect();
        items.push(Item { tone: Tone::Faint, ..plain(again.to_owned()) });
        list(&mut page, "Not finished", items);
    }
    page
}

fn list(page: &mut Page, heading: &str, items: Vec<Item>) {
    if !items.is_empty() {
        page.extend([Block::Heading(heading.to_owned()), Block::Items(items)]);
    }
}

fn plain(text: String) -> Item {
    Item { label: "", tone: Tone::Plain, text, raw: Vec::new() }
}

fn finding(finding: &Finding) -> Item {
    let (label, tone) = match finding.severity {
        Severity::Note => ("note", Tone::Plain),
        Severity::Warning => ("warning", Tone::Open),
    };
    Item { label, tone, text: finding.message.clone(), raw: Vec::new() }
}

fn failure(step: &StepRecord) -> Item {
    let reason = step.error.as_deref().unwrap_or("no reason was recorded");
    let peak = step.peak_memory_bytes.map(|bytes| format!(", peak {}", memory_size(bytes)));
    let cost = format!("after {}{}", duration(step.seconds), peak.unwrap_or_default());
    Item {
        label: "",
        tone: Tone::Bad,
        text: format!("{}: {reason} ({cost})", step.title),
        raw: step.engine_log.clone(),
    }
}
