//! Scorers: how an answer becomes an outcome with reasons. One file each, and one line in [`SCORERS`].

mod chrf;
mod code;
mod dress;
mod fold;
mod forms;
mod json;
mod number;
mod recall;
mod rules;
mod text;
mod tool_call;

use std::fmt::Debug;

use karat_sandbox::Sandbox;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use chrf::chrf;

use super::{Check, Outcome, Reply, Score};
use crate::generation::{FinishReason, ToolCall};

/// Credit for an answer that is right in part.
const HALF: f64 = 0.5;

/// What of an answer is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What the reader is meant to see.
    pub visible: String,
    /// Tools that were called.
    pub tool_calls: Vec<ToolCall>,
}

impl Answer {
    /// An answer in words.
    pub fn text(visible: impl Into<String>) -> Self {
        Self { visible: visible.into(), tool_calls: Vec::new() }
    }
}

/// What scorers may use.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    /// Where code runs.
    pub sandbox: &'a Sandbox,
}

/// Judges answers to one instance.
pub trait Scorer: Debug {
    /// The verdict on an answer.
    fn judge(&self, answer: &Answer, means: Means<'_>) -> Score;

    /// Whether the right answer stands somewhere in a text; none where that cannot be told.
    fn stands_in(&self, text: &str) -> Option<bool>;

    /// An answer that has to pass, made from what is expected; none where the task has none to show.
    fn reference(&self) -> Option<Answer>;
}

type Read = fn(Value) -> Result<Box<dyn Scorer>, String>;

/// Every scorer: its `kind` and how its other keys are read.
pub const SCORERS: &[(&str, Read)] = &[
    ("code", read::<code::Code>),
    ("forms", read::<forms::Forms>),
    ("json", read::<json::Json>),
    ("number", read::<number::Number>),
    ("recall", read::<recall::Recall>),
    ("rules", read::<rules::Rules>),
    ("text", read::<text::Text>),
    ("tool_call", read::<tool_call::ToolCallScorer>),
];

/// What a scorer's keys have to satisfy beyond their types.
trait Checked {
    /// Refuses keys that make no sense together.
    fn checked(&self) -> Result<(), String>;
}

fn read<S: Scorer + Checked + DeserializeOwned + 'static>(
    keys: Value,
) -> Result<Box<dyn Scorer>, String> {
    let scorer: S = serde_json::from_value(keys).map_err(|error| error.to_string())?;
    scorer.checked()?;
    Ok(Box::new(scorer))
}

/// The scorer that a table with a `kind` describes.
pub fn scorer(spec: &Value) -> Result<Box<dyn Scorer>, String> {
    let known = || SCORERS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let mut keys = spec.as_object().cloned().unwrap_or_default();
    let Some(Value::String(kind)) = keys.remove("kind") else {
        return Err(format!("a scorer needs a `kind`, one of {}", known()));
    };
    let (_, read) = SCORERS
        .iter()
        .find(|(name, _)| *name == kind)
        .ok_or_else(|| format!("`{kind}` is no kind of scorer; there are {}", known()))?;
    read(Value::Object(keys)).map_err(|error| format!("{kind}: {error}"))
}

/// Judges what came back, whatever it is. Beside the score, for a starved attempt: whether the right
/// answer stands in its thinking.
///
/// Starved is an answer that was cut off, by the token limit or because it went round in circles, before
/// anything visible was written and without a call of a tool.
pub fn score(scorer: &dyn Scorer, reply: &Reply, means: Means<'_>) -> (Score, Option<bool>) {
    let generation = match reply {
        Reply::Answer(generation) => generation,
        Reply::Failure(failure) => {
            let check = failed("an answer", failure.message.clone());
            return (whole(Outcome::Error, vec![check]), None);
        }
    };
    let is_empty = generation.visible.trim().is_empty() && generation.tool_calls.is_empty();
    let is_cut = matches!(generation.finish, FinishReason::Length | FinishReason::Cancelled);
    if is_empty && is_cut {
        let check = failed(
            "a visible answer",
            "the answer was cut off before anything visible was written".to_owned(),
        );
        return (whole(Outcome::Starved, vec![check]), scorer.stands_in(&generation.thinking));
    }
    if is_empty {
        let check =
            failed("a visible answer", "the model ended its turn and said nothing".to_owned());
        return (whole(Outcome::Fail, vec![check]), None);
    }
    let answer =
        Answer { visible: generation.visible.clone(), tool_calls: generation.tool_calls.clone() };
    (scorer.judge(&answer, means), None)
}

/// The score of an attempt whose scorer cannot be made, e.g. because it comes from another version.
pub(super) fn impossible(why: String) -> Score {
    whole(Outcome::Error, vec![failed("an answer that can be judged", why)])
}

/// A text in a file, or a number that stands for its text.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
struct Written(String);

impl TryFrom<Value> for Written {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            other => Err(format!("`{other}` is neither text nor a number")),
        }
    }
}

/// A check that held.
fn held(name: impl Into<String>) -> Check {
    Check { name: name.into(), held: true, why: String::new() }
}

/// A check that held, and what is worth telling of it.
fn told(name: impl Into<String>, what: impl Into<String>) -> Check {
    Check { name: name.into(), held: true, why: what.into() }
}

/// A check that did not hold.
fn failed(name: impl Into<String>, why: impl Into<String>) -> Check {
    Check { name: name.into(), held: false, why: why.into() }
}

/// A check that held if `is_held`.
fn check(name: impl Into<String>, is_held: bool, why: impl FnOnce() -> String) -> Check {
    if is_held { held(name) } else { failed(name, why()) }
}

/// An outcome whose credit follows from it.
fn whole(outcome: Outcome, checks: Vec<Check>) -> Score {
    let points = match outcome {
        Outcome::Pass => 1.0,
        Outcome::Partial => HALF,
        Outcome::Fail | Outcome::Starved | Outcome::Error => 0.0,
    };
    Score { outcome, points, checks }
}

/// Credit by the share of checks that held.
fn by_share(checks: Vec<Check>) -> Score {
    let n_held = checks.iter().filter(|check| check.held).count();
    let points = if checks.is_empty() { 0.0 } else { n_held as f64 / checks.len() as f64 };
    let outcome = match n_held {
        0 => Outcome::Fail,
        n if n == checks.len() => Outcome::Pass,
        _ => Outcome::Partial,
    };
    Score { outcome, points, checks }
}

/// The beginning of a text, for a reason.
fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST {
        return format!("`{line}`");
    }
    format!("`{}…`", line.chars().take(MOST).collect::<String>())
}

#[cfg(test)]
mod tests;
