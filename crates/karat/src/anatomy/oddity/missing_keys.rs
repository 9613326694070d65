//! Keys that every engine needs to build the model, and that are not there.

use super::{Oddity, Subject, some_of, warning};
use crate::anatomy::shown::name_text;
use crate::memory::Shape;

/// Keys of every architecture, after its name.
///
/// Source: required by `llama_model::load_hparams` of llama.cpp for every model with a vocabulary.
const REQUIRED: [&str; 3] = ["block_count", "context_length", "embedding_length"];
/// Of those with attention; the marks are parts of the names of its tensors.
const REQUIRED_BY_ATTENTION: &str = "attention.head_count";
const ATTENTION: [&str; 2] = [".attn_q", ".attn_qkv"];
/// Of the architectures that [`Shape`] knows, whose norms are all of this kind.
const REQUIRED_BY_NORMS: &str = "attention.layer_norm_rms_epsilon";
/// Of every model, whatever the architecture.
///
/// Source: required by `llama_vocab::impl::load` of llama.cpp.
const TOKENIZER: &str = "tokenizer.ggml.model";

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let Some(architecture) = subject.header.architecture() else { return Vec::new() };
    if !subject.shape.is_model() {
        return Vec::new();
    }
    let is_attention = |name: &str| ATTENTION.iter().any(|mark| name.contains(mark));
    let has_attention = subject.header.tensors().iter().any(|tensor| is_attention(&tensor.name));
    let has_norms = Shape::is_known(architecture);
    let required = REQUIRED
        .into_iter()
        .chain(has_attention.then_some(REQUIRED_BY_ATTENTION))
        .chain(has_norms.then_some(REQUIRED_BY_NORMS))
        .map(|name| format!("{architecture}.{name}"))
        .chain([TOKENIZER.to_owned()]);
    let missing: Vec<String> = required
        .filter(|key| subject.header.metadata().get(key).is_none())
        .map(|key| name_text(&key))
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let keys = some_of(&missing, missing.len());
    vec![warning("missing_keys", format!("{keys} {verb} missing: engines refuse the model"))]
}
