//! `karat diff`.

use std::path::PathBuf;

use clap::Args;

use crate::report::PageFormat;

/// Arguments of `karat diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  karat diff m-Q4_K_M.gguf m-Q4_0.gguf

Differences are the answer, not an error: the exit code is 0 whatever they are. Tensor data are not
compared.")]
pub struct DiffArgs {
    /// A GGUF file.
    #[arg(value_name = "A")]
    pub first: PathBuf,

    /// Another GGUF file; what is said goes from A to B.
    #[arg(value_name = "B")]
    pub second: PathBuf,

    /// Form of the report.
    #[arg(long, value_enum, default_value_t, help_heading = "How to report")]
    pub format: PageFormat,
}
