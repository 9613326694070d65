//! `karat fit`.

use std::path::PathBuf;

use clap::Args;

use super::memory::distinct;
use super::tokens::tokens;
use crate::report::PageFormat;
use crate::settings::{FitSettings, Kv};
use crate::units::{parse_bytes_or_none, parse_card};

/// Arguments of `karat fit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  karat fit --vram 8GiB --ctx 32k m-Q8_0.gguf m-Q6_K.gguf m-Q4_K_M.gguf
  karat fit --vram 24GB --reserve 2GiB --kv f16 m-*.gguf

Reads headers only: no model is loaded, no GPU is needed. What a smaller KV type costs in quality is
not known here; `karat fidelity --kv f16,q8_0,q4_0` measures it.")]
pub struct FitArgs {
    /// Builds (GGUF; of a split file, the first part).
    #[arg(value_name = "MODEL", required = true)]
    pub models: Vec<PathBuf>,

    /// Memory of the graphics card, e.g. 8GiB, 12GB, 8g.
    #[arg(long, value_name = "BYTES", value_parser = parse_card, allow_negative_numbers = true, help_heading = "What has to fit")]
    pub vram: u64,

    /// Context in tokens, e.g. 8192 or 32k.
    #[arg(
        long,
        value_name = "N",
        default_value = "4k",
        value_parser = tokens,
        allow_negative_numbers = true,
        help_heading = "What has to fit"
    )]
    pub ctx: u32,

    /// KV cache types, the preferred one first, separated by commas.
    #[arg(
        long,
        value_name = "TYPE,...",
        default_value = "f16,q8_0,q4_0",
        value_delimiter = ',',
        help_heading = "What has to fit"
    )]
    pub kv: Vec<Kv>,

    /// Most tokens computed at once; the compute buffer grows with it.
    #[arg(
        long,
        value_name = "N",
        default_value = "512",
        value_parser = tokens,
        allow_negative_numbers = true,
        help_heading = "What has to fit"
    )]
    pub ubatch: u32,

    /// Memory of the card left to others: the driver's context and kernels, scratch space of fused
    /// kernels, a desktop.
    #[arg(
        long,
        value_name = "BYTES",
        default_value = "1GiB",
        value_parser = parse_bytes_or_none,
        allow_negative_numbers = true,
        help_heading = "What has to fit"
    )]
    pub reserve: u64,

    /// Form of the answer.
    #[arg(long, value_enum, default_value_t, help_heading = "How to report")]
    pub format: PageFormat,
}

impl FitArgs {
    /// The settings they mean.
    pub fn settings(&self) -> FitSettings {
        FitSettings {
            models: self.models.clone(),
            vram: self.vram,
            reserve: self.reserve,
            n_ctx: self.ctx,
            kv: distinct(&self.kv),
            n_ubatch: self.ubatch,
        }
    }
}
