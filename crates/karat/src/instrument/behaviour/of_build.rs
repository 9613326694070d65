//! What one build did: how often it passed, starved or gave no answer, its tokens and its time.
//! Owns the rows of one build; never compares two.

use crate::record::{Estimate, ServedRecord, Unit};
use crate::stats::{Bootstrap, mean_by_family, mean_by_task, ratio_of_sums, wilson};
use crate::task::Attempt;

use super::items::{self, Item, is_error, is_pass, is_starved};
use super::rows::Line;

/// Rows of a build in one part of the suite.
pub(super) fn rows(line: &Line<'_>, items: &[&Item<'_>], bootstrap: &Bootstrap) -> Vec<Estimate> {
    let level = bootstrap.resampling().level;
    let judged: Vec<&Item<'_>> =
        items.iter().copied().filter(|item| !is_error(item.first())).collect();
    let mut rows = Vec::new();
    let mut rate = |metric: &str, among: &[&Item<'_>], hit: fn(&Attempt) -> bool| {
        let hits = among.iter().filter(|item| hit(item.first())).count();
        let summary = wilson(hits as u64, among.len() as u64, level);
        rows.extend(summary.map(|rate| line.row(metric, Unit::Fraction, rate, among.len())));
    };
    rate("pass_rate", &judged, is_pass);
    rate("starved_rate", &judged, is_starved);
    rate("error_rate", items, is_error);
    rows.extend(score(line, &judged, bootstrap));
    rows.extend(self_flips(line, &judged, level));
    rows.extend(costs(line, &judged, bootstrap));
    rows
}

/// What the loaded model takes, as its server says.
pub(super) fn memory(line: &Line<'_>, served: Option<&ServedRecord>) -> Vec<Estimate> {
    let Some(served) = served else { return Vec::new() };
    let rows = [("resident_bytes", served.resident_bytes), ("vram_bytes", served.vram_bytes)];
    let known = rows.into_iter().filter_map(|(metric, bytes)| Some((metric, bytes?)));
    known.map(|(metric, bytes)| line.bare(metric, Unit::Bytes, bytes as f64, 1)).collect()
}

/// The mean credit. By family where there are several, because tasks of one go together.
fn score(line: &Line<'_>, judged: &[&Item<'_>], bootstrap: &Bootstrap) -> Option<Estimate> {
    let families = by_family(judged.iter().map(|item| (item.first(), item.first().score.points)));
    let points = families.concat();
    let (summary, unit) = match families.len() {
        0 | 1 => (mean_by_task(&points, bootstrap), "task"),
        _ => (mean_by_family(&families, bootstrap), "family"),
    };
    let n = if unit == "task" { points.len() } else { families.len() };
    let share = summary?.within(0.0, 1.0);
    Some(line.with("unit", unit).row("score", Unit::Fraction, share, n))
}

/// Values of each family, families in order of first appearance.
pub(super) fn by_family<'a>(values: impl Iterator<Item = (&'a Attempt, f64)>) -> Vec<Vec<f64>> {
    let mut families: Vec<(&str, Vec<f64>)> = Vec::new();
    for (attempt, value) in values {
        match families.iter_mut().find(|(family, _)| *family == attempt.family) {
            Some((_, values)) => values.push(value),
            None => families.push((&attempt.family, vec![value])),
        }
    }
    families.into_iter().map(|(_, values)| values).collect()
}

/// How often a build, asked again, does not do the same as the first time.
fn self_flips(line: &Line<'_>, judged: &[&Item<'_>], level: f64) -> Option<Estimate> {
    let reruns = judged.iter().flat_map(|item| {
        let reruns = item.reruns().iter().filter(|rerun| !is_error(rerun));
        reruns.map(|rerun| is_pass(rerun) != is_pass(item.first()))
    });
    let flips: Vec<bool> = reruns.collect();
    let flipped = flips.iter().filter(|flipped| **flipped).count();
    let rate = wilson(flipped as u64, flips.len() as u64, level)?;
    let itself = Line { versus: Some(line.candidate), ..line.clone() };
    Some(itself.row("flip_rate", Unit::Fraction, rate, flips.len()))
}

/// Tokens and seconds. The median over repeats stands for a task: time varies, what is said should not.
fn costs(line: &Line<'_>, judged: &[&Item<'_>], bootstrap: &Bootstrap) -> Vec<Estimate> {
    let counted = judged.iter().filter_map(|item| items::answer(item.first())).all(|answer| {
        let parts = [answer.tokens.visible, answer.tokens.thinking];
        parts.into_iter().flatten().all(|part| part.exact)
    });
    let split = line.with("split", if counted { "counted" } else { "estimated" });
    let mean = |line: &Line<'_>, metric: &str, unit, of: fn(&Attempt) -> Option<f64>| {
        let values: Vec<f64> = judged.iter().filter_map(|item| item.median(of)).collect();
        let summary = mean_by_task(&values, bootstrap)?.within(0.0, f64::INFINITY);
        Some(line.row(metric, unit, summary, values.len()))
    };
    let first_seen = |attempt: &Attempt| items::answer(attempt)?.timings.ttfo_s;
    let rows = [
        mean(line, "tokens", Unit::Count, items::tokens),
        mean(&split, "visible_tokens", Unit::Count, items::visible_tokens),
        mean(&split, "thinking_tokens", Unit::Count, items::thinking_tokens),
        mean(line, "response_seconds", Unit::Seconds, items::seconds),
        mean(line, "ttfo", Unit::Seconds, first_seen),
        seconds_to_correct(line, judged, bootstrap),
        visible_rate(&split, judged, bootstrap),
    ];
    rows.into_iter().flatten().collect()
}

/// Seconds spent on all tasks per task passed: what a correct answer costs, failures included.
fn seconds_to_correct(
    line: &Line<'_>,
    judged: &[&Item<'_>],
    bootstrap: &Bootstrap,
) -> Option<Estimate> {
    let unit = |item: &&Item<'_>| {
        let seconds = item.median(items::seconds)?;
        Some((seconds, f64::from(u8::from(is_pass(item.first())))))
    };
    let units: Vec<(f64, f64)> = judged.iter().filter_map(unit).collect();
    let summary = ratio_of_sums(&units, bootstrap)?;
    Some(line.row("seconds_to_correct", Unit::Seconds, summary, units.len()))
}

/// Visible tokens over the seconds of the answers that show any.
fn visible_rate(line: &Line<'_>, judged: &[&Item<'_>], bootstrap: &Bootstrap) -> Option<Estimate> {
    let unit = |item: &&Item<'_>| {
        let tokens = item.median(items::visible_tokens).filter(|tokens| *tokens > 0.0)?;
        Some((tokens, item.median(items::seconds).filter(|seconds| *seconds > 0.0)?))
    };
    let units: Vec<(f64, f64)> = judged.iter().filter_map(unit).collect();
    let summary = ratio_of_sums(&units, bootstrap)?;
    Some(line.row("visible_rate", Unit::TokensPerSecond, summary, units.len()))
}
