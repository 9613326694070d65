//! Fidelity: how far each candidate has moved from the reference, token by token.
//!
//! [`window`] says what is scored, [`pass`] scores it (in a worker), [`stopping`] says when enough is
//! read, [`summary`] makes rows of what is stored.

mod chat_text;
mod early;
mod finish;
pub mod job;
pub mod language;
mod noise;
pub mod pass;
mod reduce;
pub mod stopping;
pub mod summary;
pub mod text;
mod token_text;
pub mod window;
pub mod worst;
