//! Tasks: what a model is asked, and how its answer is judged.

mod attempt;
mod outcome;

pub use attempt::{Attempt, Reply};
pub use outcome::{Check, Outcome, Score};
