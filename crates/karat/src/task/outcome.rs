//! How an answer is judged: five outcomes, and the checks behind them.

use serde::{Deserialize, Serialize};

/// What came of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every check held.
    Pass,
    /// Some of what was asked.
    Partial,
    /// An answer, and not what was asked.
    Fail,
    /// The token budget was spent before anything visible was written.
    Starved,
    /// No answer that could be judged: the server died, the engine failed, the scorer could not run.
    Error,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was asked, in a few words.
    pub name: String,
    /// Whether it held.
    pub held: bool,
    /// Why it did not, with what stood there instead. Where it held, what is worth telling, e.g. which of
    /// two contradictory rules was chosen; mostly empty.
    pub why: String,
}

/// A judged answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The outcome.
    pub outcome: Outcome,
    /// Credit from 0 to 1: 1 exactly where the outcome is a pass, 0 where it is a fail, starved or an
    /// error.
    pub points: f64,
    /// What was checked, in order.
    pub checks: Vec<Check>,
}
