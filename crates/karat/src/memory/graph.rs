//! The graph of a whole decoder for one batch of tokens, and the bytes of the compute buffers that it
//! needs.
//!
//! Source: `llama-graph.cpp` of llama.cpp, with flash attention, as the engine reserves it: all tokens
//! of a micro-batch put out logits, and the caches are full.

use karat_gguf::GgmlType;

use super::arena::{Device, Graph, Id};
use super::kv::{Cells, rotations};
use super::layers::Decoder;
use super::shape::Shape;
use super::{MemoryError, Request};

/// Bytes of an f32, the type of all results.
pub(super) const FLOAT: u128 = 4;
/// Bytes of an f16, the type that flash attention takes its mask in, and K and V of an f32 cache.
pub(super) const HALF: u128 = 2;
/// Bytes of a position or token, i32.
const INT: u128 = 4;
/// Bytes of a place in the cache, i64.
const PLACE: u128 = 8;

/// Alignment of buffers in bytes: `TENSOR_ALIGNMENT` of ggml, and what its CUDA back end asks for.
pub(super) const HOST_ALIGNMENT: u128 = 32;
pub(super) const GPU_ALIGNMENT: u128 = 128;

/// Sizes that hold for the whole graph.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) n_embd: u64,
    pub(super) n_tokens: u128,
}

/// What the attention of all layers with one cache reads.
pub(super) struct AttentionInputs {
    pub(super) positions: Id,
    pub(super) k_places: Id,
    pub(super) v_places: Id,
    pub(super) mask: Id,
    pub(super) k_rotation: Option<Id>,
    pub(super) v_rotation: Option<Id>,
    /// Tokens of the cache whose K and V are copied as f16 for each layer, because flash attention
    /// reads no f32; `None` for caches of other types.
    pub(super) copied_cells: Option<u64>,
}

/// Compute buffers in bytes: on the host, and on the GPU.
pub(super) fn compute_bytes(shape: &Shape, request: &Request) -> Result<(u64, u64), MemoryError> {
    let graph = build(shape, request);
    let bytes = |device, alignment| {
        u64::try_from(graph.buffer_bytes(device, alignment)).map_err(|_| MemoryError::Overflow)
    };
    Ok((bytes(Device::Host, HOST_ALIGNMENT)?, bytes(Device::Gpu, GPU_ALIGNMENT)?))
}

fn build(shape: &Shape, request: &Request) -> Graph {
    let mut graph = Graph::new();
    let n_tokens = u128::from(request.tokens_at_once());
    let sizes = Sizes { n_embd: shape.n_embd, n_tokens };
    let stream = u128::from(shape.n_embd) * n_tokens * FLOAT;
    let mut x = embed(&mut graph, shape, n_tokens, stream);
    let positions = graph.input(n_tokens * INT);
    // Inputs are laid out in the order of their first use, and the first layers slide.
    let cells = Cells::of(shape, request);
    let sliding = shape
        .slides()
        .then(|| attention_inputs(&mut graph, shape, request, (true, cells.sliding), positions));
    let full = attention_inputs(&mut graph, shape, request, (false, cells.full), positions);
    let wanted_rows = graph.input(n_tokens * INT);
    let per_layer =
        (shape.n_embd_per_layer > 0).then(|| per_layer_embedding(&mut graph, shape, x, n_tokens));
    let n_layers = shape.layers.len();
    for (index, layer) in shape.layers.iter().enumerate() {
        let on_gpu = request.layer_on_gpu(index, n_layers);
        graph.compute_on(if on_gpu { Device::Gpu } else { Device::Host });
        let inputs = if layer.is_sliding { sliding.as_ref().unwrap_or(&full) } else { &full };
        let norms_v = shape.architecture == "gemma4";
        let mut decoder = Decoder { graph: &mut graph, sizes, norms_v };
        let norm = decoder.graph.in_place(stream, &[x]);
        let attended = decoder.attention(layer, norm, inputs, shape.slides());
        // The last layer goes on with the tokens whose logits are wanted. Here all of them are, yet
        // their rows are copied.
        let is_last = index + 1 == n_layers && shape.architecture != "gemma4";
        let (attended, kept) = if is_last {
            let attended = decoder.graph.fresh(stream, &[attended, wanted_rows]);
            (attended, decoder.graph.fresh(stream, &[x, wanted_rows]))
        } else {
            (attended, x)
        };
        let sum = decoder.graph.in_place(stream, &[attended, kept]);
        x = decoder.feed_forward(layer, sum, n_tokens);
        if let Some(per_layer) = per_layer {
            x = add_per_layer(&mut graph, shape, per_layer, x, n_tokens);
        }
    }
    let on_gpu = request.output_on_gpu();
    graph.compute_on(if on_gpu { Device::Gpu } else { Device::Host });
    head(&mut graph, shape, x, wanted_rows, n_tokens);
    graph
}

