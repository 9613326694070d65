//! How texts are scored: what has to be equal for two results to be comparable.

use serde::{Deserialize, Serialize};

/// The ruler of a fidelity run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulerSpec {
    /// Tokens of a window.
    pub n_ctx: u32,
    /// Tokens computed at once.
    pub n_ubatch: u32,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
    /// Texts are conversations, a window each, of at most [`RulerSpec::n_ctx`] tokens; only what the
    /// assistant says is scored.
    #[serde(default)]
    pub chat: bool,
    /// Special tokens in the texts count as such.
    pub parse_special: bool,
}

impl RulerSpec {
    /// Most positions that are scored of the tokens computed at once.
    pub fn max_scored(&self) -> u32 {
        // Of a conversation nearly everything may count.
        let most = if self.chat { self.n_ctx } else { self.n_ctx / 2 };
        self.n_ubatch.min(most)
    }
}
