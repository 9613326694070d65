//! Speed: how many tokens per second each model processes and generates, and what that rests on.
//!
//! [`job`] times one model in a worker, [`sweep`] reads memory as fast as it goes, [`traffic`] says
//! what one token moves, [`summary`] makes rows, claims and findings of what is stored. [`control`] is
//! the same for models on servers, which answer one prompt.

mod attribution;
mod blocks;
mod claims;
mod comparing;
mod conditions;
pub mod control;
pub mod job;
mod rows;
mod series;
pub mod summary;
pub mod sweep;
pub mod traffic;
