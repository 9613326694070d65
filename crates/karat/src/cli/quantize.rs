//! `karat quantize`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{seconds, threads};
use crate::worker::QuantizeJob;

/// Arguments of `karat quantize`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  karat quantize m-bf16.gguf m-Q4_K_M.gguf --type Q4_K_M
  karat quantize m-bf16.gguf m-Q4_0.gguf --type Q4_0 --imatrix imatrix.gguf
  karat quantize m-bf16.gguf m-mix.gguf --type Q4_0 --tensor-type 'attn_v=q8_0'

The file appears under its name only when it is whole.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct QuantizeArgs {
    /// The original: F32, F16 or BF16.
    #[arg(value_name = "IN")]
    pub input: PathBuf,

    /// The file to make.
    #[arg(value_name = "OUT")]
    pub output: PathBuf,

    /// File type as llama-quantize names it, e.g. Q4_0, Q4_K_M, IQ4_XS, COPY.
    #[arg(long = "type", value_name = "TYPE", help_heading = "What to make")]
    pub file_type: String,

    /// Importance matrix, GGUF or legacy format.
    #[arg(long, value_name = "FILE", help_heading = "What to make")]
    pub imatrix: Option<PathBuf>,

    /// One type for all tensors, no mixture.
    #[arg(long, help_heading = "What to make")]
    pub pure: bool,

    /// Type of the tensors whose name REGEX finds; the first match wins.
    #[arg(long, value_name = "REGEX=TYPE", help_heading = "What to make")]
    pub tensor_type: Vec<String>,

    /// Type of the token embedding.
    #[arg(long, value_name = "TYPE", help_heading = "What to make")]
    pub token_embedding_type: Option<String>,

    /// Type of the output matrix.
    #[arg(long, value_name = "TYPE", help_heading = "What to make")]
    pub output_type: Option<String>,

    /// Leave the output matrix as it is.
    #[arg(long, help_heading = "What to make")]
    pub leave_output: bool,

    /// Accept an input that is already quantized (adds its loss to the new one).
    #[arg(long, help_heading = "What to make")]
    pub allow_requantize: bool,

    /// Seconds without a sign of life after which a worker counts as hung; one tensor of a huge model
    /// takes minutes.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "1800",
        value_parser = seconds,
        allow_negative_numbers = true,
        help_heading = "How to run"
    )]
    pub worker_timeout: Duration,

    /// Replace OUT if it exists.
    #[arg(long, help_heading = "How to run")]
    pub overwrite: bool,

    /// Engine threads [default: all processors]; does not change the result.
    #[arg(short, long, value_name = "N", value_parser = threads(), allow_negative_numbers = true, help_heading = "How to run")]
    pub threads: Option<u32>,
}

impl QuantizeArgs {
    /// The job they mean.
    pub fn job(&self, n_threads: u32) -> QuantizeJob {
        QuantizeJob {
            input: self.input.clone(),
            output: self.output.clone(),
            file_type: self.file_type.clone(),
            imatrix: self.imatrix.clone(),
            pure: self.pure,
            tensor_types: self.tensor_type.clone(),
            token_embedding_type: self.token_embedding_type.clone(),
            output_type: self.output_type.clone(),
            leave_output: self.leave_output,
            allow_requantize: self.allow_requantize,
            overwrite: self.overwrite,
            n_threads: self.threads.unwrap_or(n_threads),
        }
    }
}
