//! Memory: the engine's own buffers, and what a process really held. Owns how it is measured and how
//! figures become rows; never predicts.

pub mod job;
pub mod summary;
