//! What a build did with a task, and where two builds did not do the same.
//! Owns their form in a run document; never scores, compares or formats anything.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What came of one attempt.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TaskOutcome {
    /// Every check held.
    Pass,
    /// Some of what was asked.
    Partial,
    /// An answer, and not what was asked.
    Fail,
    /// The token budget was spent before anything visible was written.
    Starved,
    /// No answer that could be judged.
    Error,
}

impl TaskOutcome {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Partial => "partial",
            Self::Fail => "fail",
            Self::Starved => "starved",
            Self::Error => "error",
        }
    }
}

/// One attempt of one build at one task instance. Missing is unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptRecord {
    /// The build, by its short name.
    pub candidate: String,
    /// Task family.
    pub family: String,
    /// Instance, unique in the suite.
    pub instance: String,
    /// Language of the instance.
    pub language: String,
    /// Which repeat, from 0.
    pub repeat: u32,
    /// What came of it.
    pub outcome: TaskOutcome,
    /// Credit from 0 to 1.
    pub points: f64,
    /// Which checks did not hold and why, what else there is to tell, e.g. which of two contradictory rules
    /// was chosen, or why there is no answer.
    pub reason: String,
    /// What it answered, visible text and then the tools it called, as the model wrote it: control
    /// characters included, and cut where it is very long; empty where there is no answer.
    pub answer: String,
    /// Characters of its thinking, of which the text is in the store only.
    pub thinking_chars: u64,
    /// Tokens of the answer, thinking included.
    pub tokens: Option<u64>,
    /// Of these, visible ones.
    pub visible_tokens: Option<u64>,
    /// Of these, thinking.
    pub thinking_tokens: Option<u64>,
    /// Whether the split into visible and thinking was counted; otherwise it is estimated from text.
    pub split_is_exact: bool,
    /// Most tokens it was allowed.
    pub max_tokens: u32,
    /// From the request to the first visible piece, in seconds.
    pub ttfo_s: Option<f64>,
    /// From the request to the end, in seconds; missing for an error.
    pub seconds: Option<f64>,
    /// For a starved attempt: whether the right answer stands in its thinking.
    pub answer_in_thinking: Option<bool>,
    /// Whether the answer went round in circles until it was cut off.
    pub looped: bool,
}

/// One side of a flip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlipSide {
    /// The build, by its short name.
    pub name: String,
    /// What came of its attempt.
    pub outcome: TaskOutcome,
    /// Which checks did not hold and why, and what else there is to tell.
    pub reason: String,
    /// What it answered, visible text and then the tools it called, as the model wrote it: control
    /// characters included, and cut where it is very long.
    pub answer: String,
}

/// A task instance that one of two builds passes and the other does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flip {
    /// Task family.
    pub family: String,
    /// Instance, unique in the suite.
    pub instance: String,
    /// The build that passes.
    pub passes: FlipSide,
    /// The build that does not.
    pub other: FlipSide,
}
