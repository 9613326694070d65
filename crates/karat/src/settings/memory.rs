//! Settings of a memory run and of a question what fits.

use std::path::PathBuf;
use std::time::Duration;

use super::Kv;

/// What to predict and measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemorySettings {
    /// Files.
    pub models: Vec<PathBuf>,
    /// Contexts in tokens, each once.
    pub n_ctx: Vec<u32>,
    /// KV cache types, each once.
    pub kv: Vec<Kv>,
    /// Most tokens computed at once.
    pub n_ubatch: u32,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
    /// Measure nothing.
    pub predict_only: bool,
    /// Engine threads.
    pub n_threads: u32,
    /// A worker silent for this long hangs.
    pub worker_timeout: Duration,
}

/// What fits a graphics card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FitSettings {
    /// Files.
    pub models: Vec<PathBuf>,
    /// Memory of the card in bytes.
    pub vram: u64,
    /// Of that, bytes that the engine's buffers do not get.
    pub reserve: u64,
    /// Context asked for, in tokens.
    pub n_ctx: u32,
    /// KV cache types, the preferred one first.
    pub kv: Vec<Kv>,
    /// Most tokens computed at once.
    pub n_ubatch: u32,
}