/// Embedding of the tokens. The engine plans for three ways in at once: tokens, vectors, and a mix of
/// both; the results of the ways not taken are never read, so their memory is never given back.
fn embed(graph: &mut Graph, shape: &Shape, n_tokens: u128, stream: u128) -> Id {
    let tokens = graph.input(n_tokens * INT);
    let vectors = graph.input(stream);
    graph.keep(vectors);
    let mixed_tokens = graph.input(n_tokens * INT);
    let mixed_places = graph.input(n_tokens * PLACE);
    let mixed_vectors = graph.input(stream);
    let x = graph.fresh(stream, &[tokens]);
    let rows = graph.fresh(stream, &[mixed_tokens]);
    let copy = graph.fresh(stream, &[mixed_vectors]);
    graph.keep(copy);
    graph.store(&[rows, mixed_places, copy]);
    match shape.architecture.as_str() {
        "gemma3" | "gemma4" => {
            let scales = graph.input(n_tokens * FLOAT);
            graph.in_place(stream, &[x, scales])
        }
        _ => x,
    }
}

fn attention_inputs(
    graph: &mut Graph,
    shape: &Shape,
    request: &Request,
    (is_sliding, n_cells): (bool, u64),
    positions: Id,
) -> AttentionInputs {
    let n_tokens = u128::from(request.tokens_at_once());
    let (k_width, v_width) = rotations(shape, is_sliding, request.kv);
    let mut square =
        |width: Option<u64>| width.map(|w| graph.input(u128::from(w) * u128::from(w) * FLOAT));
    let (k_rotation, v_rotation) = (square(k_width), square(v_width));
    AttentionInputs {
        positions,
        k_places: graph.input(n_tokens * PLACE),
        v_places: graph.input(n_tokens * PLACE),
        mask: graph.input(u128::from(n_cells) * n_tokens * HALF),
        k_rotation,
        v_rotation,
        copied_cells: (request.kv == GgmlType::F32).then_some(n_cells),
    }
}

/// The embedding that each layer gets of its own (gemma4 E2B and E4B), for all layers at once.
fn per_layer_embedding(graph: &mut Graph, shape: &Shape, x: Id, n_tokens: u128) -> Id {
    // A second input with the same tokens.
    let tokens = graph.input(n_tokens * INT);
    let all_layers = u128::from(shape.n_embd_per_layer) * shape.layers.len() as u128;
    let bytes = all_layers * n_tokens * FLOAT;
    let rows = graph.fresh(bytes, &[tokens]);
    let rows = graph.in_place(bytes, &[rows]);
    let projected = graph.fresh(bytes, &[x]);
    let sum = graph.in_place(bytes, &[projected, rows]);
    // Laid out anew; every layer reads a slice.
    graph.fresh(bytes, &[sum])
}

fn add_per_layer(graph: &mut Graph, shape: &Shape, per_layer: Id, x: Id, n_tokens: u128) -> Id {
    let narrow = u128::from(shape.n_embd_per_layer) * n_tokens * FLOAT;
    let stream = u128::from(shape.n_embd) * n_tokens * FLOAT;
    let gate = graph.fresh(narrow, &[x]);
    let gate = graph.in_place(narrow, &[gate, per_layer]);
    let projected = graph.fresh(stream, &[gate]);
    graph.in_place(stream, &[x, projected])
}

/// Final norm and logits.
fn head(graph: &mut Graph, shape: &Shape, x: Id, wanted_rows: Id, n_tokens: u128) {
    let stream = u128::from(shape.n_embd) * n_tokens * FLOAT;
    let mut norm = graph.in_place(stream, &[x]);
    // Both are outputs of the graph.
    graph.keep(norm);
    if shape.architecture == "gemma4" {
        norm = graph.fresh(stream, &[norm, wanted_rows]);
        graph.keep(norm);
    }
    let logits = graph.fresh(u128::from(shape.n_vocab) * n_tokens * FLOAT, &[norm]);
    graph.keep(logits);
}
