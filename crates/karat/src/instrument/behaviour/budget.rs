//! What each build would have done with fewer tokens: accuracy against thinking budget.
//! Owns the truncation of a greedy answer; never asks again, and never judges.
//!
//! A greedy answer at a small budget is the beginning of the one at a large budget. So one run at the
//! largest gives all smaller ones: an answer that was complete within b tokens keeps its score; of a
//! longer one the first b tokens are judged like any answer that was cut off. This is exact for a model
//! that does not know its budget, only where answers are greedy, and to the token where ids are seen.

use crate::generation::{
    Channel, Delta, FinishReason, Generation, RawExchange, Timings, TokenCounts,
};
use crate::record::{Estimate, Finding, Severity, Unit};
use crate::stats::{Bootstrap, mean_by_task, ratio_of_sums, wilson};
use crate::task::Outcome;

use super::findings::named;
use super::items::{self, Item, is_error, is_pass, is_starved};
use super::rows::Line;

/// A build's attempt cut off after so many tokens.
struct Cut {
    passed: bool,
    starved: bool,
    tokens: f64,
    seconds: f64,
}

/// Rows at each budget at which every task is known; nothing where no budget was given.
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

/// The first attempt after `budget` tokens; `None` where that is not known: it was cut off before, its
/// tokens are not known, or its beginning could not be judged.
fn cut(item: &Item<'_>, budget: u32) -> Option<Cut> {
    let attempt = item.first();
    let answer = items::answer(attempt)?;
    let total = answer.tokens.total?;
    if total <= u64::from(budget) {
        if answer.finish == FinishReason::Length && attempt.max_tokens < budget {
            return None;
        }
        let (passed, starved) = (is_pass(attempt), is_starved(attempt));
        let seconds = item.median(items::seconds)?;
        return Some(Cut { passed, starved, tokens: total as f64, seconds });
    }
    let outcome = attempt.at_budgets.get(&budget)?.outcome;
    (outcome != Outcome::Error).then(|| Cut {
        passed: outcome == Outcome::Pass,
        starved: outcome == Outcome::Starved,
        tokens: f64::from(budget),
        seconds: seconds_until(answer, u64::from(budget), total),
    })
}

/// The budgets at which a build has no figures, and the tasks that leave them out.
pub(super) fn left_out(name: &str, items: &[Item<'_>], budgets: &[u32]) -> Option<Finding> {
    let at = |budget: &u32| {
        let unknown = |item: &&Item<'_>| !is_error(item.first()) && cut(item, *budget).is_none();
        let tasks: Vec<&Item<'_>> = items.iter().filter(unknown).collect();
        (!tasks.is_empty()).then(|| format!("{budget} tokens ({})", named(&tasks)))
    };
    let all: Vec<String> = budgets.iter().filter_map(at).collect();
    (!all.is_empty()).then(|| Finding {
        severity: Severity::Warning,
        message: format!(
            "{name} has no accuracy at the budget of {}: what these tasks would have come to is not \
             known, because the context left them fewer tokens, nobody counted theirs, or their \
             beginnings are not judged",
            all.join(" and of ")
        ),
    })
}

/// An answer as a budget of so many tokens would have cut it off; `None` where it is not longer, or
/// where its tokens are not known. A call of a tool that had begun is text, as it is to every backend.
pub fn beginning(answer: &Generation, budget: u32) -> Option<Generation> {
    let budget = u64::from(budget);
    let total = answer.tokens.total.filter(|total| *total > budget)?;
    let pieces = answer.deltas.iter().zip(reached(&answer.deltas, total));
    let kept = pieces.filter(|(_, tokens)| *tokens <= budget as f64);
    let deltas: Vec<Delta> = kept.map(|(delta, _)| delta.clone()).collect();
    let text = |channels: &[Channel]| -> String {
        let of = deltas.iter().filter(|delta| channels.contains(&delta.channel));
        of.map(|delta| delta.text.as_str()).collect()
    };
    Some(Generation {
        visible: text(&[Channel::Visible, Channel::ToolCall]),
        thinking: text(&[Channel::Thinking]),
        tool_calls: Vec::new(),
        tokens: TokenCounts { total: Some(budget), ..TokenCounts::default() },
        timings: Timings { total_s: seconds_until(answer, budget, total), ..Timings::default() },
        finish: FinishReason::Length,
        deltas,
        raw: RawExchange::default(),
    })
}

/// How many tokens had been written when each piece was complete: counted where ids were seen, else by
/// its share of the text, tokens being about equally long.
fn reached(deltas: &[Delta], total: u64) -> Vec<f64> {
    let length = |delta: &Delta| delta.text.chars().count() as f64;
    let all: f64 = deltas.iter().map(length).sum();
    let mut so_far = 0.0;
    let tokens = deltas.iter().map(|delta| {
        so_far += length(delta);
        delta.n_tokens.map_or(total as f64 * so_far / all.max(1.0), |n_tokens| n_tokens as f64)
    });
    tokens.collect()
}

/// When so many tokens had come; without pieces, the same share of the time.
fn seconds_until(answer: &Generation, budget: u64, total: u64) -> f64 {
    let reached = reached(&answer.deltas, total);
    let piece = reached.iter().position(|tokens| *tokens >= budget as f64);
    match piece {
        Some(index) => answer.deltas[index].at_s,
        None => answer.timings.total_s * budget as f64 / total as f64,
    }
}
