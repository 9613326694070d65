//! Answers in words, short enough to be read aloud. Owns the wording; decides nothing.

use crate::record::{Question, SampleUnit, Verdict};
use crate::stats::Interval;
use crate::units::count;

use super::measurement::{Kind, Measurement, Passed, Unjudged};

/// What the pair is called in a sentence.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) question: Question,
    pub(super) candidate: &'a str,
    pub(super) versus: &'a str,
    /// The other build is a quantized file that stands in for the original.
    pub(super) is_proxy: bool,
}

impl Names<'_> {
    fn versus(&self) -> String {
        match self.question {
            Question::Recipe => format!("its twin {}", self.versus),
            Question::Budget => format!("the bigger {}", self.versus),
            Question::Ceiling if self.is_proxy => {
                format!("{}, itself quantized and no original", self.versus)
            }
            Question::Ceiling => format!("the original {}", self.versus),
        }
    }

    /// `q4 is better than its twin t`.
    fn opening(&self, verdict: Verdict) -> String {
        let (candidate, versus) = (self.candidate, self.versus());
        match verdict {
            Verdict::Better => format!("{candidate} is better than {versus}"),
            Verdict::NotWorse => format!("{candidate} is not worse than {versus}"),
            Verdict::Worse => format!("{candidate} is worse than {versus}"),
            Verdict::CannotTell => format!("cannot tell {candidate} from {versus}"),
            Verdict::NotAsked => {
                format!("{candidate} and {versus} have no task and no text in common")
            }
        }
    }
}

/// The answer from tasks.
pub(super) fn of_tasks(names: Names<'_>, verdict: Verdict, tasks: &Measurement<'_>) -> String {
    format!("{}: {}", names.opening(verdict), tasks_fact(names, verdict, tasks))
}

/// What the tasks say, without the names.
pub(super) fn tasks_fact(names: Names<'_>, verdict: Verdict, tasks: &Measurement<'_>) -> String {
    let points = 100.0 * tasks.gain;
    let lead = match points {
        p if p > 0.0 => format!("{p:.1} points more"),
        p if p < 0.0 => format!("{:.1} points fewer", -p),
        _ => "as many".to_owned(),
    };
    let Kind::Passes(Passed { candidate, versus, has_room }) = tasks.kind else { return lead };
    let of = count(tasks.n, "task");
    let passed = format!("it passes {candidate} of {of}, the other {versus} of {}", tasks.n);
    let interval = tasks.interval.map(|i| Interval { lo: 100.0 * i.lo, hi: 100.0 * i.hi, ..i });
    let ends = interval.map(|i| format!(" [{:+.1}, {:+.1}]", i.lo, i.hi)).unwrap_or_default();
    let margin = as_given(100.0 * tasks.margin);
    let told = match verdict {
        Verdict::NotWorse => format!(", a loss of less than {margin} points"),
        Verdict::CannotTell if !has_room => format!(
            "; {} passes only {versus} of {} of these tasks, so a loss of {margin} points could not show",
            names.versus(),
            tasks.n
        ),
        _ => String::new(),
    };
    format!("{passed}: {lead}{ends}{told}")
}

/// A margin in its unit without the last bits of its binary fraction: 5, 2.5.
fn as_given(margin: f64) -> f64 {
    (1e3 * margin).round() / 1e3
}

