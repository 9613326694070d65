//! Keys that every engine needs to build the model, and that are not there.

use super::{Oddity, Subject, some_of, warning};
use crate::anatomy::shown::name_text;

/// Keys of every architecture, after its name.
///
/// Source: required by `llama_model::load_hparams` of llama.cpp for every model with a vocabulary.
const REQUIRED: [&str; 3] = ["block_count", "context_length", "embedding_length"];
/// Of those with attention; the marks are parts of the names of its tensors.
const REQUIRED_BY_ATTENTION: &str = "attention.head_count";
const ATTENTION: [&str; 2] = [".attn_q", ".attn_qkv"];

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let Some(architecture) = subject.header.architecture() else { return Vec::new() };
    if !subject.shape.is_model() {
        return Vec::new();
    }
    let is_attention = |name: &str| ATTENTION.iter().any(|mark| name.contains(mark));
    let has_attention = subject.header.tensors().iter().any(|tensor| is_attention(&tensor.name));
    let required = REQUIRED.into_iter().chain(has_attention.then_some(REQUIRED_BY_ATTENTION));
    let missing: Vec<String> = required
        .filter(|name| subject.header.metadata().get(&format!("{architecture}.{name}")).is_none())
        .map(|name| name_text(&format!("{architecture}.{name}")))
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let keys = some_of(&missing, missing.len());
    vec![warning("missing_keys", format!("{keys} {verb} missing: engines refuse the model"))]
}
