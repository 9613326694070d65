//! What can go wrong in making a build, one line each: what, where, and what to do about it. Names
//! that come from a file are escaped, so that a hostile one stays on its line.

use std::io;
use std::path::PathBuf;

use karat_gguf::{GgmlType, GgufError};
use karat_llama::EngineError;

/// Why a build was not made. The output is then as it was before: untouched, or not there.
///
/// Every message is complete in itself: the cause is part of the line, not a `source`.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names what its fields hold")]
pub enum QuantError {
    #[error(
        "`{name}` is no file type{}",
        meant(near, "they are named like Q8_0, Q4_K_M, IQ4_XS, F16 or COPY")
    )]
    UnknownFileType { name: String, near: Vec<&'static str> },
    #[error(
        "`{name}` is no tensor type{}",
        meant(near, "they are named like q8_0, q4_K, iq4_xs or f16")
    )]
    UnknownTensorType { name: String, near: Vec<&'static str> },
    #[error("no tensor can be made {ty}: the engine has no quantizer for it; choose another type")]
    NotMakeable { ty: GgmlType },
    #[error("`{item}` is no REGEX=TYPE: write it like `ffn_down=q6_K`")]
    TensorTypeForm { item: String },
    #[error("pattern `{pattern}`: {fault}")]
    Pattern { pattern: String, fault: PatternFault },
    #[error("metadata key `{key}` is longer than the 127 bytes that the engine takes: shorten it")]
    LongKey { key: String },
    #[error("{0}")]
    Input(GgufError),
    #[error(
        "`{path}` names no architecture (general.architecture): it is no model; give a model's .gguf file"
    )]
    NoArchitecture { path: PathBuf },
    #[error("`{path}` has no tensors: give a model's .gguf file")]
    NoTensors { path: PathBuf },
    #[error(
        "tensor `{}` of `{path}` is already quantized ({ty}): start from the original in F32, F16 or BF16, or accept the loss with --allow-requantize",
        .tensor.escape_debug()
    )]
    AlreadyQuantized { path: PathBuf, tensor: String, ty: GgmlType },
    #[error(
        "tensor `{}` has rows of {row_len} weights, no multiple of the {block} in a block of {ty}: choose another type for it",
        .tensor.escape_debug()
    )]
    RowLength { tensor: String, row_len: u64, ty: GgmlType, block: u64 },
    #[error(
        "{what} needs an importance matrix for tensor `{}`{}: make one with `llama-imatrix` on the original and give it with --imatrix, or choose another type",
        .tensor.escape_debug(),
        if *.given { ", and the one given has none" } else { "" }
    )]
    ImatrixNeeded { what: String, tensor: String, given: bool },
    #[error("imatrix `{path}`: {fault}")]
    Imatrix { path: PathBuf, fault: ImatrixFault },
    #[error("the output `{path}` is the input `{input}`: give the output another name")]
    OutputIsInput { path: PathBuf, input: PathBuf },
    #[error("the output `{path}` exists: give another name, or replace it with --overwrite")]
    OutputExists { path: PathBuf },
    #[error(
        "the output `{path}` is a folder, a device or no file name: give the name of a .gguf file"
    )]
    OutputName { path: PathBuf },
    #[error("cannot write in folder `{folder}`: {cause}; make it, or choose another")]
    OutputFolder { folder: PathBuf, cause: io::Error },
    #[error(
        "the output takes up to {need_bytes} bytes, folder `{folder}` has {free_bytes} free: make room, or choose another"
    )]
    NoRoom { folder: PathBuf, need_bytes: u64, free_bytes: u64 },
    #[error("cannot write `{path}`: {cause}; nothing of it was left behind")]
    Write { path: PathBuf, cause: io::Error },
    #[error("{0}")]
    Engine(EngineError),
    #[error(
        "the engine wrote no usable file for `{path}` ({reason}): the disk may be full; nothing of it was left behind"
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("`{like}` and `{original}` are not builds of one model: {difference}")]
    OtherModel { like: PathBuf, original: PathBuf, difference: String },
}

/// Why a pattern cannot be taken for a tensor-type rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message names what its fields hold")]
pub enum PatternFault {
    #[error("it is empty and would match every tensor: use `.` to mean that")]
    Empty,
    #[error("`{syntax}` at byte {at} {problem}")]
    Syntax { syntax: String, at: usize, problem: &'static str },
    #[error("{0}")]
    Invalid(String),
}

/// What is wrong with the file of an importance matrix.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names what its fields hold")]
pub enum ImatrixFault {
    #[error("cannot read it: {0}")]
    Read(io::Error),
    #[error("{0}")]
    Gguf(GgufError),
    #[error(
        "it has no {key}: it is no importance matrix, or one of an unknown version; make it again with `llama-imatrix`"
    )]
    NoKey { key: &'static str },
    #[error("{key} is no {want}: it is damaged, make it again")]
    Key { key: &'static str, want: &'static str },
    #[error("`{}` has no {missing}: it is damaged, make it again", .entry.escape_debug())]
    Incomplete { entry: String, missing: &'static str },
    #[error("`{}` is {ty}, it must be F32: it is damaged, make it again", .tensor.escape_debug())]
    NotF32 { tensor: String, ty: GgmlType },
    #[error(
        "`{}` has {values} sums for {counts} counts: it is damaged, make it again",
        .entry.escape_debug()
    )]
    Shape { entry: String, values: usize, counts: usize },
    #[error("`{}` holds a value that is no finite number: make it again", .entry.escape_debug())]
    NotFinite { entry: String },
    #[error(
        "{place} needs {need} bytes at byte {at}, {left} remain: it is cut short, or neither a GGUF nor a legacy importance matrix"
    )]
    Truncated { place: String, at: usize, need: u64, left: usize },
    #[error("{place} is {found} at byte {at}: it is damaged, or no importance matrix")]
    Count { place: String, at: usize, found: i64 },
    #[error("the name of entry {index} is not valid UTF-8: it is damaged, or no importance matrix")]
    Name { index: i32 },
    #[error("it has no entries: make it again")]
    Empty,
    #[error("none of its {entries} entries is left by the names to include and exclude")]
    AllExcluded { entries: usize },
    #[error(
        "none of its {entries} entries (`{}`, ...) is a tensor of the input: it belongs to another model",
        .example.escape_debug()
    )]
    OtherModel { entries: usize, example: String },
}

/// The end of a line about an unknown name: the near ones, else `otherwise`.
fn meant(near: &[&str], otherwise: &str) -> String {
    if near.is_empty() {
        format!(": {otherwise}")
    } else {
        format!(": did you mean {}?", near.join(", "))
    }
}
