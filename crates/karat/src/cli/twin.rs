//! `karat twin`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{seconds, threads};
use crate::worker::TwinJob;

/// Arguments of `karat twin`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  karat twin --like m-qat-Q4_0.gguf m-bf16.gguf m-twin.gguf

The twin has the original's weights in exactly the other build's types, so that between the two only
the recipe differs. Tensors that could not be matched are named.")]
pub struct TwinArgs {
    /// The original: F32, F16 or BF16.
    #[arg(value_name = "ORIGINAL")]
    pub original: PathBuf,

    /// The file to make.
    #[arg(value_name = "OUT")]
    pub output: PathBuf,

    /// The build whose tensor types are taken.
    #[arg(long, value_name = "GGUF", help_heading = "What to make")]
    pub like: PathBuf,

    /// Importance matrix; without one the twin is the plainest control.
    #[arg(long, value_name = "FILE", help_heading = "What to make")]
    pub imatrix: Option<PathBuf>,

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

impl TwinArgs {
    /// The job they mean.
    pub fn job(&self, n_threads: u32) -> TwinJob {
        TwinJob {
            like: self.like.clone(),
            original: self.original.clone(),
            output: self.output.clone(),
            imatrix: self.imatrix.clone(),
            overwrite: self.overwrite,
            n_threads: self.threads.unwrap_or(n_threads),
        }
    }
}
