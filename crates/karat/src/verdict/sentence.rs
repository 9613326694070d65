//! Answers in words, short enough to be read aloud. Owns the wording; decides nothing.

use crate::record::{Question, SampleUnit, Verdict};
use crate::stats::Interval;
use crate::units::count;

use super::measurement::{Kind, Measurement};

/// What the pair is called in a sentence.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) question: Question,
    pub(super) candidate: &'a str,
    pub(super) versus: &'a str,
}

impl Names<'_> {
    fn versus(&self) -> String {
        match self.question {
            Question::Recipe => format!("its twin {}", self.versus),
            Question::Budget => format!("the bigger {}", self.versus),
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
    format!("{}: {}", names.opening(verdict), tasks_fact(verdict, tasks))
}

/// What the tasks say, without the names.
pub(super) fn tasks_fact(verdict: Verdict, tasks: &Measurement<'_>) -> String {
    let of = count(tasks.n, "task");
    let points = 100.0 * tasks.gain;
    let lead = match points {
        p if p > 0.0 => format!("it passes {p:.1} points more of {of}"),
        p if p < 0.0 => format!("it passes {:.1} points fewer of {of}", -p),
        _ => format!("it passes as many of {of}"),
    };
    let interval = tasks.interval.map(|i| Interval { lo: 100.0 * i.lo, hi: 100.0 * i.hi, ..i });
    let ends = interval.map(|i| format!(" [{:+.1}, {:+.1}]", i.lo, i.hi)).unwrap_or_default();
    let margin = match verdict {
        Verdict::NotWorse => format!(", a loss of less than {:.0} points", 100.0 * tasks.margin),
        _ => String::new(),
    };
    format!("{lead}{ends}{margin}")
}

/// The answer from texts: those that decide it, then those that say something else.
pub(super) fn of_texts(
    names: Names<'_>,
    verdict: Verdict,
    texts: &[(&Measurement<'_>, Verdict)],
) -> String {
    format!("{}: {}", names.opening(verdict), texts_fact(texts, names.versus))
}

/// What the texts say, without the names; texts that say the same stand together, the first in numbers.
pub(super) fn texts_fact(texts: &[(&Measurement<'_>, Verdict)], versus: &str) -> String {
    let mut groups: Vec<(Verdict, Vec<&Measurement<'_>>)> = Vec::new();
    for (measurement, verdict) in texts {
        match groups.iter_mut().find(|(known, _)| known == verdict) {
            Some((_, group)) => group.push(measurement),
            None => groups.push((*verdict, vec![measurement])),
        }
    }
    // What was decided is told before what was not.
    groups.sort_by_key(|(verdict, _)| *verdict == Verdict::CannotTell);
    let facts = groups.iter().map(|(verdict, group)| {
        let scopes: Vec<&str> = group.iter().map(|one| one.scope).collect();
        let fact = text_fact(group[0], *verdict, versus);
        match group.len() {
            1 => format!("{fact} on {}", scopes[0]),
            n => {
                format!("{fact} on {}, and likewise on {}", scopes[0], others(&scopes[1..], n - 1))
            }
        }
    });
    facts.collect::<Vec<_>>().join("; ")
}

/// Names while they are few.
fn others(scopes: &[&str], n: usize) -> String {
    if n <= 2 { scopes.join(" and ") } else { format!("{n} other texts") }
}

fn text_fact(one: &Measurement<'_>, verdict: Verdict, versus: &str) -> String {
    let within = verdict == Verdict::NotWorse;
    let mark = if verdict == Verdict::CannotTell { ", which tells nothing," } else { "" };
    match one.kind {
        Kind::Divergence => {
            let side = if one.gain >= 0.0 { "nearer to" } else { "farther from" };
            let milli = |nats: f64| 1e3 * nats;
            let size = digits(milli(one.gain).abs(), "");
            let ends = one.interval.map(|i| bracket(milli(i.lo), milli(i.hi), ""));
            let margin = if within {
                format!(", less than the margin of {}", digits(milli(one.margin), ""))
            } else {
                String::new()
            };
            format!(
                "mean KLD {size}·10⁻³ nats {side} the original than {versus}{}{margin}{mark}",
                ends.unwrap_or_default()
            )
        }
        Kind::Passes | Kind::Perplexity => {
            // A gain is a fall of ln perplexity.
            let per_cent = |gain: f64| 100.0 * (-gain).exp_m1();
            let change = per_cent(one.gain);
            let side = if change < 0.0 { "lower" } else { "higher" };
            let ends = one.interval.map(|i| bracket(per_cent(i.hi), per_cent(i.lo), " %"));
            let margin = if within {
                format!(", less than the margin of {:.1} %", 100.0 * one.margin.exp_m1())
            } else {
                String::new()
            };
            format!(
                "perplexity {} {side}{}{margin}{mark}",
                digits(change.abs(), " %"),
                ends.unwrap_or_default()
            )
        }
    }
}

/// ` [+0.9 %, +1.8 %]`.
fn bracket(lo: f64, hi: f64, unit: &str) -> String {
    let decimals = decimals((hi - lo).abs() / 2.0);
    format!(" [{lo:+.decimals$}{unit}, {hi:+.decimals$}{unit}]")
}

fn digits(value: f64, unit: &str) -> String {
    let decimals = decimals(value);
    format!("{value:.decimals$}{unit}")
}

fn decimals(value: f64) -> usize {
    match value {
        v if v >= 10.0 => 0,
        v if v >= 1.0 => 1,
        v if v >= 0.1 => 2,
        _ => 3,
    }
}

/// ` About 392 tasks would decide.`, or why more would not.
pub(super) fn needed(needed: Option<(u64, SampleUnit)>) -> String {
    match needed {
        Some((n, SampleUnit::Instances)) => format!("; about {n} tasks would decide"),
        Some((n, SampleUnit::Windows)) => format!("; about {n} windows of text would decide"),
        None => "; more of the same would hardly decide".to_owned(),
    }
}

/// Where no figure tells anything about a pair.
pub(super) fn nothing(names: Names<'_>) -> String {
    names.opening(Verdict::NotAsked)
}
