//! The KV cache that attention reads for one generated token, layer by layer. Pure.

use serde::{Deserialize, Serialize};

/// What one token leaves in the cache, by layers of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KvTraffic(pub Vec<KvLayers>);

/// Layers that cache alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KvLayers {
    /// Bytes of K and V of one position, all these layers together.
    pub bytes_per_position: u64,
    /// How many positions back they look; all where missing.
    pub window: Option<u64>,
}

impl KvTraffic {
    /// Bytes read per token, the mean over `n_tokens` generated one by one after `depth` others: each
    /// token reads every position up to its own, or as many of them as the layer's window holds.
    pub fn bytes_per_token(&self, depth: u64, n_tokens: u64) -> f64 {
        let of = |layers: &KvLayers| {
            let positions: u64 =
                (1..=n_tokens).map(|i| (depth + i).min(layers.window.unwrap_or(u64::MAX))).sum();
            layers.bytes_per_position as f64 * positions as f64
        };
        self.0.iter().map(of).sum::<f64>() / n_tokens.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_layer_reads_all_positions_and_a_sliding_one_its_window() {
        let full = KvLayers { bytes_per_position: 10, window: None };
        let sliding = KvLayers { bytes_per_position: 100, window: Some(4) };
        let traffic = KvTraffic(vec![full, sliding]);
        let check = |depth, n_tokens, want: f64| {
            let got = traffic.bytes_per_token(depth, n_tokens);
            assert!((got - want).abs() < 1e-9, "{got} {want}");
        };
        // Positions 1, 2, 3: a mean of 2 for both.
        check(0, 3, 220.0);
        // Positions 9 and 10: 9.5 against the window of 4.
        check(8, 2, 95.0 + 400.0);
        // The window is reached on the way: 3, 4, 4.
        check(2, 3, 40.0 + 1100.0 / 3.0);
    }
}
