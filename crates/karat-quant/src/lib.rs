//! Makes builds: quantizes GGUF files as llama-quantize does, and makes matched controls (twins).
//! GGUF in, GGUF out; it never judges what it made, and never prints.
//!
//! An engine that aborts takes its process with it, so callers that must survive run a job in a
//! child; its half-written file is then left behind as `.NAME.XXXXXX.part` beside the output.
#![deny(unsafe_code)]

mod error;
mod file_type;
mod imatrix;
mod input;
mod near;
mod output;
mod pattern;
mod progress;
mod quantize;
mod recipe;
mod report;
mod tensor_kind;
mod tensor_type;
mod twin;

pub use error::{ImatrixFault, PatternFault, QuantError};
pub use file_type::{FILE_TYPES, FileTypeName};
pub use imatrix::{Imatrix, ImatrixChoice};
pub use karat_llama::MetadataOverride;
pub use progress::parse_progress;
pub use quantize::{QuantizeJob, predict, quantize};
pub use report::{QuantizeReport, TypeUse};
pub use tensor_type::{TensorTypeRule, is_makeable, parse_type};
pub use twin::{TwinJob, TwinReport, Unmatched, UnmatchedReason, twin};
