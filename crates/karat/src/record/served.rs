//! What a server said of a model that it has loaded. Owns its form in a run document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A model on a server, in the server's own words and figures. Missing is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServedRecord {
    /// The server with its version.
    pub engine: Option<String>,
    /// Tokens of the context.
    pub n_ctx: Option<u32>,
    /// The build's format, e.g. `Q4_K_M`.
    pub quantization: Option<String>,
    /// Bytes that the loaded model takes.
    pub resident_bytes: Option<u64>,
    /// Of them, bytes on a GPU.
    pub vram_bytes: Option<u64>,
}
