//! `karat compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::margins::TaskMarginArgs;
use super::tokens::tokens;
use super::{FidelityArgs, TaskArgs};
use crate::units::parse_card;

/// An instrument, as `--instruments` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InstrumentArg {
    /// Distance from the original.
    Fidelity,
    /// Bytes of weights, KV cache and compute buffers.
    Memory,
    /// Prompt processing and token generation.
    Speed,
    /// What builds do with tasks.
    Behaviour,
}

/// Arguments of `karat compare`: those of fidelity, and what the other instruments need.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  karat compare m-Q8_0.gguf m-Q4_K_M.gguf m-Q4_0.gguf --reference m-bf16.gguf --text wiki.txt
  karat compare m-*.gguf --reference m-bf16.gguf --text wiki.txt --html report.html
  karat compare m-*.gguf --reference m-bf16.gguf --text wiki.txt --instruments fidelity,memory
  karat compare m-qat-Q4_0.gguf m-Q4_K_M.gguf --reference m-bf16.gguf --text wiki.txt \\
      --qat m-qat-Q4_0.gguf --make-twin --vram 8GiB --ctx-memory 32k

One run of all instruments: fidelity as `karat fidelity` measures it, memory at one context with every
KV type, speed as `karat probe` measures it (pp512 and tg128 in 8 blocks), tasks as `karat bench` asks
them (the original is asked too, to see what was given up). It ends with three answers: recipe (the QAT
file against its twin), budget (small builds against bigger ones), ceiling (against the original).")]
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
        default_value = "fidelity,memory,speed,behaviour",
        help_heading = "What to compare"
    )]
    pub instruments: Vec<InstrumentArg>,

    /// Context of the memory table, in tokens: 4096, 4k, 32k.
    #[arg(
        long,
        value_name = "N",
        default_value = "4k",
        value_parser = tokens,
        allow_negative_numbers = true,
        help_heading = "What to compare"
    )]
    pub ctx_memory: u32,

    /// Memory that a build has to fit, e.g. 8GiB, with the context of the memory table: asked in the
    /// answer on budget.
    #[arg(long, value_name = "BYTES", value_parser = parse_card, allow_negative_numbers = true, help_heading = "What to compare")]
    pub vram: Option<u64>,

    /// Make the matched control of the --qat file from the original, and compare it as --twin.
    #[arg(long, requires = "qat", conflicts_with = "twin", help_heading = "What to compare")]
    pub make_twin: bool,

    /// Which tasks, and how they are asked.
    #[command(flatten)]
    pub tasks: TaskArgs,

    /// Which losses of tasks matter.
    #[command(flatten)]
    pub task_margin: TaskMarginArgs,

    /// Write the report to this file as well, for a browser.
    #[arg(long, value_name = "FILE", help_heading = "How to report")]
    pub html: Option<PathBuf>,
}
