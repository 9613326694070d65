//! Attempts sorted by task instance, and what one attempt is for the statistics.
//! Owns which attempt counts; never sums anything up.

use crate::generation::Generation;
use crate::task::{Attempt, Outcome, Reply};

/// One task instance as one build met it.
pub(super) struct Item<'a> {
    /// At the largest budget it was asked with, by repeat: the first is the one that is scored.
    repeats: Vec<&'a Attempt>,
}

impl<'a> Item<'a> {
    /// The attempt that pass rates, scores and flips are of: the first repeat, whatever the others say.
    pub(super) fn first(&self) -> &'a Attempt {
        self.repeats[0]
    }

    /// The repeats after the first.
    pub(super) fn reruns(&self) -> &[&'a Attempt] {
        &self.repeats[1..]
    }

    /// The median over repeats of something that varies with the machine; `None` where no repeat has it.
    pub(super) fn median(&self, of: impl Fn(&Attempt) -> Option<f64>) -> Option<f64> {
        let mut values: Vec<f64> = self.repeats.iter().filter_map(|attempt| of(attempt)).collect();
        values.sort_by(f64::total_cmp);
        let (low, high) = (values.get(values.len().checked_sub(1)? / 2)?, values[values.len() / 2]);
        Some(f64::midpoint(*low, high))
    }
}

/// The instances of one build, in the order they were first asked.
pub(super) fn items(attempts: &[Attempt]) -> Vec<Item<'_>> {
    let mut items: Vec<Item<'_>> = Vec::new();
    for attempt in attempts {
        match items.iter_mut().find(|item| item.first().instance == attempt.instance) {
            Some(item) => item.repeats.push(attempt),
            None => items.push(Item { repeats: vec![attempt] }),
        }
    }
    for item in &mut items {
        let largest = item.repeats.iter().map(|attempt| attempt.max_tokens).max();
        item.repeats.retain(|attempt| Some(attempt.max_tokens) == largest);
        item.repeats.sort_by_key(|attempt| attempt.repeat);
    }
    items
}

/// Instances that two builds both met, by the first one's order, whatever came of them.
pub(super) fn shared<'i, 'a>(
    one: &'i [Item<'a>],
    other: &'i [Item<'a>],
) -> Vec<(&'i Item<'a>, &'i Item<'a>)> {
    let partner = |item: &'i Item<'a>| {
        let instance = &item.first().instance;
        other.iter().find(|other| other.first().instance == *instance).map(|other| (item, other))
    };
    one.iter().filter_map(partner).collect()
}

/// The answer, where there is one.
pub(super) fn answer(attempt: &Attempt) -> Option<&Generation> {
    match &attempt.reply {
        Reply::Answer(generation) => Some(generation),
        Reply::Failure(_) => None,
    }
}

pub(super) fn is_pass(attempt: &Attempt) -> bool {
    attempt.score.outcome == Outcome::Pass
}

pub(super) fn is_starved(attempt: &Attempt) -> bool {
    attempt.score.outcome == Outcome::Starved
}

pub(super) fn is_error(attempt: &Attempt) -> bool {
    attempt.score.outcome == Outcome::Error
}

/// Seconds from the request to the end of the answer.
pub(super) fn seconds(attempt: &Attempt) -> Option<f64> {
    answer(attempt).map(|answer| answer.timings.total_s)
}

/// Tokens of the answer, thinking included.
pub(super) fn tokens(attempt: &Attempt) -> Option<f64> {
    Some(answer(attempt)?.tokens.total? as f64)
}

pub(super) fn visible_tokens(attempt: &Attempt) -> Option<f64> {
    Some(answer(attempt)?.tokens.visible?.tokens as f64)
}

pub(super) fn thinking_tokens(attempt: &Attempt) -> Option<f64> {
    Some(answer(attempt)?.tokens.thinking?.tokens as f64)
}
