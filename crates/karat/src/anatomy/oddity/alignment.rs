//! An alignment of tensor data that no writer in use chooses.

use super::{Oddity, Subject, note};

/// `GGUF_DEFAULT_ALIGNMENT` of ggml.
const USUAL: u64 = 32;
/// Beyond a memory page an alignment only adds padding.
const PAGE: u64 = 4096;

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let alignment = subject.header.alignment();
    if (USUAL..=PAGE).contains(&alignment) {
        return Vec::new();
    }
    let message = format!("tensor data are aligned to {alignment} bytes; writers use {USUAL}");
    vec![note("alignment", message)]
}
