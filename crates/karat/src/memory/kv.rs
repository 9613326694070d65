//! The KV cache: how many tokens each layer's holds, and its bytes.
//!
//! Source: `llama-context.cpp`, `llama-kv-cache.cpp`, `llama-kv-cache-iswa.cpp` of llama.cpp.

use karat_gguf::GgmlType;

use super::shape::{Layer, Shape};
use super::{MemoryError, Request};

/// Caches hold a multiple of this many tokens.
const CELLS_PAD: u64 = 256;

/// Tokens that the caches hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    /// Of layers that see everything.
    pub(super) full: u64,
    /// Of layers that see a window: the window and the tokens that are computed at once.
    pub(super) sliding: u64,
}

impl Cells {
    pub(super) fn of(shape: &Shape, request: &Request) -> Self {
        let full = u64::from(request.n_ctx).next_multiple_of(CELLS_PAD);
        let sliding = shape.window.map_or(full, |window| {
            let seen = window.saturating_add(u64::from(request.tokens_at_once()));
            seen.min(full).next_multiple_of(CELLS_PAD)
        });
        Self { full, sliding }
    }

    pub(super) fn in_layer(self, layer: &Layer) -> u64 {
        if layer.is_sliding { self.sliding } else { self.full }
    }
}

/// Bytes of K and V of the layer at an index; 0 where it reads another's.
///
/// # Errors
/// Heads that are no whole number of blocks: with flash attention the engine asks that of every layer,
/// also of those that read another's cache.
pub(super) fn layer_bytes(
    (index, layer): (usize, &Layer),
    cells: Cells,
    kv: GgmlType,
) -> Result<u128, MemoryError> {
    for (head, values) in [("key", layer.head_k), ("value", layer.head_v)] {
        let block = kv.block_len();
        if !values.is_multiple_of(block) {
            return Err(MemoryError::KvBlock { kv: kv.name(), block, head, layer: index, values });
        }
    }
    if !layer.has_kv {
        return Ok(0);
    }
    let row = |values: u64| u128::from(values / kv.block_len()) * u128::from(kv.block_bytes());
    let per_token = row(layer.k_values()) + row(layer.v_values());
    Ok(per_token * u128::from(cells.in_layer(layer)))
}

/// Width of the matrices that K and V are rotated with before they are quantized: the largest power
/// of two from 64 up that divides a key head, 64 for values. `None` where the heads differ between
/// the layers of one cache, are no multiple of 64, or the cache is not quantized.
pub(super) fn rotations(
    shape: &Shape,
    is_sliding: bool,
    kv: GgmlType,
) -> (Option<u64>, Option<u64>) {
    let of_cache: Vec<&Layer> = shape
        .layers
        .iter()
        .filter(|layer| layer.has_kv && layer.is_sliding == is_sliding)
        .collect();
    let Some(first) = of_cache.first() else { return (None, None) };
    // The engine asks the first layer of the whole model for the multiple of 64.
    let asked = &shape.layers[0];
    let quantized = kv.block_len() > 1;
    let same_k = of_cache.iter().all(|layer| layer.head_k == first.head_k);
    let same_v = of_cache.iter().all(|layer| layer.head_v == first.head_v);
    let k = (quantized && same_k && asked.head_k.is_multiple_of(64)).then(|| {
        let mut width = 64;
        while first.head_k.is_multiple_of(2 * width) {
            width *= 2;
        }
        width
    });
    let v = (quantized && same_v && asked.head_v.is_multiple_of(64)).then_some(64);
    (k, v)
}
