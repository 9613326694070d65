//! An output matrix beside an embedding of the same type and shape, in an architecture that ties
//! the two: weights that may be stored twice.

use super::{Oddity, Subject, note};

/// Architectures whose models tie the output to the embedding, without exception.
///
/// Source: the models' published configurations (`tie_word_embeddings`).
const TIED: [&str; 6] = ["gemma", "gemma2", "gemma3", "gemma3n", "gemma4", "command-r"];

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let architecture = subject.shape.architecture.as_deref().unwrap_or_default();
    match (&subject.mix.embedding, &subject.mix.output) {
        (Some(embedding), Some(output))
            if TIED.contains(&architecture) && embedding.dims == output.dims =>
        {
            vec![note(
                "output_copy",
                format!(
                    "models of architecture {architecture} use their embedding as output, but \
                     `output.weight` ({}, {} bytes) is stored beside `token_embd.weight` ({})",
                    output.r#type, output.bytes, embedding.r#type
                ),
            )]
        }
        _ => Vec::new(),
    }
}
