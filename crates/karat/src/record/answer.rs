//! The three answers as a run document has them.
//! Owns their form; never draws a conclusion.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of a pair of builds.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Did the training pay: the QAT file against a plain build of the same tensor types, its twin.
    Recipe,
    /// What more memory buys: a small build against a bigger one.
    Budget,
    /// What was given up at all: a build against the original.
    Ceiling,
}

/// What the rows say about the first build of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is better.
    Better,
    /// Not shown to be better, and worse by less than the margin at most.
    NotWorse,
    /// It is worse.
    Worse,
    /// The data do not tell.
    CannotTell,
    /// Nothing was measured that could tell, or nobody said which file is which.
    NotAsked,
}

/// What is counted where a sample is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SampleUnit {
    /// Task instances.
    Instances,
    /// Windows of text.
    Windows,
}

/// How large a sample would decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NeededN {
    /// So many in all, those that there are included.
    pub n: u64,
    /// Of what.
    pub unit: SampleUnit,
}

/// One question answered for one pair of builds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// Which question.
    pub question: Question,
    /// The build asked about; missing where none was named.
    pub candidate: Option<String>,
    /// What it is measured against.
    pub versus: Option<String>,
    /// What the rows say.
    pub verdict: Verdict,
    /// The answer in a sentence.
    pub sentence: String,
    /// What else there is to say about the pair, a sentence each: the other instruments, memory, speed.
    pub besides: Vec<String>,
    /// Rows it rests on, as indexes into `estimates`.
    pub evidence: Vec<usize>,
    /// Where it cannot be told: how large a sample would decide.
    pub needed_n: Option<NeededN>,
}
