//! `karat compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::FidelityArgs;
use super::tokens::tokens;

/// An instrument, as `--instruments` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InstrumentArg {
    /// Distance from the original.
    Fidelity,
    /// Bytes of weights, KV cache and compute buffers.
    Memory,
    /// Prompt processing and token generation.
    Speed,
}

/// Arguments of `karat compare`: those of fidelity, and what the other instruments need.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  karat compare m-Q8_0.gguf m-Q4_K_M.gguf m-Q4_0.gguf --reference m-bf16.gguf --text wiki.txt
  karat compare m-*.gguf --reference m-bf16.gguf --text wiki.txt --html report.html
  karat compare m-*.gguf --reference m-bf16.gguf --text wiki.txt --instruments fidelity,memory

One run of all instruments: fidelity as `karat fidelity` measures it, memory at one context with every
KV type, speed as `karat probe` measures it (pp512 and tg128 in 8 blocks).")]
pub struct CompareArgs {
    /// What fidelity needs.
    #[command(flatten)]
    pub fidelity: FidelityArgs,

    /// What to measure.
    #[arg(
        long,
        value_name = "NAME,...",
        value_enum,
        value_delimiter = ',',
        default_value = "fidelity,memory,speed",
        help_heading = "What to compare"
    )]
    pub instruments: Vec<InstrumentArg>,

    /// Context of the memory table, in tokens: 4096, 4k, 32k.
    #[arg(
        long,
        value_name = "N",
        default_value = "4k",
        value_parser = tokens,
        help_heading = "What to compare"
    )]
    pub ctx_memory: u32,

    /// Write the report to this file as well, for a browser.
    #[arg(long, value_name = "FILE", help_heading = "How to report")]
    pub html: Option<PathBuf>,
}
