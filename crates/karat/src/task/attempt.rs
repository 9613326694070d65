//! One attempt at one task instance: the answer, or why there is none, with its score. The store keeps
//! what came back and how it was judged apart from each other, so that judging anew asks nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::generation::{Generation, GenerationFailure};

use super::{Instance, Score};

/// What came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// An answer.
    Answer(Box<Generation>),
    /// None, and why.
    Failure(Box<GenerationFailure>),
}

/// What the store keeps of one question to a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replied {
    /// What came back.
    pub reply: Reply,
    /// Whether the answer went round in circles until it was cut off.
    pub looped: bool,
}

/// What the store keeps of judging a reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The verdict.
    pub score: Score,
    /// For a starved attempt: whether the right answer stands in its thinking. Missing otherwise, and
    /// where the scorer cannot look there.
    pub answer_in_thinking: Option<bool>,
}

/// One model's attempt at one instance.
#[derive(Clone, Debug, PartialEq)]
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
    /// How the beginning of the answer was judged, by the tokens it was cut off at, where it is longer.
    pub at_budgets: BTreeMap<u32, Score>,
}

impl Attempt {
    /// What came back to an instance, with how it was judged.
    pub fn new(instance: &Instance, repeat: u32, replied: Replied, judged: Judged) -> Self {
        Self {
            family: instance.family.clone(),
            instance: instance.id.clone(),
            language: instance.language.clone(),
            repeat,
            max_tokens: instance.max_tokens,
            reply: replied.reply,
            score: judged.score,
            answer_in_thinking: judged.answer_in_thinking,
            looped: replied.looped,
            at_budgets: BTreeMap::new(),
        }
    }
}
