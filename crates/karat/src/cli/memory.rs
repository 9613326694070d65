//! `karat memory`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::tokens::tokens;
use super::{GpuLayersArg, ReportFormat, seconds, threads};
use crate::settings::{Kv, MemorySettings};

/// Arguments of `karat memory`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  karat memory m-Q4_K_M.gguf --ctx 4k,32k --kv f16,q8_0
  karat memory m-*.gguf --predict-only
  karat memory m-Q4_0.gguf --gpu-layers all --ctx 8k

Predicted from the header alone, then measured in a process of its own: the engine's buffers to the
byte, and the most memory that the process held. A worker that dies, for want of memory for instance,
is recorded as failed; the others go on (exit code 3).")]
pub struct MemoryArgs {
    /// Builds (GGUF; of a split file, the first part).
    #[arg(value_name = "MODEL", required = true)]
    pub models: Vec<PathBuf>,

    /// Contexts in tokens, separated by commas: 4096, 4k, 32k.
    #[arg(
        long,
        value_name = "N,...",
        default_value = "4k",
        value_delimiter = ',',
        value_parser = tokens,
        allow_negative_numbers = true,
        help_heading = "What to look at"
    )]
    pub ctx: Vec<u32>,

    /// KV cache types, separated by commas: f32, f16, bf16, q8_0, q5_0, q4_0.
    #[arg(
        long,
        value_name = "TYPE,...",
        default_value = "f16",
        value_delimiter = ',',
        help_heading = "What to look at"
    )]
    pub kv: Vec<Kv>,

    /// Most tokens computed at once; the compute buffer grows with it.
    #[arg(
        long,
        value_name = "N",
        default_value = "512",
        value_parser = tokens,
        allow_negative_numbers = true,
        help_heading = "What to look at"
    )]
    pub ubatch: u32,

    /// Layers on the GPU, a number or `all`; needs a GPU build to measure.
    #[arg(
        long,
        value_name = "N|all",
        default_value = "0",
        allow_negative_numbers = true,
        help_heading = "How to run"
    )]
    pub gpu_layers: GpuLayersArg,

    /// Read headers only; load no model.
    #[arg(long, help_heading = "How to run")]
    pub predict_only: bool,

    /// Print the plan; load no model.
    #[arg(long, help_heading = "How to run")]
    pub dry_run: bool,

    /// Engine threads [default: all processors].
    #[arg(short, long, value_name = "N", value_parser = threads(), allow_negative_numbers = true, help_heading = "How to run")]
    pub threads: Option<u32>,

    /// Seconds without a sign of life after which a worker counts as hung.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "120",
        value_parser = seconds,
        allow_negative_numbers = true,
        help_heading = "How to run"
    )]
    pub worker_timeout: Duration,

    /// Form of the report.
    #[arg(long, value_enum, default_value_t, help_heading = "How to report")]
    pub format: ReportFormat,
}

impl MemoryArgs {
    /// The settings they mean.
    pub fn settings(&self, n_threads: u32) -> MemorySettings {
        MemorySettings {
            models: self.models.clone(),
            n_ctx: distinct(&self.ctx),
            kv: distinct(&self.kv),
            n_ubatch: self.ubatch,
            gpu_layers: self.gpu_layers.0,
            predict_only: self.predict_only,
            n_threads: self.threads.unwrap_or(n_threads),
            worker_timeout: self.worker_timeout,
        }
    }
}

/// Each value once, in the order given.
pub(super) fn distinct<T: PartialEq + Copy>(values: &[T]) -> Vec<T> {
    let mut seen = Vec::new();
    for &value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}
