//! What each build would have done with fewer tokens: accuracy against thinking budget.
//! Owns the truncation of a greedy answer; never asks again.
//!
//! A greedy answer at a small budget is the beginning of the one at a large budget. So one run at the
//! largest gives all smaller ones: an answer that was complete within b tokens keeps its score; of a
//! longer one nothing is scored again, it is starved where its visible part had not begun, else a fail.
//! This is exact for a model that does not know its budget, and only where answers are greedy.

use crate::generation::{Channel, Generation};
use crate::record::{Estimate, Unit};
use crate::stats::{Bootstrap, mean_by_task, ratio_of_sums, wilson};

use super::items::{self, Item, is_error, is_pass, is_starved};
use super::rows::Line;

/// A build's attempt cut off after so many tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    pub(super) passed: bool,
    pub(super) starved: bool,
    pub(super) tokens: f64,
    pub(super) seconds: f64,
}

/// Rows at each budget that is not beyond what was asked; nothing where no budget was given.
pub(super) fn rows(
    line: &Line<'_>,
    items: &[&Item<'_>],
    budgets: &[u32],
    bootstrap: &Bootstrap,
) -> Vec<Estimate> {
    let judged: Vec<&Item<'_>> =
        items.iter().copied().filter(|item| !is_error(item.first())).collect();
    budgets.iter().flat_map(|budget| at(line, &judged, *budget, bootstrap)).collect()
}

fn at(line: &Line<'_>, judged: &[&Item<'_>], budget: u32, bootstrap: &Bootstrap) -> Vec<Estimate> {
    let cuts: Vec<Cut> = judged.iter().filter_map(|item| cut(item, budget)).collect();
    // Some tasks only would be another suite at every budget.
    if cuts.len() < judged.len() || cuts.is_empty() {
        return Vec::new();
    }
    let line = line.with("budget", &budget.to_string());
    let n = cuts.len();
    let level = bootstrap.resampling().level;
    let share = |metric: &str, hit: fn(&Cut) -> bool| {
        let hits = cuts.iter().filter(|cut| hit(cut)).count();
        Some(line.row(metric, Unit::Fraction, wilson(hits as u64, n as u64, level)?, n))
    };
    let tokens: Vec<f64> = cuts.iter().map(|cut| cut.tokens).collect();
    let costs: Vec<(f64, f64)> =
        cuts.iter().map(|cut| (cut.seconds, f64::from(u8::from(cut.passed)))).collect();
    let rows = [
        share("pass_rate", |cut| cut.passed),
        share("starved_rate", |cut| cut.starved),
        mean_by_task(&tokens, bootstrap).map(|mean| line.row("tokens", Unit::Count, mean, n)),
        ratio_of_sums(&costs, bootstrap)
            .map(|ratio| line.row("seconds_to_correct", Unit::Seconds, ratio, n)),
    ];
    rows.into_iter().flatten().collect()
}

/// The first attempt after `budget` tokens; `None` where it was asked with fewer, or where its tokens
/// are not known.
pub(super) fn cut(item: &Item<'_>, budget: u32) -> Option<Cut> {
    let attempt = item.first();
    if attempt.max_tokens < budget {
        return None;
    }
    let answer = items::answer(attempt)?;
    let (total, budget) = (answer.tokens.total? as f64, f64::from(budget));
    if total <= budget {
        let (passed, starved) = (is_pass(attempt), is_starved(attempt));
        let seconds = item.median(items::seconds)?;
        return Some(Cut { passed, starved, tokens: total, seconds });
    }
    let thinking = answer.tokens.thinking.map_or(0.0, |thinking| thinking.tokens as f64);
    let starved = is_starved(attempt) || thinking >= budget;
    let seconds = seconds_until(answer, budget / total);
    Some(Cut { passed: false, starved, tokens: budget, seconds })
}

/// When this share of the answer had come: the time of the piece that reaches it by length of text,
/// tokens being about equally long; without pieces, the same share of the time.
fn seconds_until(answer: &Generation, share: f64) -> f64 {
    let length = |text: &str| text.chars().count() as f64;
    let pieces = || answer.deltas.iter().filter(|delta| delta.channel != Channel::ToolCall);
    let all: f64 = pieces().map(|delta| length(&delta.text)).sum();
    let mut so_far = 0.0;
    for delta in pieces() {
        so_far += length(&delta.text);
        if so_far >= share * all {
            return delta.at_s;
        }
    }
    share * answer.timings.total_s
}
