//! Which tensors the engine quantizes at all, and what part of the model each is. It judges by
//! name and shape alone and never decides a type.

use karat_gguf::Tensor;

/// The part of a model that a tensor is, as far as recipes tell parts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TensorKind {
    /// The output matrix.
    Output,
    /// A token embedding, also the one per layer.
    TokenEmbedding,
    /// Attention values, alone or fused with others.
    AttentionValue,
    /// Attention keys.
    AttentionKey,
    /// Output of the attention.
    AttentionOutput,
    /// Second matrix of the feed-forward network.
    FfnDown,
    /// Anything else.
    Other,
}

/// Name of the output matrix.
const OUTPUT: &str = "output.weight";
/// Name of the token embedding that each layer has a slice of.
pub(crate) const PER_LAYER_EMBEDDING: &str = "per_layer_token_embd.weight";
/// Name of the token embedding.
const EMBEDDING: &str = "token_embd.weight";

impl TensorKind {
    /// The part that the tensor of this name is.
    ///
    /// Source: `tensor_get_category` of llama-quant.cpp in llama-cpp-sys-2 0.1.161.
    pub(crate) fn of(name: &str) -> Self {
        let has = |part: &str| name.contains(part);
        match name {
            OUTPUT => Self::Output,
            EMBEDDING | PER_LAYER_EMBEDDING => Self::TokenEmbedding,
            _ if has("attn_qkv.weight") || has("attn_kv_b.weight") || has("attn_v.weight") => {
                Self::AttentionValue
            }
            _ if has("attn_k.weight") => Self::AttentionKey,
            _ if has("attn_output.weight") => Self::AttentionOutput,
            _ if has("ffn_down") => Self::FfnDown,
            _ => Self::Other,
        }
    }
}

/// Parts of names that mark tensors too small or too sensitive to be quantized.
const KEPT_PARTS: &[&str] = &[
    "_norm.weight",
    "ffn_gate_inp.weight",
    "ffn_gate_tid2eid.weight",
    "altup",
    "laurel",
    "per_layer_model_proj",
    "ssm_conv1d",
    "shortconv.conv.weight",
    "indexer.k_proj.weight",
    "indexer.q_proj.weight",
    "time_mix_first.weight",
    "time_mix_w0.weight",
    "time_mix_w1.weight",
    "time_mix_w2.weight",
    "time_mix_v0.weight",
    "time_mix_v1.weight",
    "time_mix_v2.weight",
    "time_mix_a0.weight",
    "time_mix_a1.weight",
    "time_mix_a2.weight",
    "time_mix_g1.weight",
    "time_mix_g2.weight",
    "time_mix_decay_w1.weight",
    "time_mix_decay_w2.weight",
    "time_mix_lerp_fused.weight",
    "attn_rel_b.weight",
    ".position_embd",
    "sam.pos_embd",
    "sam.neck.",
    "sam.net_",
    ".rel_pos",
    ".patch_embd",
    ".patch_merger",
    "a.rvq.codebook",
    "mm.a.code_embd",
];

/// The like for one architecture.
const KEPT_PARTS_GLM5_NEXT: &[&str] = &[
    "hc_",
    "indexer.attn_q_b",
    "indexer.attn_k",
    "indexer.proj",
    "indexer_compressor_gate",
    "indexer_compressor_ape",
    "ssm_f_a.weight",
    "ssm_f_b.weight",
    "ssm_g_a.weight",
    "ssm_g_b.weight",
    "ssm_beta.weight",
    "attn_kv_a_mqa.weight",
    "attn_k_b.weight",
    "attn_v_b.weight",
];

/// Name of the architecture that [`KEPT_PARTS_GLM5_NEXT`] is for.
pub(crate) const GLM5_NEXT: &str = "glm5-next";

/// Whether the engine quantizes the tensor, if it is told to quantize everything.
///
/// Source: `tensor_allows_quantization` of llama-quant.cpp in llama-cpp-sys-2 0.1.161.
pub(crate) fn is_quantizable(architecture: &str, tensor: &Tensor) -> bool {
    let name = tensor.name.as_str();
    let kept = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    shape(tensor).len() >= 2
        && name.ends_with("weight")
        && !["position_embd.weight", "token_types.weight"].contains(&name)
        && !kept(KEPT_PARTS)
        && !(architecture == GLM5_NEXT && kept(KEPT_PARTS_GLM5_NEXT))
}

/// The dimensions without trailing ones, as the engine counts them; never empty.
pub(crate) fn shape(tensor: &Tensor) -> &[u64] {
    let n_dims = tensor.dims.iter().rposition(|&dim| dim != 1).map_or(1, |last| last + 1);
    &tensor.dims[..n_dims]
}
