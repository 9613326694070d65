//! Behaviour: what each build does with the same tasks.
//!
//! [`summary`] makes rows, lists and findings of stored attempts, [`detect`] says before a run what a
//! suite could tell. Values in, values out: nothing here asks a model.

mod budget;
pub mod detect;
mod findings;
mod items;
mod listing;
mod of_build;
mod of_pair;
mod rows;
pub mod summary;

pub use summary::{Asked, BehaviourSummary, summarize};
