//! Memory, predicted from a model's header alone: weights, KV cache, compute buffer, output buffer,
//! per device. Pure: values in, values out. Never opens a file, never asks the engine.
//!
//! The rules are those of llama.cpp as vendored in llama-cpp-sys-2 0.1.161; `docs/memory.md` says
//! them in words, with their sources, and how far they were checked against the engine's own figures.

mod arena;
mod error;
mod fit;
mod graph;
mod keys;
mod kv;
mod layers;
mod predict;
mod process;
mod repack;
mod shape;
mod weights;

pub use error::MemoryError;
pub use fit::{Fit, Room, fit};
pub use predict::{DeviceBytes, Prediction, Request, predict};
pub use process::{
    context_bytes, nameless_vocabulary_bytes, process_bytes, scoring_bytes, vocabulary_bytes,
};
pub use repack::Repack;
pub use shape::{FeedForward, Layer, Shape, trained_length};
