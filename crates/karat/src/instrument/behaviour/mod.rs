//! Behaviour: what each build does with the same tasks.
//!
//! [`draw`] draws the tasks ([`draw_served`] where a server has to say how long texts are) and [`ask`]
//! asks them, in a worker's [`job`] or of a server. From there on it is values in, values out:
//! [`summary`] makes rows, lists and findings of stored attempts, [`budget`] cuts an answer off,
//! [`detect`] says before a run what a suite could tell.

pub mod ask;
pub mod budget;
pub mod detect;
pub mod draw;
pub mod draw_served;
mod findings;
mod items;
pub mod job;
mod listing;
mod of_build;
mod of_pair;
mod rows;
pub mod summary;

pub use summary::{Asked, BehaviourSummary, summarize};
