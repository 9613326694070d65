//! Tasks: what a model is asked, and how its answer is judged. A family of tasks is a TOML file; a
//! generator or a scorer is one file here.

mod attempt;
mod bounded;
mod bundled;
mod dates;
mod draw;
mod error;
mod exact;
mod expression;
mod family;
mod folder;
pub mod generate;
mod instance;
mod outcome;
pub mod score;
mod solvable;
mod suite;

pub use attempt::{Attempt, Judged, Replied, Reply};
pub use bundled::bundled;
pub use error::TaskError;
pub use expression::Values;
pub use family::Family;
pub use folder::read_folder;
pub use instance::{Drawing, Instance, Message};
pub use outcome::{Check, Outcome, Score};
pub use solvable::check_solvable;
pub use suite::Suite;

#[cfg(test)]
mod family_tests;
#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;
