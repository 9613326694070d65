//! What can be wrong with a GGUF file, one line each: what, where, and what to do. Text taken
//! from a file is escaped and shortened first, so that a hostile name stays on its line.

use std::io;
use std::path::{Path, PathBuf};

use crate::GgmlType;
use crate::ggml_type::TypeIdError;

/// Why bytes are no usable GGUF header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message names what its fields hold")]
pub enum HeaderError {
    #[error(
        "{place} needs {} at byte {at}, {left} remain: the file is cut short or damaged, fetch or make it again",
        bytes(*need)
    )]
    Truncated { place: String, at: u64, need: u64, left: u64 },
    #[error(
        "{place} needs {} at byte {at}, which ends beyond the {limit} bytes a header may have: a length in the file is damaged, fetch or make it again",
        bytes(*need)
    )]
    TooLong { place: String, at: u64, need: u64, limit: u64 },
    #[error("starts with `{found}`, not with `GGUF`: {hint}")]
    WrongMagic { found: String, hint: &'static str },
    #[error(
        "version {version} with its bytes swapped: a big-endian GGUF file, convert it to little-endian (gguf-convert-endian of the Python package gguf)"
    )]
    BigEndian { version: u32 },
    #[error("GGUF version {version} is too old, versions 2 and 3 are read: make the file again")]
    VersionTooOld { version: u32 },
    #[error("GGUF version {version} is unknown, versions 2 and 3 are read: update this program")]
    VersionUnknown { version: u32 },
    #[error("{place} is {got}, not valid UTF-8: the file is damaged, fetch or make it again")]
    NotUtf8 { place: String, got: String },
    #[error("key {index} is empty: the file is damaged, fetch or make it again")]
    EmptyKey { index: u64 },
    #[error("key `{key}` is there twice: the program that wrote the file is at fault")]
    DuplicateKey { key: String },
    #[error(
        "{place} has value type {id}, known are 0 to 12: the file is damaged, or newer than this program"
    )]
    ValueType { place: String, id: u32 },
    #[error("{place} holds a bool of {byte}, neither 0 nor 1: the file is damaged")]
    Bool { place: String, byte: u8 },
    #[error(
        "{place} nests arrays more than {limit} deep: no known writer does, the file is damaged"
    )]
    Nesting { place: String, limit: u32 },
    #[error(
        "general.alignment is {found}, it must be a UINT32 that is a power of two: the file is damaged, or its writer at fault"
    )]
    Alignment { found: String },
    #[error("tensor `{tensor}` is there twice: the program that wrote the file is at fault")]
    DuplicateTensor { tensor: String },
    #[error("tensor `{tensor}` has {n_dims} dimensions, 1 to 4 are possible: the file is damaged")]
    DimensionCount { tensor: String, n_dims: u32 },
    #[error(
        "tensor `{tensor}` has shape {shape}, with a dimension of 0: the file is damaged, or its writer at fault"
    )]
    ZeroDimension { tensor: String, shape: String },
    #[error("tensor `{tensor}` has shape {shape}, too big to be addressed: the file is damaged")]
    ShapeOverflow { tensor: String, shape: String },
    #[error("tensor `{tensor}`: {fault}")]
    TensorType { tensor: String, fault: TypeIdError },
    #[error(
        "tensor `{tensor}` has rows of {row_len} elements, no multiple of the {block} in a block of {ty}: the file is damaged, or its writer at fault"
    )]
    BrokenBlock { tensor: String, ty: GgmlType, row_len: u64, block: u64 },
    #[error(
        "tensor `{tensor}` starts at {offset} in the data, no multiple of the alignment {alignment}: the file is damaged, or its writer at fault"
    )]
    Unaligned { tensor: String, offset: u64, alignment: u64 },
    #[error(
        "tensor `{tensor}` takes {bytes} bytes at byte {at}, the file ends at {end}: it is cut short or damaged, fetch or make it again"
    )]
    OutsideFile { tensor: String, at: u64, bytes: u64, end: u64 },
    #[error("tensors `{first}` and `{second}` overlap at byte {at}: the file is damaged")]
    Overlap { first: String, second: String, at: u64 },
}

/// Why a GGUF file could not be opened.
///
/// Every message is complete in itself: the cause is part of the line, not a `source`.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names what its fields hold")]
pub enum GgufError {
    #[error("cannot open `{path}`: {cause}")]
    Open { path: PathBuf, cause: io::Error },
    #[error("`{path}` is no regular file: give the path of a .gguf file")]
    NotAFile { path: PathBuf },
    #[error("cannot map `{path}` into memory: {cause}")]
    Map { path: PathBuf, cause: io::Error },
    #[error("`{path}`: {fault}")]
    Header { path: PathBuf, fault: HeaderError },
    #[error("`{path}` is part {number} of {count}: give the first part{}", named(.first.as_deref()))]
    NotFirstPart { path: PathBuf, number: u64, count: u64, first: Option<PathBuf> },
    #[error(
        "`{path}` is the first of {count} parts, but its name does not end in `{ending}`, so that the others cannot be found: give the parts their names back"
    )]
    PartName { path: PathBuf, count: u64, ending: String },
    #[error("part {number} of {count} is missing: there is no `{path}`, fetch it")]
    PartMissing { path: PathBuf, number: u64, count: u64 },
    #[error("`{path}`: {key} is {found}, expected {want}: its parts are damaged or mixed up")]
    PartKey { path: PathBuf, key: &'static str, found: String, want: String },
    #[error("`{path}`: tensor `{tensor}` is also in an earlier part: the parts are mixed up")]
    PartTensor { path: PathBuf, tensor: String },
}

/// The end of [`GgufError::NotFirstPart`]'s line: the first part's path, where it is known.
fn named(first: Option<&Path>) -> String {
    first.map(|path| format!(", `{}`", path.display())).unwrap_or_default()
}

/// A need, as the lines of [`HeaderError`] say it; lengths whose sum overflows are the largest number.
fn bytes(need: u64) -> String {
    match need {
        u64::MAX => "more bytes than any file has".to_owned(),
        need => format!("{need} bytes"),
    }
}

/// Text of a file made fit for one line of an error: control characters escaped, at most
/// 80 characters.
pub(crate) fn shown(text: &str) -> String {
    const LIMIT: usize = 80;
    let mut chars = text.chars();
    let mut line: String = chars.by_ref().take(LIMIT).flat_map(char::escape_debug).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}
