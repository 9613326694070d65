//! Whether two answers are the same visible tokens, and where they part. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::generation::Generation;
use crate::plan::{ControlPlan, ControlSample};

/// Characters shown on each side of the place where two texts part.
const SHOWN: usize = 24;

/// Visible tokens of an answer, where they were counted: not where they were told apart from thinking
/// by the lengths of texts.
pub(super) fn visible_tokens(answer: &Generation) -> Option<u64> {
    let visible = answer.tokens.visible?;
    let has_thought = answer.tokens.thinking.is_some_and(|thinking| thinking.tokens > 0);
    (visible.exact || !has_thought).then_some(visible.tokens)
}

/// How two answers come not to be the same visible tokens, in words; `None` where they are.
pub(super) fn parting(one: &Generation, other: &Generation) -> Option<String> {
    if one.visible != other.visible {
        return Some(texts_part(&one.visible, &other.visible));
    }
    if one.visible.is_empty() {
        return Some("nothing visible was written".to_owned());
    }
    // A count that is not known cannot contradict the text.
    let counts = visible_tokens(one).zip(visible_tokens(other));
    counts.filter(|(one, other)| one != other).map(|_| {
        "their texts are the same, so tokens are not counted alike, or some were not shown"
            .to_owned()
    })
}

/// `after "8, 119, 120" the first ends and the second goes on with ", 121"`.
fn texts_part(one: &str, other: &str) -> String {
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let before: Vec<char> = one.chars().take(same).collect();
    let before: String = before[same.saturating_sub(SHOWN)..].iter().collect();
    let rest = |text: &str| -> String { text.chars().skip(same).take(SHOWN).collect() };
    let goes_on = |text: &str| match rest(text) {
        rest if rest.is_empty() => "ends".to_owned(),
        rest => format!("goes on with {rest:?}"),
    };
    let place = if before.is_empty() { "at once".to_owned() } else { format!("after {before:?}") };
    format!("{place} the first {} and the second {}", goes_on(one), goes_on(other))
}

/// Two entries whose answers part, in the first block where they do.
pub(super) struct Parted {
    /// The later entry and the earlier one.
    pub(super) pair: (usize, usize),
    /// The block, from 0.
    pub(super) block: u32,
    /// Visible tokens of the earlier and of the later one there.
    pub(super) counts: [Option<u64>; 2],
    /// Where, the earlier one being the first.
    pub(super) words: String,
}

/// Every pair of entries that must not be compared.
pub(super) fn parted(plan: &ControlPlan, samples: &[BTreeMap<u32, ControlSample>]) -> Vec<Parted> {
    let find = |(later, earlier): (usize, usize)| {
        shared(samples, (earlier, later)).into_iter().find_map(|(block, one, other)| {
            let words = parting(one, other)?;
            let counts = [one, other].map(visible_tokens);
            Some(Parted { pair: (later, earlier), block, counts, words })
        })
    };
    pairs(plan).into_iter().filter_map(find).collect()
}

/// Pairs of entries that did not think the same, whose times from the request on are no comparison.
pub(super) fn thought_apart(
    plan: &ControlPlan,
    samples: &[BTreeMap<u32, ControlSample>],
) -> BTreeSet<(usize, usize)> {
    let is_apart = |&(later, earlier): &(usize, usize)| {
        let shared = shared(samples, (earlier, later));
        shared.into_iter().any(|(_, one, other)| one.thinking != other.thinking)
    };
    pairs(plan).into_iter().filter(is_apart).collect()
}

/// Pairs of entries, the later one first. The first model again is compared with itself alone.
fn pairs(plan: &ControlPlan) -> Vec<(usize, usize)> {
    let n = plan.models.len();
    let of_models = (0..n).flat_map(|earlier| (earlier + 1..n).map(move |later| (later, earlier)));
    of_models.chain([(n, 0)]).collect()
}

/// The answers of two entries in every block that both have.
fn shared(
    samples: &[BTreeMap<u32, ControlSample>],
    (one, other): (usize, usize),
) -> Vec<(u32, &Generation, &Generation)> {
    let (Some(one), Some(other)) = (samples.get(one), samples.get(other)) else {
        return Vec::new();
    };
    let both = one
        .iter()
        .filter_map(|(block, sample)| Some((*block, &sample.answer, &other.get(block)?.answer)));
    both.collect()
}
