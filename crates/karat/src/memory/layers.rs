//! One layer of a decoder as the engine's graph has it: which results there are, how large, in what
//! order, and what is left out because it only writes over its operand.
//!
//! Source: `llama-graph.cpp` and `models/{llama,qwen2,qwen3,qwen3moe,gemma2,gemma3,gemma4}.cpp` of
//! llama.cpp.

use super::arena::{Graph, Id};
use super::graph::{AttentionInputs, FLOAT, HALF, Sizes};
use super::shape::{FeedForward, Layer};

/// What the layers of all families share: the graph and its sizes.
pub(super) struct Decoder<'g> {
    pub(super) graph: &'g mut Graph,
    pub(super) sizes: Sizes,
    /// V is normalised (gemma4).
    pub(super) norms_v: bool,
}

impl Decoder<'_> {
    fn tokens(&self, values: u64) -> u128 {
        u128::from(values) * self.sizes.n_tokens * FLOAT
    }

    /// A normalised copy of `x`, which is needed again.
    fn norm_aside(&mut self, x: Id, bytes: u128) -> Id {
        let norm = self.graph.in_place(bytes, &[x]);
        self.graph.in_place(bytes, &[norm])
    }

    /// Attention of one layer, output projection included.
    ///
    /// `queries_first`: with sliding windows the engine computes Q, K, V; without them Q, V, K.
    pub(super) fn attention(
        &mut self,
        layer: &Layer,
        x: Id,
        inputs: &AttentionInputs,
        k_before_v: bool,
    ) -> Id {
        let q_bytes = self.tokens(layer.head_k * layer.n_head);
        let k_bytes = self.tokens(layer.k_values());
        let v_bytes = self.tokens(layer.v_values());
        let norms_v = self.norms_v;
        let graph = &mut *self.graph;
        let rotated = |graph: &mut Graph, bytes, x, rotation: Option<Id>| match rotation {
            Some(rotation) => graph.fresh(bytes, &[rotation, x]),
            None => x,
        };
        // Projections are reshaped into heads, and the engine never writes over what it sees through
        // another shape: the first norm, or the positions, of Q and K need memory of their own. What
        // follows writes over that.
        let q = graph.fresh(q_bytes, &[x]);
        let q = graph.fresh(q_bytes, &[q, inputs.positions]);
        let q = rotated(graph, q_bytes, q, inputs.k_rotation);
        if layer.has_kv {
            let project_k = |graph: &mut Graph| graph.fresh(k_bytes, &[x]);
            let finish_k = |graph: &mut Graph, k: Id| {
                let k = graph.fresh(k_bytes, &[k, inputs.positions]);
                rotated(graph, k_bytes, k, inputs.k_rotation)
            };
            let make_v = |graph: &mut Graph, from: Id| {
                let v = if norms_v { graph.fresh(v_bytes, &[from]) } else { from };
                rotated(graph, v_bytes, v, inputs.v_rotation)
            };
            let (k, v) = if !layer.has_v {
                // One projection for both.
                let shared = project_k(graph);
                let k = finish_k(graph, shared);
                (k, make_v(graph, shared))
            } else if k_before_v {
                let k = project_k(graph);
                let k = finish_k(graph, k);
                let v = graph.fresh(v_bytes, &[x]);
                (k, make_v(graph, v))
            } else {
                let v = graph.fresh(v_bytes, &[x]);
                let v = make_v(graph, v);
                let k = project_k(graph);
                (finish_k(graph, k), v)
            };
            graph.store(&[k, inputs.k_places]);
            graph.store(&[v, inputs.v_places]);
        }
        let out_bytes = u128::from(layer.head_v * layer.n_head) * self.sizes.n_tokens * FLOAT;
        let mut read = vec![q, inputs.mask];
        if let Some(n_cells) = inputs.copied_cells {
            let copies = [layer.k_values(), layer.v_values()]
                .map(|values| graph.fresh(u128::from(values) * u128::from(n_cells) * HALF, &[]));
            read.extend(copies);
        }
        let out = graph.fresh(out_bytes, &read);
        let out = rotated(graph, out_bytes, out, inputs.v_rotation);
        graph.fresh(u128::from(self.sizes.n_embd) * self.sizes.n_tokens * FLOAT, &[out])
    }

    /// What follows the attention: norm, feed-forward part, sum. `n_rows` tokens are left.
    pub(super) fn feed_forward(&mut self, layer: &Layer, x: Id, n_rows: u128) -> Id {
        let bytes = u128::from(self.sizes.n_embd) * n_rows * FLOAT;
        let out = match layer.feed_forward {
            FeedForward::Dense { n_ff } => {
                let norm = self.norm_aside(x, bytes);
                self.dense(n_ff, norm, n_rows)
            }
            FeedForward::Experts { n_expert, n_used, n_ff, merged, shared } => {
                let experts = Experts { n_expert, n_used, n_ff, merged };
                match shared {
                    None => {
                        let norm = self.norm_aside(x, bytes);
                        let routes = self.route(&experts, norm, n_rows);
                        self.experts(&experts, norm, routes, n_rows)
                    }
                    Some(width) => self.experts_beside_dense(&experts, width, x, n_rows),
                }
            }
        };
        self.graph.in_place(bytes, &[out, x])
    }

    fn dense(&mut self, n_ff: u64, x: Id, n_rows: u128) -> Id {
        let wide = u128::from(n_ff) * n_rows * FLOAT;
        let gate = self.graph.fresh(wide, &[x]);
        let up = self.graph.fresh(wide, &[x]);
        let product = self.graph.fresh(wide, &[gate, up]);
        let bytes = u128::from(self.sizes.n_embd) * n_rows * FLOAT;
        let down = self.graph.fresh(bytes, &[product]);
        self.graph.in_place(bytes, &[down])
    }

    /// gemma4's mixture: experts with a router of its own, and a dense part beside them.
    fn experts_beside_dense(&mut self, experts: &Experts, width: u64, x: Id, n_rows: u128) -> Id {
        let bytes = u128::from(self.sizes.n_embd) * n_rows * FLOAT;
        let routed = self.norm_aside(x, bytes);
        let routes = self.route(experts, routed, n_rows);
        let norm = self.norm_aside(x, bytes);
        let mixed = self.experts(experts, norm, routes, n_rows);
        let norm = self.norm_aside(x, bytes);
        let dense = self.dense(width, norm, n_rows);
        let mixed = self.graph.in_place(bytes, &[mixed]);
        self.graph.in_place(bytes, &[dense, mixed])
    }

    /// Which experts each token goes to, and how much each counts.
    fn route(&mut self, experts: &Experts, x: Id, n_rows: u128) -> Routes {
        let graph = &mut *self.graph;
        let all = u128::from(experts.n_expert) * n_rows * FLOAT;
        let chosen = u128::from(experts.n_used) * n_rows * FLOAT;
        let logits = graph.fresh(all, &[x]);
        let probabilities = graph.in_place(all, &[logits]);
        let order = graph.fresh(all, &[probabilities]);
        let weights = graph.fresh(chosen, &[probabilities, order]);
        let sum = graph.fresh(n_rows * FLOAT, &[weights]);
        Routes { order, weights: graph.in_place(chosen, &[weights, sum]) }
    }

    /// The experts that each token is sent to, weighted and summed.
    fn experts(&mut self, experts: &Experts, x: Id, routes: Routes, n_rows: u128) -> Id {
        let Experts { n_used, n_ff, merged, .. } = *experts;
        let Routes { order, weights } = routes;
        let graph = &mut *self.graph;
        let chosen = u128::from(n_used) * n_rows * FLOAT;
        let wide = u128::from(n_ff) * chosen;
        let product = if merged {
            let both = graph.fresh(2 * wide, &[x, order]);
            graph.fresh(wide, &[both])
        } else {
            let gate = graph.fresh(wide, &[x, order]);
            let up = graph.fresh(wide, &[x, order]);
            graph.fresh(wide, &[gate, up])
        };
        let outs_bytes = u128::from(self.sizes.n_embd) * chosen;
        let outs = graph.fresh(outs_bytes, &[product, order]);
        let outs = graph.in_place(outs_bytes, &[outs, weights]);
        // The first sum takes two slices, each later one adds a slice to it in place.
        graph.fresh(u128::from(self.sizes.n_embd) * n_rows * FLOAT, &[outs])
    }
}

/// Result of a router.
#[derive(Clone, Copy)]
struct Routes {
    order: Id,
    weights: Id,
}

struct Experts {
    n_expert: u64,
    n_used: u64,
    n_ff: u64,
    merged: bool,
}
