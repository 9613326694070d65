//! Losses that do not matter to whoever asks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From where on a loss matters: declared before the data are seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Margins {
    /// Of the pass rate, a share: 0.05 is five points.
    pub pass_rate: f64,
    /// Of ln perplexity: 0.01 is about one per cent.
    pub ln_ppl: f64,
    /// Of the mean KLD to the original, in nats.
    pub kld: f64,
}

impl Default for Margins {
    /// Five points, one per cent, a hundredth of a nat.
    fn default() -> Self {
        Self { pass_rate: 0.05, ln_ppl: 0.01, kld: 0.01 }
    }
}
