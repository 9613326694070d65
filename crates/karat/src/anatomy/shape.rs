//! The architecture of a model and its measures, as the keys state them. It derives nothing: what
//! a key does not say is missing.

use karat_gguf::Header;
use serde::Serialize;

use super::keys::{Keys, Misread, PerLayer};
use super::known_architectures::is_known;
use super::shown::name_text;

/// Architecture and measures. `None`: the key is missing, or is in `misread`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Shape {
    /// `general.architecture`.
    pub architecture: Option<String>,
    /// Whether karat's engine knows the architecture.
    pub known: bool,
    /// `general.type`: `model`, `adapter`, `mmproj`, `imatrix`.
    pub kind: Option<String>,
    /// Layers: `block_count`.
    pub layers: Option<u64>,
    /// Tokens the model was made for: `context_length`.
    pub context_length: Option<u64>,
    /// Length of a token's vector: `embedding_length`.
    pub embedding_length: Option<u64>,
    /// `feed_forward_length`.
    pub feed_forward_length: Option<PerLayer>,
    /// Query heads: `attention.head_count`.
    pub heads: Option<PerLayer>,
    /// Key and value heads: `attention.head_count_kv`.
    pub kv_heads: Option<PerLayer>,
    /// Length of a key: `attention.key_length`.
    pub key_length: Option<u64>,
    /// Length of a value: `attention.value_length`.
    pub value_length: Option<u64>,
    /// Length of a key in sliding-window layers: `attention.key_length_swa`.
    pub key_length_swa: Option<u64>,
    /// Tokens that sliding-window layers look back: `attention.sliding_window`.
    pub sliding_window: Option<u64>,
    /// Layers marked as sliding, and layers that are marked at all: `sliding_window_pattern`.
    pub sliding_layers: Option<(u64, u64)>,
    /// Layers that use the keys and values of another one: `attention.shared_kv_layers`.
    pub shared_kv_layers: Option<u64>,
    /// `expert_count`.
    pub experts: Option<u64>,
    /// Experts that each token goes through: `expert_used_count`.
    pub experts_used: Option<u64>,
    /// Experts that every token goes through: `expert_shared_count`.
    pub experts_shared: Option<u64>,
    /// Entries of the vocabulary as a key states it: `vocab_size`.
    pub vocab_size: Option<u64>,
    /// `rope.freq_base`.
    pub rope_freq_base: Option<f64>,
    /// `rope.freq_base_swa`.
    pub rope_freq_base_swa: Option<f64>,
    /// `rope.scaling.type`.
    pub rope_scaling: Option<String>,
    /// `rope.scaling.factor`.
    pub rope_scaling_factor: Option<f64>,
    /// What norms add to a variance: `attention.layer_norm_rms_epsilon`.
    pub rms_epsilon: Option<f64>,
    /// `final_logit_softcapping`.
    pub final_logit_softcapping: Option<f64>,
    /// Keys whose values are not what they should be.
    pub misread: Vec<Misread>,
}

impl Shape {
    pub(super) fn of(header: &Header) -> Self {
        let metadata = header.metadata();
        let kind = metadata.get_str("general.type").map(name_text);
        let Some(architecture) = header.architecture() else {
            return Self { kind, ..Self::default() };
        };
        let mut keys = Keys::new(metadata, architecture);
        Self {
            architecture: Some(name_text(architecture)),
            known: is_known(architecture),
            kind,
            layers: keys.number("block_count"),
            context_length: keys.number("context_length"),
            embedding_length: keys.number("embedding_length"),
            feed_forward_length: keys.per_layer("feed_forward_length"),
            heads: keys.per_layer("attention.head_count"),
            kv_heads: keys.per_layer("attention.head_count_kv"),
            key_length: keys.number("attention.key_length"),
            value_length: keys.number("attention.value_length"),
            key_length_swa: keys.number("attention.key_length_swa"),
            sliding_window: keys.number("attention.sliding_window"),
            sliding_layers: keys.marked("attention.sliding_window_pattern"),
            shared_kv_layers: keys.number("attention.shared_kv_layers"),
            experts: keys.number("expert_count"),
            experts_used: keys.number("expert_used_count"),
            experts_shared: keys.number("expert_shared_count"),
            vocab_size: keys.number("vocab_size"),
            rope_freq_base: keys.real("rope.freq_base"),
            rope_freq_base_swa: keys.real("rope.freq_base_swa"),
            rope_scaling: keys.word("rope.scaling.type"),
            rope_scaling_factor: keys.real("rope.scaling.factor"),
            rms_epsilon: keys.real("attention.layer_norm_rms_epsilon"),
            final_logit_softcapping: keys.real("final_logit_softcapping"),
            misread: keys.misread,
        }
    }

    /// Whether the file holds a whole language model, as far as it says.
    pub fn is_model(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == "model")
    }
}
