//! Fidelity: how far each candidate has moved from the reference, token by token.
//!
//! [`window`] says what is scored, [`pass`] scores it (in a worker), [`summary`] makes rows of what
//! is stored.

pub mod job;
pub mod pass;
pub mod summary;
pub mod window;
