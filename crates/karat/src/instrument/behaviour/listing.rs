//! Attempts and flips as a report lists them.
//! Owns what of an attempt is told; decides nothing.

use crate::generation::Generation;
use crate::record::{AttemptRecord, Flip, FlipSide, TaskOutcome};
use crate::task::{Attempt, Outcome, Reply};

use super::items::{answer, is_pass, seconds};
use super::of_pair::Pair;

/// Longest answer of an attempt, and longest that a flip shows, in characters; the store has all of it.
const LONGEST_ANSWER: usize = 16_384;
const LONGEST_FLIP: usize = 4_000;

impl From<Outcome> for TaskOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pass => Self::Pass,
            Outcome::Partial => Self::Partial,
            Outcome::Fail => Self::Fail,
            Outcome::Starved => Self::Starved,
            Outcome::Error => Self::Error,
        }
    }
}

/// One attempt.
pub(super) fn record(candidate: &str, attempt: &Attempt) -> AttemptRecord {
    let tokens = answer(attempt).map(|answer| answer.tokens).unwrap_or_default();
    let parts = [tokens.visible, tokens.thinking];
    AttemptRecord {
        candidate: candidate.to_owned(),
        family: attempt.family.clone(),
        instance: attempt.instance.clone(),
        language: attempt.language.clone(),
        repeat: attempt.repeat,
        outcome: attempt.score.outcome.into(),
        points: attempt.score.points,
        reason: reason(attempt),
        answer: given(attempt, LONGEST_ANSWER),
        thinking_chars: answer(attempt).map_or(0, |answer| answer.thinking.chars().count() as u64),
        tokens: tokens.total,
        visible_tokens: tokens.visible.map(|part| part.tokens),
        thinking_tokens: tokens.thinking.map(|part| part.tokens),
        split_is_exact: parts.into_iter().flatten().all(|part| part.exact),
        max_tokens: attempt.max_tokens,
        ttfo_s: answer(attempt).and_then(|answer| answer.timings.ttfo_s),
        seconds: seconds(attempt),
        answer_in_thinking: attempt.answer_in_thinking,
        looped: attempt.looped,
    }
}

/// Which checks did not hold and what the others tell, or why there is no answer.
fn reason(attempt: &Attempt) -> String {
    if let Reply::Failure(failure) = &attempt.reply {
        return failure.message.clone();
    }
    let (held, broken): (Vec<_>, Vec<_>) =
        attempt.score.checks.iter().partition(|check| check.held);
    let telling = held.into_iter().filter(|check| !check.why.is_empty());
    let words = broken.into_iter().chain(telling).map(|check| match check.why.as_str() {
        "" => check.name.clone(),
        why => format!("{}: {why}", check.name),
    });
    words.collect::<Vec<_>>().join("; ")
}

/// What a model shows and the tools it calls, a call a line: `name(arguments)`.
fn output(answer: &Generation) -> String {
    let calls = answer.tool_calls.iter().map(|call| format!("{}({})", call.name, call.arguments));
    let shown = Some(answer.visible.clone()).filter(|visible| !visible.trim().is_empty());
    shown.into_iter().chain(calls).collect::<Vec<_>>().join("\n")
}

/// What was answered, up to so many characters.
fn given(attempt: &Attempt, longest: usize) -> String {
    let given = answer(attempt).map(output).unwrap_or_default();
    match given.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &given[..end]),
        None => given,
    }
}

/// Tasks that one of the two alone passes.
pub(super) fn flips(names: (&str, &str), pairs: &[Pair<'_, '_>]) -> Vec<Flip> {
    let flip = |(one, other): &Pair<'_, '_>| {
        let sides = [(names.0, one.first()), (names.1, other.first())];
        let [passes, other] = match sides.map(|(_, attempt)| is_pass(attempt)) {
            [true, false] => sides,
            [false, true] => [sides[1], sides[0]],
            _ => return None,
        };
        Some(Flip {
            family: passes.1.family.clone(),
            instance: passes.1.instance.clone(),
            passes: side(passes),
            other: side(other),
        })
    };
    pairs.iter().filter_map(flip).collect()
}

fn side((name, attempt): (&str, &Attempt)) -> FlipSide {
    FlipSide {
        name: name.to_owned(),
        outcome: attempt.score.outcome.into(),
        reason: reason(attempt),
        answer: given(attempt, LONGEST_FLIP),
    }
}
