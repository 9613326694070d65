//! Safe wrapper of llama.cpp through its C API: models, contexts, logits, generation, quantization.
//! Owns every engine call of the project; knows nothing of metrics, runs or reports.
//!
//! An engine that aborts takes its process with it, so callers that must survive run it in a child.

mod breakdown;
mod context;
mod devices;
mod error;
mod generate;
mod identity;
mod log;
mod metadata;
mod model;
mod quantize;
mod rows;
mod snapshot;
mod threads;
mod vocab;

pub use breakdown::BufferBytes;
pub use context::{Context, ContextParams, FlashAttention, KvType, LogitRows};
pub use devices::{Device, DeviceKind, devices};
pub use error::EngineError;
pub use generate::{Finish, Generated, Sampling, generate};
pub use identity::{EngineIdentity, identity};
pub use log::{LogLevel, capture_logs, recent_logs};
pub use metadata::MetadataOverride;
pub use model::{GpuLayers, Model, ModelParams};
pub use quantize::{FileType, ImatrixEntry, QuantizeParams, quantize};
pub use rows::{row_to_f32, type_block_len, type_name, type_size};
pub use snapshot::Snapshot;
pub use threads::Threads;
pub use vocab::{Special, Token, Vocab};

use std::sync::Once;

/// Initialises the engine once per process and routes its log to [`recent_logs`].
pub(crate) fn init() {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        log::install();
        // SAFETY: called once, before any other engine call of this process.
        unsafe { llama_cpp_sys_2::llama_backend_init() };
    });
}
