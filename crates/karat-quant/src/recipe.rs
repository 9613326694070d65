//! Foretells what the engine makes of each tensor, as far as the checks before it need to know.
//! The engine decides; its mixtures are bounded here, not repeated.

use karat_gguf::{GgmlType, Gguf, Tensor};

use crate::file_type::FileTypeName;
use crate::tensor_kind::{GLM5_NEXT, PER_LAYER_EMBEDDING, TensorKind, is_quantizable};
use crate::tensor_type::TensorTypeRule;

/// What becomes of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// It is copied.
    Keep,
    /// It gets this type.
    Exact(GgmlType),
    /// The mixture decides, on nothing bigger than this type.
    AtMost(GgmlType),
}

/// The part of a job that decides the types of its tensors.
pub(crate) struct Recipe<'a> {
    pub(crate) file_type: &'static FileTypeName,
    pub(crate) pure: bool,
    pub(crate) leave_output: bool,
    pub(crate) token_embedding_type: Option<GgmlType>,
    pub(crate) output_type: Option<GgmlType>,
    pub(crate) rules: &'a [TensorTypeRule],
}

/// The traits of a model that mixtures look at.
struct Model<'a> {
    architecture: &'a str,
    n_expert: u64,
    is_tied: bool,
}

impl Recipe<'_> {
    /// What becomes of each tensor of `input`, in its order.
    ///
    /// Source: `llama_tensor_get_type` of llama-quant.cpp in llama-cpp-sys-2 0.1.161.
    pub(crate) fn targets(&self, input: &Gguf) -> Vec<Target> {
        let architecture = input.architecture().unwrap_or_default();
        let n_expert = input.metadata().get_u64(&format!("{architecture}.expert_count"));
        let is_tied = input.tensor("output.weight").is_none();
        let model = Model { architecture, n_expert: n_expert.unwrap_or(0), is_tied };
        input.tensors().iter().map(|tensor| self.target(&model, tensor)).collect()
    }

    fn target(&self, model: &Model, tensor: &Tensor) -> Target {
        let kind = TensorKind::of(&tensor.name);
        if self.file_type.copies
            || (self.leave_output && kind == TensorKind::Output)
            || !is_quantizable(model.architecture, tensor)
        {
            return Target::Keep;
        }
        let rule = self.rules.iter().find(|rule| rule.matches(&tensor.name));
        let named = tensor.name == PER_LAYER_EMBEDDING && rule.is_some();
        match (kind, self.token_embedding_type, self.output_type) {
            (TensorKind::TokenEmbedding, Some(ty), _) if !named => return Target::Exact(ty),
            (TensorKind::Output, _, Some(ty)) => return Target::Exact(ty),
            _ => {}
        }
        let default = self.file_type.default_type;
        if !default.is_quantized() {
            return Target::Exact(default);
        }
        match rule {
            Some(rule) => fitted(rule.ty(), tensor),
            None if self.pure => fitted(default, tensor),
            None => self.mixed(model, tensor, kind),
        }
    }

    /// Bounds what the mixture of the file type gives to a tensor.
    fn mixed(&self, model: &Model, tensor: &Tensor, kind: TensorKind) -> Target {
        let is_output =
            kind == TensorKind::Output || (model.is_tied && kind == TensorKind::TokenEmbedding);
        if let (true, Some(ty)) = (is_output, self.output_type) {
            return fitted(ty, tensor);
        }
        let default = self.file_type.default_type;
        let lifts_all = self.file_type.name == "MXFP4_MOE" || model.architecture == GLM5_NEXT;
        let lifts_attention = model.n_expert == 8
            && matches!(kind, TensorKind::AttentionValue | TensorKind::AttentionKey);
        let raised =
            if lifts_all || lifts_attention || (is_output && model.architecture == "falcon") {
                GgmlType::Q8_0
            } else if is_output {
                GgmlType::Q6_K
            } else {
                raised(default, kind)
            };
        let bound = if bits(raised) > bits(default) { raised } else { default };
        match fitted(bound, tensor) {
            Target::Exact(ty) if tensor.row_len().is_multiple_of(default.block_len()) => {
                Target::AtMost(ty)
            }
            // Where the default type does not fit, the output goes to Q8_0 before any fallback.
            _ => fallback(tensor),
        }
    }
}

/// The biggest type that a mixture around `default` gives to tensors of a kind.
fn raised(default: GgmlType, kind: TensorKind) -> GgmlType {
    let low = bits(default) < 4.0;
    match kind {
        TensorKind::AttentionValue | TensorKind::FfnDown if low => GgmlType::Q5_K,
        TensorKind::AttentionValue | TensorKind::FfnDown => GgmlType::Q6_K,
        TensorKind::TokenEmbedding | TensorKind::AttentionKey if low => GgmlType::Q4_K,
        TensorKind::AttentionOutput => GgmlType::Q5_K,
        _ => default,
    }
}

/// Bits per weight.
fn bits(ty: GgmlType) -> f64 {
    ty.block_bytes() as f64 * 8.0 / ty.block_len() as f64
}

/// `ty`, where whole blocks of it fit the rows, else a bound of what the engine falls back to.
fn fitted(ty: GgmlType, tensor: &Tensor) -> Target {
    if tensor.row_len().is_multiple_of(ty.block_len()) {
        Target::Exact(ty)
    } else {
        fallback(tensor)
    }
}

/// Bounds the type of a tensor whose rows the wanted type does not fit.
fn fallback(tensor: &Tensor) -> Target {
    let fits = tensor.row_len().is_multiple_of(GgmlType::Q8_0.block_len());
    Target::AtMost(if fits { GgmlType::Q8_0 } else { GgmlType::F16 })
}

/// Bytes that the output takes at most: the engine writes tensors one after the other, each padded
/// to the default alignment, after metadata that are the input's and a few keys more.
pub(crate) fn output_bytes(input: &Gguf, targets: &[Target]) -> u64 {
    const ALIGNMENT: u64 = 32;
    const EXTRA_METADATA: u64 = 4096;
    let mut starts = vec![0; input.parts().len()];
    let mut data = 0_u64;
    for (tensor, target) in input.tensors().iter().zip(targets) {
        let start: &mut u64 = &mut starts[tensor.part];
        *start = if *start == 0 { tensor.offset } else { tensor.offset.min(*start) };
        let ty = match target {
            Target::Keep => tensor.ty,
            Target::Exact(ty) | Target::AtMost(ty) => *ty,
        };
        // Rows that no block fits are refused or fall back before they get here.
        let row = ty.row_bytes(tensor.row_len()).unwrap_or(tensor.row_len().saturating_mul(4));
        let bytes = row.saturating_mul(tensor.rows());
        data = data.saturating_add(bytes.saturating_add(ALIGNMENT));
    }
    starts.iter().sum::<u64>().saturating_add(EXTRA_METADATA).saturating_add(data)
}
