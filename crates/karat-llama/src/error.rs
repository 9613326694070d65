//! What can go wrong at the engine's boundary, with the facts a user needs.

use std::path::PathBuf;

/// An engine call that failed. Aborts inside C++ do not appear here: they end the process.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A path or text holds a NUL byte, which a C string cannot carry.
    #[error("`{0}` contains a NUL byte, which the engine cannot take")]
    NulByte(String),
    /// The engine refused the model file.
    #[error("the engine cannot load `{}`: {reason}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// The engine's last error lines.
        reason: String,
    },
    /// The engine could not create a context.
    #[error("the engine cannot create a context of {n_ctx} tokens: {reason}")]
    Context {
        /// Tokens asked for.
        n_ctx: u32,
        /// The engine's last error lines.
        reason: String,
    },
    /// The engine could not start its threads.
    #[error("the engine cannot start {0} threads")]
    Threads(u32),
    /// A decode call failed.
    #[error("the engine cannot decode {n_tokens} tokens at position {position}: {reason}")]
    Decode {
        /// Tokens submitted.
        n_tokens: usize,
        /// Position of the first of them.
        position: usize,
        /// What its return code means.
        reason: String,
    },
    /// More tokens than the context holds.
    #[error("{want} tokens do not fit a context of {n_ctx}; raise --ctx or shorten the text")]
    ContextFull {
        /// Tokens that were to be held.
        want: usize,
        /// Tokens it holds.
        n_ctx: u32,
    },
    /// Logits were asked for at positions that are not among the tokens, or not in order.
    #[error("logits of {n_tokens} tokens were asked for at {outputs:?}: not ascending positions")]
    Outputs {
        /// Positions asked for.
        outputs: Vec<usize>,
        /// Tokens submitted.
        n_tokens: usize,
    },
    /// A decode was aborted through its watch.
    #[error("aborted")]
    Aborted,
    /// A snapshot the engine cannot take or put back.
    #[error("the engine cannot {action} the state of a context of {position} tokens")]
    Snapshot {
        /// `save` or `restore`.
        action: &'static str,
        /// Tokens in the KV cache.
        position: usize,
    },
    /// A text the engine cannot tokenize.
    #[error("the engine cannot tokenize a text of {0} bytes; at most 2 GiB at a time")]
    Tokenize(usize),
    /// The model has no vocabulary, or a token id lies outside it.
    #[error("token {token} is outside the vocabulary of {n_vocab}")]
    TokenRange {
        /// The id.
        token: i32,
        /// Entries of the vocabulary.
        n_vocab: usize,
    },
    /// Quantization failed.
    #[error("the engine cannot quantize `{}`: {reason}", path.display())]
    Quantize {
        /// The input.
        path: PathBuf,
        /// The engine's last error lines.
        reason: String,
    },
    /// A row of the wrong length, or a type the engine cannot decode.
    #[error("{0}")]
    Row(String),
}
