//! What can be wrong with a row of logits. Owns the error type; never decides what to do about it.

/// A row that cannot be measured. Never passed on as NaN: the caller records the failure.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum KernelError {
    /// A logit is NaN or +inf, so the row has no softmax.
    #[error(
        "logit of token {token} is {value}: the row has no softmax, the model's output is broken"
    )]
    NotFinite {
        /// Token id of the first such logit in the row.
        token: u32,
        /// The logit: NaN or +inf.
        value: f32,
    },
    /// Every logit is -inf, or the row is empty: no token has a probability.
    #[error("none of the {n_vocab} logits is finite: the row gives no token a probability")]
    NoProbability {
        /// Length of the row.
        n_vocab: usize,
    },
    /// The row is not as long as the vocabulary it was announced with.
    #[error("row has {got} logits, the vocabulary has {want} tokens")]
    Length {
        /// Length of the row.
        got: usize,
        /// `n_vocab` of the reference.
        want: usize,
    },
    /// The token to be scored is no entry of the vocabulary.
    #[error("target token {target} is outside the vocabulary of {n_vocab} tokens")]
    Target {
        /// The token asked for.
        target: u32,
        /// Size of the vocabulary.
        n_vocab: usize,
    },
    /// The largest logit is beyond what the kernel's exponential is exact for. Smaller logits of
    /// the row may be anything.
    #[error("largest logit is {max}, beyond ±{limit}: the model's output is broken")]
    MaxOutOfRange {
        /// Largest logit of the row.
        max: f32,
        /// Largest magnitude it may have.
        limit: f32,
    },
    /// `compare` without a reference row, or after one that failed to load.
    #[error("no reference row is loaded: load one that is valid before comparing")]
    NothingLoaded,
}
