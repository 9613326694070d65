//! What a header says about a decoder's layers, as far as its memory depends on it. Reads values,
//! checks them, and computes nothing.

use karat_gguf::{Metadata, Tensor};

use super::MemoryError;
use super::keys::{Keys, MOST_ROW, MOST_VOCAB, in_range};
use crate::visible::visible_start;

/// Architectures whose caches and graph are known here.
pub(super) const KNOWN: &[&str] =
    &["llama", "qwen2", "qwen3", "qwen3moe", "gemma2", "gemma3", "gemma4"];

/// `LLAMA_MAX_LAYERS` of llama.cpp.
const MOST_LAYERS: u64 = 512;
/// Most characters of an architecture's name that a message shows.
const MOST_NAME_CHARS: usize = 80;

/// The feed-forward part of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedForward {
    /// Gate, up and down matrices.
    Dense {
        /// Width between them.
        n_ff: u64,
    },
    /// A router and experts.
    Experts {
        /// Experts there are.
        n_expert: u64,
        /// Experts a token goes through.
        n_used: u64,
        /// Width of one expert.
        n_ff: u64,
        /// Gate and up are stored as one tensor.
        merged: bool,
        /// Width of a dense part beside the experts (gemma4).
        shared: Option<u64>,
    },
}

/// One layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Attends to the last `window` tokens only.
    pub is_sliding: bool,
    /// Stores K and V of its own; otherwise it reads an earlier layer's.
    pub has_kv: bool,
    /// Has a V projection; otherwise V comes from the K projection.
    pub has_v: bool,
    /// Query heads.
    pub n_head: u64,
    /// Key and value heads.
    pub n_head_kv: u64,
    /// Values of a query or key head.
    pub head_k: u64,
    /// Values of a value head.
    pub head_v: u64,
    /// What follows the attention.
    pub feed_forward: FeedForward,
}

impl Layer {
    /// Values of K per token.
    pub fn k_values(&self) -> u64 {
        self.head_k * self.n_head_kv
    }

    /// Values of V per token.
    pub fn v_values(&self) -> u64 {
        self.head_v * self.n_head_kv
    }
}

/// A decoder's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// `general.architecture`.
    pub architecture: String,
    /// Width of the residual stream.
    pub n_embd: u64,
    /// Entries of the vocabulary.
    pub n_vocab: u64,
    /// Tokens it was trained to see at once, where the header says.
    pub n_ctx_train: Option<u64>,
    /// Tokens that a sliding layer sees; `None` where no layer slides.
    pub window: Option<u64>,
    /// Width of the embedding that each layer gets of its own (gemma4 E2B, E4B); 0 for none.
    pub n_embd_per_layer: u64,
    /// From the first to the last.
    pub layers: Vec<Layer>,
}

impl Shape {
    /// Whether the caches and the graph of an architecture are known here.
    pub fn is_known(architecture: &str) -> bool {
        KNOWN.contains(&architecture)
    }

    /// Reads the shape.
    ///
    /// # Errors
    /// An architecture that is not known here, a key that is missing, out of range or against the
    /// tensor table.
    pub fn read(metadata: &Metadata, tensors: &[Tensor]) -> Result<Self, MemoryError> {
        let architecture =
            metadata.get_str("general.architecture").ok_or(MemoryError::NoArchitecture)?;
        if !Self::is_known(architecture) {
            return Err(MemoryError::Architecture(visible_start(architecture, MOST_NAME_CHARS)));
        }
        let keys = Keys { metadata, architecture };
        let n_layers = keys.needed("block_count", MOST_LAYERS)? as usize;
        let n_embd = keys.needed("embedding_length", MOST_ROW)?;
        let embedding = tensors
            .iter()
            .find(|tensor| tensor.name == "token_embd.weight")
            .ok_or(MemoryError::NoTensor("token_embd.weight"))?;
        if embedding.row_len() != n_embd {
            return Err(MemoryError::Contradiction {
                tensor: "token_embd.weight",
                got: embedding.row_len(),
                key: keys.full("embedding_length"),
                want: n_embd,
            });
        }
        let n_vocab = in_range("rows of token_embd.weight", embedding.rows(), 1, MOST_VOCAB)?;
        keys.check_experts()?;
        let window = keys.window()?;
        let layers = read_layers(&keys, tensors, n_layers, n_embd, window.is_some())?;
        Ok(Self {
            architecture: architecture.to_owned(),
            n_embd,
            n_vocab,
            n_ctx_train: trained_length(metadata, architecture),
            window,
            n_embd_per_layer: keys.optional("embedding_length_per_layer_input", 0, MOST_ROW)?,
            layers,
        })
    }