/// The answer from texts: those that decide it, then those that say something else.
pub(super) fn of_texts(
    names: Names<'_>,
    verdict: Verdict,
    texts: &[(&Measurement<'_>, Verdict)],
) -> String {
    format!("{} on text: {}", names.opening(verdict), texts_fact(texts, names.versus))
}

/// What the texts say, without the names; texts that say the same stand together, the first in numbers.
pub(super) fn texts_fact(texts: &[(&Measurement<'_>, Verdict)], versus: &str) -> String {
    let mut groups: Vec<(Verdict, Option<Unjudged>, Vec<&Measurement<'_>>)> = Vec::new();
    for (measurement, verdict) in texts {
        let (verdict, why) = (*verdict, measurement.unjudged());
        match groups.iter_mut().find(|(known, reason, _)| (*known, *reason) == (verdict, why)) {
            Some((.., group)) => group.push(measurement),
            None => groups.push((verdict, why, vec![measurement])),
        }
    }
    // A difference is told before its absence, and what was decided before what was not.
    groups.sort_by_key(|(verdict, why, _)| match verdict {
        Verdict::Better | Verdict::Worse => 0,
        Verdict::NotWorse => 1,
        Verdict::CannotTell | Verdict::NotAsked => 2 + u8::from(why.is_some()),
    });
    let facts = groups.iter().map(|(verdict, why, group)| {
        let scopes: Vec<&str> = group.iter().map(|one| one.scope).collect();
        let fact = text_fact(group[0], *verdict, versus);
        let why = why.map(not_judged).unwrap_or_default();
        match group.len() {
            1 => format!("{fact} on {}{why}", scopes[0]),
            n => format!(
                "{fact} on {}, and likewise on {}{why}",
                scopes[0],
                others(&scopes[1..], n - 1)
            ),
        }
    });
    facts.collect::<Vec<_>>().join("; ")
}

/// `, which is not judged, because ...`: a figure without an interval is no small sample.
fn not_judged(why: Unjudged) -> &'static str {
    match why {
        Unjudged::StoppedEarly => {
            ", which is not judged, because the run stopped early; without --until decided it is"
        }
        Unjudged::OneWindow => ", which is not judged, because one window has no interval",
        Unjudged::NoInterval => ", which is not judged, because it has no interval",
    }
}

/// Names while they are few.
fn others(scopes: &[&str], n: usize) -> String {
    if n <= 2 { scopes.join(" and ") } else { format!("{n} other texts") }
}

fn text_fact(one: &Measurement<'_>, verdict: Verdict, versus: &str) -> String {
    let is_open = verdict == Verdict::CannotTell && one.unjudged().is_none();
    let mark = if is_open { ", which tells nothing," } else { "" };
    let fact = match one.kind {
        Kind::Divergence => {
            // As far as is said, in the direction that is said.
            let sign = if one.gain < 0.0 { -1.0 } else { 1.0 };
            let side = if sign > 0.0 { "nearer to" } else { "farther from" };
            let milli = |gain: f64| 1e3 * sign * gain;
            let (size, ends) = digits(one, milli, "");
            format!("mean KLD {size}·10⁻³ nats {side} the original than {versus}{ends}")
        }
        Kind::Passes(_) | Kind::Perplexity => {
            // A gain is a fall of ln perplexity.
            let side = if one.gain > 0.0 { "lower" } else { "higher" };
            let (size, ends) = digits(one, |gain| 100.0 * (-gain).exp_m1(), " %");
            format!("perplexity {} {side}{ends}", size.trim_start_matches('-'))
        }
    };
    let margin = match one.kind {
        Kind::Divergence => format!("{}·10⁻³ nats", as_given(1e3 * one.margin)),
        Kind::Passes(_) | Kind::Perplexity => {
            let percent = 100.0 * one.margin.exp_m1();
            let decimals = if percent < 0.1 { 3 } else { 1 };
            format!("{percent:.decimals$} %")
        }
    };
    let margin = match verdict {
        Verdict::NotWorse if one.gain > 0.0 => format!(" (a loss of {margin} is excluded)"),
        Verdict::NotWorse => format!(", less than the margin of {margin}"),
        _ => String::new(),
    };
    format!("{fact}{margin}{mark}")
}

/// The size with its unit and ` [+0.9, +1.8]`, with two significant digits of half the interval. `of` may turn it.
fn digits(one: &Measurement<'_>, of: impl Fn(f64) -> f64, unit: &str) -> (String, String) {
    let value = of(one.gain);
    let Some(interval) = one.interval else { return (format!("{value:.2}{unit}"), String::new()) };
    let (a, b) = (of(interval.lo), of(interval.hi));
    let (lo, hi) = (a.min(b), a.max(b));
    let decimals = match (hi - lo) / 2.0 {
        half if half >= 10.0 => 0,
        half if half >= 1.0 => 1,
        half if half >= 0.1 => 2,
        _ => 3,
    };
    (format!("{value:.decimals$}{unit}"), format!(" [{lo:+.decimals$}, {hi:+.decimals$}]"))
}

/// `; about 392 tasks would decide`, or that more would not.
pub(super) fn needed(needed: Option<(u64, SampleUnit)>) -> String {
    match needed {
        Some((n, SampleUnit::Instances)) => format!("; about {} would decide", count(n, "task")),
        Some((n, SampleUnit::Windows)) => {
            format!("; about {} of text would decide", count(n, "window"))
        }
        None => "; more of the same would hardly decide".to_owned(),
    }
}

/// Where no figure tells anything about a pair.
pub(super) fn nothing(names: Names<'_>) -> String {
    names.opening(Verdict::NotAsked)
}
