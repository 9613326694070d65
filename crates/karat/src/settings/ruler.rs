//! How texts are scored: what has to be equal for two results to be comparable.

use serde::{Deserialize, Serialize};

/// The ruler of a fidelity run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulerSpec {
    /// Tokens of a window.
    pub n_ctx: u32,
    /// Tokens computed at once.
    pub n_ubatch: u32,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
    /// Special tokens in the texts count as such.
    pub parse_special: bool,
}