    /// Whether the engine keeps separate caches for sliding and full layers.
    pub(super) fn slides(&self) -> bool {
        self.window.is_some()
    }
}

/// Tokens that a model was trained to see at once, `context_length` of its architecture; `None` where
/// the header does not say. A 0 says nothing either.
pub fn trained_length(metadata: &Metadata, architecture: &str) -> Option<u64> {
    metadata.get_u64(&format!("{architecture}.context_length")).filter(|&n_ctx| n_ctx > 0)
}

fn read_layers(
    keys: &Keys<'_>,
    tensors: &[Tensor],
    n_layers: usize,
    n_embd: u64,
    slides: bool,
) -> Result<Vec<Layer>, MemoryError> {
    let heads = keys.per_layer("attention.head_count", n_layers)?;
    let heads = heads.ok_or_else(|| MemoryError::Missing(keys.full("attention.head_count")))?;
    let heads_kv =
        keys.per_layer("attention.head_count_kv", n_layers)?.unwrap_or_else(|| heads.clone());
    let sliding = if slides { keys.sliding(n_layers)? } else { vec![false; n_layers] };
    let default_head = n_embd / heads[0];
    let head_k = keys.optional("attention.key_length", default_head, MOST_ROW)?;
    let head_v = keys.optional("attention.value_length", default_head, MOST_ROW)?;
    let head_k_swa = keys.optional("attention.key_length_swa", head_k, MOST_ROW)?;
    let head_v_swa = keys.optional("attention.value_length_swa", head_v, MOST_ROW)?;
    let n_shared = keys.shared_kv_layers(n_layers as u64)? as usize;
    let widths = keys.per_layer("feed_forward_length", n_layers)?;
    let has = |name: String| tensors.iter().any(|tensor| tensor.name == name);
    let mut layers = Vec::with_capacity(n_layers);
    for index in 0..n_layers {
        let is_sliding = sliding[index];
        let layer = Layer {
            is_sliding,
            has_kv: index + n_shared < n_layers,
            has_v: has(format!("blk.{index}.attn_v.weight")),
            n_head: heads[index],
            n_head_kv: heads_kv[index],
            head_k: if is_sliding { head_k_swa } else { head_k },
            head_v: if is_sliding { head_v_swa } else { head_v },
            feed_forward: keys.feed_forward(
                widths.as_ref().map(|widths| widths[index]),
                has(format!("blk.{index}.ffn_gate_inp.weight")),
                has(format!("blk.{index}.ffn_gate_up_exps.weight")),
            )?,
        };
        let of = |what: &str| format!("{what} of layer {index}");
        in_range(&of("query values"), layer.head_k.saturating_mul(layer.n_head), 1, MOST_ROW)?;
        in_range(&of("K values"), layer.head_k.saturating_mul(layer.n_head_kv), 1, MOST_ROW)?;
        in_range(&of("V values"), layer.head_v.saturating_mul(layer.n_head_kv), 1, MOST_ROW)?;
        check_rows(tensors, index, &layer)?;
        layers.push(layer);
    }
    check_count(tensors, n_layers, &keys.full("block_count"))?;
    Ok(layers)
}

/// Refuses keys that a layer's own tensors contradict: a figure from either would be wrong without a word.
fn check_rows(tensors: &[Tensor], index: usize, layer: &Layer) -> Result<(), MemoryError> {
    let mut rows = vec![
        ("attn_q", layer.head_k * layer.n_head),
        ("attn_k", layer.head_k * layer.n_head_kv),
        ("attn_v", layer.head_v * layer.n_head_kv),
    ];
    if let FeedForward::Dense { n_ff } = layer.feed_forward {
        rows.push(("ffn_up", n_ff));
    }
    for (part, want) in rows {
        let name = format!("blk.{index}.{part}.weight");
        let found = tensors.iter().find(|tensor| tensor.name == name);
        if let Some(got) = found.map(Tensor::rows).filter(|got| *got != want) {
            return Err(MemoryError::Rows { tensor: name, got, want });
        }
    }
    Ok(())
}

/// Refuses a number of layers other than that of the layers that have tensors.
fn check_count(tensors: &[Tensor], n_layers: usize, key: &str) -> Result<(), MemoryError> {
    let index = |tensor: &Tensor| {
        let (index, _) = tensor.name.strip_prefix("blk.")?.split_once('.')?;
        index.parse::<usize>().ok()
    };
    let mut with_tensors: Vec<usize> = tensors.iter().filter_map(index).collect();
    with_tensors.sort_unstable();
    with_tensors.dedup();
    if !with_tensors.is_empty() && with_tensors.len() != n_layers {
        let (key, got) = (key.to_owned(), with_tensors.len());
        return Err(MemoryError::LayerTensors { key, got, want: n_layers });
    }
    Ok(())
}
