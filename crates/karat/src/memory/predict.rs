//! The prediction: what a model with a context takes, by device and by part.

use karat_gguf::{GgmlType, Tensor};
use serde::{Deserialize, Serialize};

use super::MemoryError;
use super::graph::compute_bytes;
use super::kv::{Cells, layer_bytes};
use super::repack::Repack;
use super::shape::Shape;
use super::weights::weight_bytes;

/// How a model is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Tokens of the context.
    pub n_ctx: u32,
    /// Most tokens computed at once.
    pub n_ubatch: u32,
    /// Type of the KV cache, K and V alike.
    pub kv: GgmlType,
    /// Layers on the GPU, the output counted as one, from the output end; `None` for all.
    pub gpu_layers: Option<u32>,
    /// Rows of logits that are handed out at once.
    pub n_outputs: u32,
    /// The file is mapped into memory, as runners do; otherwise it is read.
    pub mapped: bool,
    /// Weights that the processor gets rearranged.
    pub repack: Repack,
}

impl Request {
    /// Tokens of one pass through the graph. The engine's contexts hold a multiple of 256 tokens, yet
    /// take at most as many at once as were asked for.
    pub(super) fn tokens_at_once(&self) -> u32 {
        self.n_ubatch.min(self.n_ctx)
    }

    pub(super) fn layer_on_gpu(&self, index: usize, n_layers: usize) -> bool {
        // The output is the first to go, then the layers from the last.
        self.gpu_layers.is_none_or(|n| index + n as usize > n_layers)
    }

    pub(super) fn output_on_gpu(&self) -> bool {
        self.gpu_layers != Some(0)
    }
}

/// Memory on one device, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceBytes {
    /// Weights.
    pub weights: u64,
    /// KV cache.
    pub kv: u64,
    /// Intermediate results of the graph.
    pub compute: u64,
    /// Logits handed out.
    pub output: u64,
}

impl DeviceBytes {
    /// All of it; `None` where that is more than 64 bits count.
    pub fn checked_total(&self) -> Option<u64> {
        [self.kv, self.compute, self.output].into_iter().try_fold(self.weights, u64::checked_add)
    }
}

/// What a model and its context take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    /// In the host's memory.
    pub host: DeviceBytes,
    /// On the GPU.
    pub gpu: DeviceBytes,
    /// Of the host's weights, copies rearranged for the processor.
    pub repacked: u64,
}

/// Predicts the engine's buffers.
///
/// # Errors
/// A context of 0 tokens, a KV type that does not divide a head, more than 2^64 bytes.
pub fn predict(
    shape: &Shape,
    tensors: &[Tensor],
    request: &Request,
) -> Result<Prediction, MemoryError> {
    if request.n_ctx == 0 || request.n_ubatch == 0 {
        return Err(MemoryError::NoContext);
    }
    let n_layers = shape.layers.len();
    let cells = Cells::of(shape, request);
    let (mut host_kv, mut gpu_kv) = (0, 0);
    for (index, layer) in shape.layers.iter().enumerate() {
        let bytes = layer_bytes((index, layer), cells, request.kv)?;
        let sum = if request.layer_on_gpu(index, n_layers) { &mut gpu_kv } else { &mut host_kv };
        *sum += bytes;
    }
    let weights = weight_bytes(shape, tensors, request)?;
    let (host_compute, gpu_compute) = compute_bytes(shape, request)?;
    let output = u128::from(request.n_outputs.max(1)) * u128::from(shape.n_vocab) * 4;
    let narrow = |bytes: u128| u64::try_from(bytes).map_err(|_| MemoryError::Overflow);
    let host = DeviceBytes {
        weights: weights.host,
        kv: narrow(host_kv)?,
        compute: host_compute,
        output: narrow(output)?,
    };
    let gpu =
        DeviceBytes { weights: weights.gpu, kv: narrow(gpu_kv)?, compute: gpu_compute, output: 0 };
    let total = host.checked_total().zip(gpu.checked_total());
    if total.and_then(|(host, gpu)| host.checked_add(gpu)).is_none() {
        return Err(MemoryError::Overflow);
    }
    Ok(Prediction { host, gpu, repacked: weights.repacked })
}
