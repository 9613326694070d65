//! What an early stop changes in a text's rows: intervals that may be looked at, and what was found.

use crate::plan::FidelityPlan;
use crate::record::{Claim, Estimate, Finding, Severity};
use crate::stats::{Answer, Interval, Question, Side, Standing};
use crate::units::count;

use super::stopping::Stopping;

/// Puts the sequence's intervals into the rows that it is about, takes the others away, and says how it
/// ended. `estimates`: all rows of the text. Intervals that were made for a fixed number of windows say
/// too much where the windows themselves decided when to stop; the noise floor has windows of its own.
pub(super) fn apply(
    plan: &FidelityPlan,
    text: usize,
    stopping: &Stopping,
    estimates: &mut [Estimate],
) -> Vec<Finding> {
    if stopping.is_early() {
        let members = plan.members();
        let label = |member: usize| plan.label(&members[member]);
        let (original, orders) = (label(0), stopping.orders());
        let by_sequence = |row: &Estimate| {
            let is_whole =
                !row.setting.contains_key("position") && !row.setting.contains_key("positions");
            if row.reference.as_ref() != Some(&original) || !is_whole {
                return None;
            }
            match row.metric.as_str() {
                "kld_mean" => {
                    let is_it = |&member: &usize| {
                        label(member) == row.candidate && !members[member].purpose.is_noise()
                    };
                    (0..members.len()).find(is_it).and_then(|it| stopping.mean_interval(it))
                }
                "kld_mean_diff" => {
                    let is_it = |answer: &&Answer| match answer.question {
                        Question::Order { candidate, versus } => {
                            label(candidate) == row.candidate && Some(label(versus)) == row.versus
                        }
                        Question::Margin { .. } => false,
                    };
                    orders.iter().find(is_it).and_then(|answer| answer.interval)
                }
                _ => None,
            }
        };
        for row in estimates.iter_mut().filter(|row| !row.metric.starts_with("noise_floor")) {
            set(row, by_sequence(row));
        }
    }
    let mut findings = vec![note(ending(plan, text, stopping))];
    findings
        .extend(stopping.answers().iter().filter_map(|answer| open(plan, text, answer)).map(note));
    findings
}

fn set(row: &mut Estimate, interval: Option<Interval>) {
    row.lo = interval.map(|interval| interval.lo);
    row.hi = interval.map(|interval| interval.hi);
    row.level = interval.map(|interval| interval.level);
}

/// What is read one at a time.
fn window_noun(plan: &FidelityPlan) -> &'static str {
    if plan.ruler.chat { "conversation" } else { "window" }
}

fn note(message: String) -> Finding {
    Finding { severity: Severity::Note, message }
}

fn ending(plan: &FidelityPlan, text: usize, stopping: &Stopping) -> String {
    let name = &plan.texts[text].name;
    let (read, all) = (stopping.read().len(), stopping.order().len());
    let share = 100.0 * read as f64 / all as f64;
    let of_all = count(all as u64, window_noun(plan));
    if stopping.is_early() && stopping.is_over() {
        format!(
            "{name}: every question was decided after {read} of {of_all} ({share:.1} %), read in \
             random order. Intervals of KLD means and their differences, against the original, are \
             the confidence sequence's, valid however early it stopped; other figures of what \
             was read have none"
        )
    } else {
        format!("{name}: {read} of {of_all} ({share:.1} %) were read")
    }
}

/// What stayed open, and what it would take.
fn open(plan: &FidelityPlan, text: usize, answer: &Answer) -> Option<String> {
    let n_windows = plan.texts[text].windows;
    let effort = match answer.standing {
        Standing::Decided { after, .. } if after < n_windows => return None,
        Standing::Decided { .. } => {
            format!(
                "it took all {}; for texts like it, it takes more",
                count(n_windows, window_noun(plan))
            )
        }
        Standing::Open { needed: Some(windows) } => {
            format!("it would take about {}", count(windows, window_noun(plan)))
        }
        Standing::Open { needed: None } => {
            format!("no number of {}s of this text short of all would tell", window_noun(plan))
        }
    };
    let members = plan.members();
    let label = |member: usize| plan.label(&members[member]);
    let question = match answer.question {
        Question::Order { candidate, versus } => {
            format!("the order of {} and {}", label(candidate), label(versus))
        }
        Question::Margin { candidate, margin } => {
            format!("whether {} is within {margin} nats", label(candidate))
        }
    };
    Some(format!("{}: {question} stayed open; {effort}", plan.texts[text].name))
}

/// The statement that an answered question supports, and the row it rests on.
pub(super) fn claim(
    plan: &FidelityPlan,
    text: usize,
    answer: &Answer,
    estimates: &[Estimate],
) -> Option<Claim> {
    let Standing::Decided { side, after } = answer.standing else { return None };
    let members = plan.members();
    let label = |member: usize| plan.label(&members[member]);
    let (scope, original) = (&plan.texts[text].name, label(0));
    if after >= plan.texts[text].windows {
        return None;
    }
    let statement = match (answer.question, side) {
        (Question::Order { candidate, versus }, Side::Lower) => {
            format!("{} is nearer to {original} than {}", label(candidate), label(versus))
        }
        (Question::Order { candidate, versus }, Side::Higher) => {
            format!("{} is nearer to {original} than {}", label(versus), label(candidate))
        }
        (Question::Margin { candidate, margin }, Side::Lower) => {
            format!("{} is within {margin} nats of {original}", label(candidate))
        }
        (Question::Margin { candidate, margin }, Side::Higher) => {
            format!("{} is farther than {margin} nats from {original}", label(candidate))
        }
    };
    let (metric, candidate, versus) = match answer.question {
        Question::Order { candidate, versus } => ("kld_mean_diff", candidate, Some(label(versus))),
        Question::Margin { candidate, .. } => ("kld_mean", candidate, None),
    };
    let is_it = |row: &Estimate| {
        row.metric == metric
            && row.candidate == label(candidate)
            && row.versus == versus
            && row.reference.as_ref() == Some(&original)
    };
    Some(Claim {
        statement: format!(
            "{scope}: {statement} (KLD mean; decided after {})",
            count(after, window_noun(plan))
        ),
        estimates: estimates.iter().position(is_it).into_iter().collect(),
    })
}
