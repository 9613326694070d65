//! What a process holds resident: the engine's buffers as far as they are touched, and what comes
//! beside them. The buffers follow from rules; the rest are measured constants.
//!
//! The constants were fitted to peak resident sizes of workers on Linux with one to four models of
//! 8,192 and 262,144 vocabulary entries; they are no law. `tests/memory_expectation.rs` holds them to
//! a tenth of the peak, and to no less than it: budgets rest on them.

use karat_gguf::Metadata;

use super::Request;
use super::predict::Prediction;
use super::shape::Shape;

/// The program, the engine's code that was run, the allocator's slack.
const PROCESS: u64 = 20_000_000;
/// Graphs, tensors' descriptions and work buffers of one context.
const CONTEXT: u64 = 2_800_000;
/// Figures of a window under way and the message that carries them, per token of the window.
const SCORED_TOKEN: u64 = 2_048;
/// Bytes of a vocabulary entry in the engine's tables.
const TOKEN: u64 = 176;
/// Bytes of an entry without a name: an empty string, score and attributes, and its id.
const NAMELESS_TOKEN: u64 = 44;
/// Bytes more where its string has more than [`SHORT`] bytes and lies apart.
const LONG_TOKEN: u64 = 80;
/// Longest string that the C++ library keeps in place.
const SHORT: usize = 15;
/// Bytes of a merge rule in the engine's tables.
const MERGE: u64 = 104;

/// Bytes of a process before its first model.
pub const fn process_bytes() -> u64 {
    PROCESS
}

/// Bytes that scoring windows of so many tokens takes beside the logits.
pub const fn scoring_bytes(n_ctx: u32) -> u64 {
    n_ctx as u64 * SCORED_TOKEN
}

/// Bytes that the engine's tables of a vocabulary take.
pub fn vocabulary_bytes(metadata: &Metadata) -> u64 {
    let tokens = metadata.get_strings("tokenizer.ggml.tokens");
    let n_tokens = tokens.map_or(0, |tokens| tokens.len() as u64);
    let is_long = |token: &&[u8]| token.len() > SHORT;
    let n_long = tokens.map_or(0, |tokens| tokens.iter().filter(is_long).count() as u64);
    let n_merges =
        metadata.get_strings("tokenizer.ggml.merges").map_or(0, |merges| merges.len() as u64);
    n_tokens * TOKEN + n_long * LONG_TOKEN + n_merges * MERGE
}

/// Bytes that the engine's table of so many tokens without names takes.
pub const fn nameless_vocabulary_bytes(n_vocab: u64) -> u64 {
    n_vocab.saturating_mul(NAMELESS_TOKEN)
}

/// Bytes that one context over a loaded model adds to a process.
///
/// Of the compute buffer, what is reserved for inputs that never come (vectors instead of tokens, and
/// a mix of both) is never touched, nor is the room for logits of tokens that put none out.
pub fn context_bytes(shape: &Shape, request: &Request, prediction: &Prediction) -> u64 {
    let n_tokens = u64::from(request.tokens_at_once());
    let stream = shape.n_embd.saturating_mul(n_tokens).saturating_mul(4);
    let silent = n_tokens.saturating_sub(u64::from(request.n_outputs.max(1)));
    let logits = if request.gpu_layers == Some(0) {
        silent.saturating_mul(shape.n_vocab).saturating_mul(4)
    } else {
        0
    };
    let untouched = stream.saturating_mul(2).saturating_add(logits);
    let host = &prediction.host;
    [host.kv, host.output, host.compute.saturating_sub(untouched)]
        .into_iter()
        .fold(CONTEXT, u64::saturating_add)
}
