//! One attempt at one task instance: the answer, or why there is none, with its score. What the store
//! keeps, one per sample.

use serde::{Deserialize, Serialize};

use crate::generation::{Generation, GenerationFailure};

use super::Score;

/// What came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// An answer.
    Answer(Box<Generation>),
    /// None, and why.
    Failure(Box<GenerationFailure>),
}

/// One model's attempt at one instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Task family, e.g. `exact_arithmetic`.
    pub family: String,
    /// Instance of the family, unique in a suite, e.g. `exact_arithmetic/7`.
    pub instance: String,
    /// Language of the instance, e.g. `pl`.
    pub language: String,
    /// Which repeat, from 0.
    pub repeat: u32,
    /// Most tokens of the answer, thinking included.
    pub max_tokens: u32,
    /// What came back.
    pub reply: Reply,
    /// How it was judged.
    pub score: Score,
    /// For a starved attempt: whether the right answer stands in its thinking. Missing otherwise, and
    /// where the scorer cannot look there.
    pub answer_in_thinking: Option<bool>,
    /// Whether the answer went round in circles until it was cut off.
    pub looped: bool,
}
