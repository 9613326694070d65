//! `karat inspect`.

use std::path::PathBuf;

use clap::Args;

use crate::report::PageFormat;

/// Arguments of `karat inspect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  karat inspect m-Q4_K_M.gguf
  karat inspect m-Q4_0.gguf --check-data --format json

Nothing is loaded: header and table of tensors say it all. The hash reads the file once and is
remembered; --check-data reads it whole.")]
pub struct InspectArgs {
    /// GGUF files; of a split one its first part.
    #[arg(value_name = "MODEL", required = true)]
    pub models: Vec<PathBuf>,

    /// Look for NaN and infinite weights and scales in all tensor data.
    #[arg(long, help_heading = "What to look at")]
    pub check_data: bool,

    /// Form of the report.
    #[arg(long, value_enum, default_value_t, help_heading = "How to report")]
    pub format: PageFormat,
}
