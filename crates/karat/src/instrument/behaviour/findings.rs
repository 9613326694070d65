//! What a reader has to know about the attempts: no answers, starved ones, repeats that differ, loops,
//! tasks that only some builds met. Pure.

use crate::generation::{Generation, ToolCall};
use crate::record::{Finding, Severity};
use crate::task::{Attempt, Reply};
use crate::units::count;

use super::items::{Item, answer, is_error, is_pass, is_starved};

/// Most instances that a finding names.
const MOST_NAMED: usize = 4;

/// Everything there is to say about one build. `is_drawn`: its answers were, so that repeats differ as
/// they should.
pub(super) fn of_build(name: &str, items: &[Item<'_>], is_drawn: bool) -> Vec<Finding> {
    let findings = [
        errors(name, items),
        failed_reruns(name, items),
        starved(name, items),
        differing_repeats(name, items).filter(|_| !is_drawn),
        loops(name, items),
        estimated(name, items),
    ];
    findings.into_iter().flatten().collect()
}

fn warning(message: String) -> Finding {
    Finding { severity: Severity::Warning, message }
}

/// `a, b, c and 4 more`.
pub(super) fn named(items: &[&Item<'_>]) -> String {
    let names: Vec<&str> =
        items.iter().take(MOST_NAMED).map(|item| item.first().instance.as_str()).collect();
    let more = items.len().saturating_sub(MOST_NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", names.join(", "))
}

fn of<'i, 'a>(items: &'i [Item<'a>], is_it: impl Fn(&Item<'a>) -> bool) -> Vec<&'i Item<'a>> {
    items.iter().filter(|item| is_it(item)).collect()
}

fn errors(name: &str, items: &[Item<'_>]) -> Option<Finding> {
    let errors = of(items, |item| is_error(item.first()));
    let why = why(errors.first()?.first());
    Some(warning(format!(
        "{name}: {} of {} without an answer that could be judged, left out of its rates and of every pair: \
         {}; the first: {why}",
        errors.len(),
        count(items.len() as u64, "task"),
        named(&errors)
    )))
}

/// Why an attempt is an error.
fn why(error: &Attempt) -> &str {
    match &error.reply {
        Reply::Failure(failure) => &failure.message,
        Reply::Answer(_) => "its answer could not be judged",
    }
}

fn failed_reruns(name: &str, items: &[Item<'_>]) -> Option<Finding> {
    let reruns = items.iter().filter(|item| !is_error(item.first())).flat_map(Item::reruns);
    let failed: Vec<&Attempt> = reruns.copied().filter(|rerun| is_error(rerun)).collect();
    Some(warning(format!(
        "{name}: {} without an answer that could be judged, left out of how it differs from itself; the \
         first: {}: {}",
        count(failed.len() as u64, "repeat"),
        failed.first()?.instance,
        why(failed[0])
    )))
}

fn starved(name: &str, items: &[Item<'_>]) -> Option<Finding> {
    let starved = of(items, |item| is_starved(item.first()));
    if starved.is_empty() {
        return None;
    }
    let found = starved.iter().filter(|item| item.first().answer_in_thinking == Some(true)).count();
    let thought = if found > 0 {
        format!("; the right answer stands in the thinking of {found}")
    } else {
        String::new()
    };
    Some(warning(format!(
        "{name} spent its whole budget and showed nothing in {} of {}: {}{thought}",
        starved.len(),
        count(items.len() as u64, "task"),
        named(&starved)
    )))
}

/// Everything a model says in an attempt: what it shows, what it thinks, the tools it calls.
fn said(attempt: &Attempt) -> Option<(&str, &str, &[ToolCall])> {
    let Generation { visible, thinking, tool_calls, .. } = answer(attempt)?;
    Some((visible, thinking, tool_calls))
}

fn differing_repeats(name: &str, items: &[Item<'_>]) -> Option<Finding> {
    let differs = |item: &Item<'_>| {
        let first = item.first();
        let mut judged = item.reruns().iter().filter(|rerun| !is_error(rerun) && !is_error(first));
        judged.any(|rerun| said(rerun) != said(first) || rerun.score.outcome != first.score.outcome)
    };
    let differing = of(items, differs);
    if differing.is_empty() {
        return None;
    }
    let flipped = |item: &&&Item<'_>| {
        let mut judged = item.reruns().iter().filter(|rerun| !is_error(rerun));
        judged.any(|rerun| is_pass(rerun) != is_pass(item.first()))
    };
    let flips = differing.iter().filter(flipped).count();
    Some(warning(format!(
        "{name} asked again does not answer the same in {}: {}; in {flips} of them passing changes. The \
         first repeat counts",
        count(differing.len() as u64, "task"),
        named(&differing)
    )))
}

fn loops(name: &str, items: &[Item<'_>]) -> Option<Finding> {
    let looped = of(items, |item| item.first().looped);
    (!looped.is_empty()).then(|| {
        warning(format!(
            "{name} went round in circles until it was cut off in {}: {}",
            count(looped.len() as u64, "task"),
            named(&looped)
        ))
    })
}

fn estimated(name: &str, items: &[Item<'_>]) -> Option<Finding> {
    let is_estimated = |item: &Item<'_>| {
        answer(item.first()).is_some_and(|answer| {
            let parts = [answer.tokens.visible, answer.tokens.thinking];
            parts.into_iter().flatten().any(|part| !part.exact)
        })
    };
    items.iter().any(is_estimated).then(|| Finding {
        severity: Severity::Note,
        message: format!(
            "{name}: how many tokens were visible and how many thinking is estimated from the two texts; \
             their sum is counted"
        ),
    })
}

/// Tasks that one of two builds was asked and the other was not.
pub(super) fn unshared(
    names: (&str, &str),
    n_items: (usize, usize),
    n_shared: usize,
) -> Option<Finding> {
    let largest = n_items.0.max(n_items.1);
    (n_shared < largest).then(|| {
        warning(format!(
            "{} and {} share {} of {}; they are compared on those",
            names.0,
            names.1,
            n_shared,
            count(largest as u64, "task")
        ))
    })
}
