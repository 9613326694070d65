//! What a backend found when it got ready. Values only.

use serde::{Deserialize, Serialize};

use crate::record::{Finding, Severity};

/// A backend that is ready, as far as it can tell. Missing is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Engine or server with its version, in its own words.
    pub engine: Option<String>,
    /// Tokens of the context, as the engine or the server reports them.
    pub n_ctx: Option<u32>,
    /// The build's format in the server's own word, e.g. `Q4_K_M`.
    #[serde(default)]
    pub quantization: Option<String>,
    /// The chat template that it renders.
    pub template: Option<String>,
    /// Bytes that the loaded model takes, as the server reports them.
    pub resident_bytes: Option<u64>,
    /// Of them, bytes on a GPU.
    pub vram_bytes: Option<u64>,
    /// What the reader of the figures has to know.
    pub findings: Vec<Finding>,
}

impl Ready {
    /// Adds a finding.
    pub fn tell(&mut self, severity: Severity, message: impl Into<String>) {
        self.findings.push(Finding { severity, message: message.into() });
    }
}
