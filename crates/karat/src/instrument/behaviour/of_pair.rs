//! Two builds on the same tasks: who passes what the other does not, and who needs more tokens.
//! Owns the rows of a pair; every figure is candidate - versus, or candidate over versus.

use crate::record::{Estimate, Unit};
use crate::stats::{
    BlockMean, Bootstrap, PairedCounts, Summary, mcnemar, mean_by_family, mean_by_task, sign_flip,
    tango_interval, wilson,
};

use super::items::{self, Item, is_error, is_pass, is_starved};
use super::of_build::by_family;
use super::rows::Line;

/// A task as both builds met it, candidate first.
pub(super) type Pair<'i, 'a> = (&'i Item<'a>, &'i Item<'a>);

/// Both gave an answer that could be judged.
pub(super) fn is_judged(pair: &Pair<'_, '_>) -> bool {
    !is_error(pair.0.first()) && !is_error(pair.1.first())
}

/// Who passed.
pub(super) fn counts(pairs: &[Pair<'_, '_>]) -> PairedCounts {
    PairedCounts::of(
        pairs.iter().map(|(one, other)| (is_pass(one.first()), is_pass(other.first()))),
    )
}

/// Rows of a pair of builds in one part of the suite. `pairs`: judged ones. `tested`: with p values.
pub(super) fn rows(
    line: &Line<'_>,
    pairs: &[Pair<'_, '_>],
    bootstrap: &Bootstrap,
    tested: bool,
) -> Vec<Estimate> {
    let mut rows = passes(line, pairs, bootstrap);
    rows.extend(scores(line, pairs, bootstrap));
    if tested {
        rows.extend(tests(line, pairs, bootstrap.resampling().seed));
        // The primary comparison takes a starved attempt for one that did not pass; this one asks what
        // is left where both had something to say.
        let neither_starved =
            |pair: &&Pair<'_, '_>| !is_starved(pair.0.first()) && !is_starved(pair.1.first());
        let spoken: Vec<Pair<'_, '_>> = pairs.iter().filter(neither_starved).copied().collect();
        let line = line.with("pairs", "none_starved");
        rows.extend(passes(&line, &spoken, bootstrap));
        rows.extend(tests(&line, &spoken, bootstrap.resampling().seed));
    }
    rows.extend(tokens_ratio(line, pairs, bootstrap.resampling().level));
    rows
}

fn passes(line: &Line<'_>, pairs: &[Pair<'_, '_>], bootstrap: &Bootstrap) -> Vec<Estimate> {
    let (counts, n) = (counts(pairs), pairs.len());
    let level = bootstrap.resampling().level;
    let Some(value) = counts.difference() else { return Vec::new() };
    let difference = Summary { value, interval: tango_interval(&counts, level) };
    let mut rows = vec![line.row("pass_rate_diff", Unit::Fraction, difference, n)];
    let leads = by_family(pairs.iter().map(|pair| (pair.0.first(), lead(pair))));
    if leads.len() > 1 {
        let by_family = mean_by_family(&leads, bootstrap).map(|mean| mean.within(-1.0, 1.0));
        rows.extend(by_family.map(|mean| {
            line.with("unit", "family").row("pass_rate_diff", Unit::Fraction, mean, leads.len())
        }));
    }
    let flips = wilson(counts.discordant(), counts.n(), level);
    rows.extend(flips.map(|rate| line.row("flip_rate", Unit::Fraction, rate, n)));
    rows.push(line.bare("passed_both", Unit::Count, counts.both as f64, n));
    rows.push(line.bare("passed_alone", Unit::Count, counts.first_only as f64, n));
    if let Some(versus) = line.versus {
        let turned = Line { candidate: versus, versus: Some(line.candidate), ..line.clone() };
        rows.push(turned.bare("passed_alone", Unit::Count, counts.second_only as f64, n));
    }
    rows
}

/// 1 where the candidate alone passes, -1 where the other one does.
fn lead((one, other): &Pair<'_, '_>) -> f64 {
    let passed = |item: &Item<'_>| f64::from(u8::from(is_pass(item.first())));
    passed(one) - passed(other)
}

fn scores(line: &Line<'_>, pairs: &[Pair<'_, '_>], bootstrap: &Bootstrap) -> Vec<Estimate> {
    let families = points(pairs);
    let tasks = families.concat();
    let by_task =
        mean_by_task(&tasks, bootstrap).map(|mean| (mean, line.with("unit", "task"), tasks.len()));
    let by_family = (families.len() > 1)
        .then(|| mean_by_family(&families, bootstrap))
        .flatten()
        .map(|mean| (mean, line.with("unit", "family"), families.len()));
    let row = |(mean, line, n): (Summary, Line<'_>, usize)| {
        line.row("score_diff", Unit::Fraction, mean.within(-1.0, 1.0), n)
    };
    by_task.into_iter().chain(by_family).map(row).collect()
}

/// Differences of credit, family by family.
fn points(pairs: &[Pair<'_, '_>]) -> Vec<Vec<f64>> {
    let difference =
        |pair: &Pair<'_, '_>| pair.0.first().score.points - pair.1.first().score.points;
    by_family(pairs.iter().map(|pair| (pair.0.first(), difference(pair))))
}

fn tests(line: &Line<'_>, pairs: &[Pair<'_, '_>], seed: u64) -> Vec<Estimate> {
    if pairs.is_empty() {
        return Vec::new();
    }
    let p_values = mcnemar(&counts(pairs));
    let leads = by_family(pairs.iter().map(|pair| (pair.0.first(), lead(pair))));
    let points = points(pairs);
    let sums = |families: &[Vec<f64>]| -> Vec<f64> {
        families.iter().map(|family| family.iter().sum()).collect()
    };
    let flipped = |values: &[f64]| Some((sign_flip(values, seed)?.p_value, values.len()));
    let all = [
        ("pass_p_exact", Some((p_values.exact, pairs.len()))),
        ("pass_p_mid", Some((p_values.mid_p, pairs.len()))),
        ("pass_p_family", flipped(&sums(&leads))),
        ("score_p", flipped(&points.concat())),
        ("score_p_family", flipped(&sums(&points))),
    ];
    let row = |(metric, test): (&str, Option<(f64, usize)>)| {
        let (p_value, n) = test?;
        Some(line.bare(metric, Unit::Fraction, p_value, n))
    };
    all.into_iter().filter_map(row).collect()
}

/// Geometric mean over tasks of the ratio of tokens, with Student's t interval on the logarithms: what a
/// task asks for cancels in its ratio. Times have none: the two builds answered at different moments, so
/// an interval over tasks would leave out what the moment did.
fn tokens_ratio(line: &Line<'_>, pairs: &[Pair<'_, '_>], level: f64) -> Option<Estimate> {
    let log = |pair: &Pair<'_, '_>| {
        let (one, other) = (pair.0.median(items::tokens)?, pair.1.median(items::tokens)?);
        (one > 0.0 && other > 0.0).then(|| (one / other).ln())
    };
    let logs: Vec<f64> = pairs.iter().filter_map(log).collect();
    let summary = BlockMean::of(&logs)?.summary(level).map(f64::exp);
    Some(line.row("tokens_ratio", Unit::Ratio, summary, logs.len()))
}
