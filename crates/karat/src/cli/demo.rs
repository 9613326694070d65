//! `karat demo`.

use std::path::PathBuf;

use clap::Args;
use clap::value_parser;

use super::threads;

/// Arguments of `karat demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Needs no network and no GPU, and takes a few minutes on two processor cores.")]
pub struct DemoArgs {
    /// Folder of the bundled lab [default: `lab`, here or beside the program].
    #[arg(long, value_name = "DIR", help_heading = "What to compare")]
    pub lab: Option<PathBuf>,

    /// Folder for the builds it makes [default: `demo` in karat's home].
    #[arg(long, value_name = "DIR", help_heading = "What to compare")]
    pub builds: Option<PathBuf>,

    /// Most windows per text.
    // Checked here, before builds are made.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 40,
        value_parser = value_parser!(u32).range(1..),
        allow_negative_numbers = true,
        help_heading = "How to score"
    )]
    pub chunks: u32,

    /// File for the report with plots.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "karat-report.html",
        help_heading = "How to report"
    )]
    pub html: PathBuf,

    /// Engine threads [default: all processors].
    #[arg(short, long, value_name = "N", value_parser = threads(), allow_negative_numbers = true, help_heading = "How to run")]
    pub threads: Option<u32>,
}
