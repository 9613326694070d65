//! Why memory cannot be predicted.

/// A header that says too little, or something that no prediction holds for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// The caches and the graph of this architecture are not known here.
    #[error(
        "memory of architecture `{0}` is not predicted (known: {known}); `karat memory` can \
         still try to measure it",
        known = super::shape::KNOWN.join(", ")
    )]
    Architecture(String),
    /// The file names no architecture.
    #[error("the header names no architecture")]
    NoArchitecture,
    /// A key that the prediction needs is not there, or is no number.
    #[error("the header lacks `{0}`, or it is no number")]
    Missing(String),
    /// A tensor that every model has is not there.
    #[error("the header lists no tensor `{0}`")]
    NoTensor(&'static str),
    /// A number that no real model has.
    #[error("the header says `{key}` = {value}; between {least} and {most} can be true")]
    Range {
        /// The key.
        key: String,
        /// Its value.
        value: u64,
        /// Smallest that makes sense.
        least: u64,
        /// Largest that makes sense.
        most: u64,
    },
    /// A list with one entry per layer that has another number of entries.
    #[error("the header lists {got} values under `{key}`, the model has {want} layers")]
    Layers {
        /// The key.
        key: String,
        /// Entries found.
        got: usize,
        /// Layers.
        want: usize,
    },
    /// Two parts of the header contradict each other.
    #[error("tensor `{tensor}` has rows of {got}, but `{key}` = {want}")]
    Contradiction {
        /// The tensor.
        tensor: &'static str,
        /// Length of its rows.
        got: u64,
        /// The key.
        key: String,
        /// Its value.
        want: u64,
    },
    /// A tensor of a layer is not what the keys make it.
    #[error("tensor `{tensor}` has {got} rows, the header's keys make {want} of them")]
    Rows {
        /// The tensor.
        tensor: String,
        /// Rows it has.
        got: u64,
        /// Rows that follow from the keys.
        want: u64,
    },
    /// Tensors of other layers than the keys count.
    #[error("`{key}` = {want}, but the tensors are of {got} layers")]
    LayerTensors {
        /// The key.
        key: String,
        /// Layers that have tensors.
        got: usize,
        /// Layers by the key.
        want: usize,
    },
    /// Heads that are no whole number of the KV type's blocks.
    #[error(
        "KV type {kv} stores {block} values at a time, and a {head} head of layer {layer} has \
         {values}: the engine refuses that; take f16"
    )]
    KvBlock {
        /// Type of the cache.
        kv: &'static str,
        /// Values of a block.
        block: u64,
        /// Which head: `key` or `value`.
        head: &'static str,
        /// Index of the first such layer.
        layer: usize,
        /// Values of the head.
        values: u64,
    },
    /// Zero tokens.
    #[error("a context of 0 tokens holds nothing")]
    NoContext,
    /// More bytes than 64 bits count.
    #[error("this takes more than 2^64 bytes")]
    Overflow,
}

impl MemoryError {
    /// Whether a header of a known architecture is one that the engine cannot load. Tensors that the
    /// keys contradict are the engine's to judge: some it loads.
    pub const fn is_unloadable(&self) -> bool {
        matches!(
            self,
            Self::Missing(_)
                | Self::NoTensor(_)
                | Self::Range { .. }
                | Self::Layers { .. }
                | Self::Contradiction { .. }
        )
    }
}
