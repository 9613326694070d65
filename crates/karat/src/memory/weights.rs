//! Bytes of the weights per device: which tensor lies where, what is stored twice.
//!
//! Source: `llama-model.cpp` and `llama-model-loader.cpp` of llama.cpp. The token embedding stays on
//! the host; a model without an output tensor uses it for the output as well, and where that is
//! computed elsewhere the engine keeps a second copy there. A mapped file counts from the first byte
//! used to the last, with what lies between them.

use std::collections::BTreeMap;

use karat_gguf::Tensor;

use super::graph::{GPU_ALIGNMENT, HOST_ALIGNMENT};
use super::shape::Shape;
use super::{MemoryError, Request};

/// Rows of quantized matrices are padded to this many values on a GPU: `MATRIX_ROW_PADDING` of
/// ggml's CUDA back end.
const GPU_ROW: u64 = 512;

/// Weights in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WeightBytes {
    /// In buffers of the host, a mapped file and repacked copies included.
    pub(super) host: u64,
    /// Of `host`, repacked copies.
    pub(super) repacked: u64,
    /// On the GPU.
    pub(super) gpu: u64,
}

/// Where a tensor is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    Input,
    Layer(usize),
    Output,
}

pub(super) fn weight_bytes(
    shape: &Shape,
    tensors: &[Tensor],
    request: &Request,
) -> Result<WeightBytes, MemoryError> {
    let n_layers = shape.layers.len();
    // gemma4 asks for its output before its embedding, and then the engine does not see that they are
    // one: read into memory, there are two. A mapped file is used twice at no cost.
    let mut sums = Sums { doubles: shape.architecture == "gemma4", ..Sums::default() };
    let has_output = tensors.iter().any(|tensor| tensor.name == "output.weight");
    for tensor in tensors {
        let home = home(&tensor.name);
        sums.place(tensor, home, n_layers, request);
        if tensor.name == "token_embd.weight" && !has_output {
            sums.place(tensor, Home::Output, n_layers, request);
        }
    }
    sums.total(request.mapped)
}

fn home(name: &str) -> Home {
    let layer = name.strip_prefix("blk.").and_then(|rest| rest.split('.').next());
    if let Some(index) = layer.and_then(|index| index.parse().ok()) {
        return Home::Layer(index);
    }
    match name {
        "output.weight" | "output_norm.weight" | "output.bias" => Home::Output,
        // Read by the first layers, wherever they are.
        "rope_freqs.weight" | "per_layer_model_proj.weight" | "per_layer_proj_norm.weight" => {
            Home::Layer(0)
        }
        _ => Home::Input,
    }
}

#[derive(Default)]
struct Sums {
    /// Of each part of the file: first and last byte used in place.
    spans: BTreeMap<usize, (u64, u64)>,
    /// Tensors that are used as they lie in the file.
    plain: BTreeMap<(String, bool), u128>,
    /// An embedding that is also the output counts twice.
    doubles: bool,
    repacked: u128,
    gpu: u128,
}

impl Sums {
    fn place(&mut self, tensor: &Tensor, home: Home, n_layers: usize, request: &Request) {
        let on_gpu = match home {
            Home::Input => false,
            Home::Layer(index) => request.layer_on_gpu(index, n_layers),
            Home::Output => request.output_on_gpu(),
        };
        let is_matrix = tensor.dims.len() > 1 && home != Home::Input;
        let rows = tensor.dims.get(1).copied().unwrap_or(1);
        if on_gpu {
            self.gpu += gpu_bytes(tensor);
        } else if is_matrix && request.repack.takes(tensor.ty, rows) {
            self.repacked += u128::from(tensor.bytes).next_multiple_of(HOST_ALIGNMENT);
        } else {
            let (first, last) = (tensor.offset, tensor.offset.saturating_add(tensor.bytes));
            let span = self.spans.entry(tensor.part).or_insert((first, last));
            *span = (span.0.min(first), span.1.max(last));
            let bytes = u128::from(tensor.bytes).next_multiple_of(HOST_ALIGNMENT);
            let is_double = self.doubles && home == Home::Output;
            self.plain.insert((tensor.name.clone(), is_double), bytes);
        }
    }

    fn total(self, mapped: bool) -> Result<WeightBytes, MemoryError> {
        let plain: u128 = if mapped {
            self.spans.values().map(|&(first, last)| u128::from(last - first)).sum()
        } else {
            self.plain.values().sum()
        };
        let bytes = |sum: u128| u64::try_from(sum).map_err(|_| MemoryError::Overflow);
        Ok(WeightBytes {
            host: bytes(plain + self.repacked)?,
            repacked: bytes(self.repacked)?,
            gpu: bytes(self.gpu)?,
        })
    }
}

/// Bytes on the GPU: the rows of a quantized matrix are followed by room for a whole block of work.
fn gpu_bytes(tensor: &Tensor) -> u128 {
    let mut bytes = u128::from(tensor.bytes);
    let rest = tensor.row_len() % GPU_ROW;
    if tensor.ty.block_len() > 1 && rest != 0 {
        let missing = u128::from(GPU_ROW - rest) / u128::from(tensor.ty.block_len());
        bytes += missing * u128::from(tensor.ty.block_bytes());
    }
    bytes.next_multiple_of(GPU_ALIGNMENT)
}
