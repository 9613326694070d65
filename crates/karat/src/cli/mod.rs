//! The command line: one file of arguments per verb. Parses and converts; does nothing else.

mod bench;
mod compare;
mod demo;
mod diff;
mod drawn;
mod fidelity;
mod fit;
mod gpu_layers;
mod inspect;
mod margins;
mod memory;
mod probe;
mod quantize;
mod report;
mod seconds;
mod threads;
mod tokens;
mod twin;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use bench::{BenchArgs, TaskArgs};
pub use compare::{CompareArgs, InstrumentArg};
pub use demo::DemoArgs;
pub use diff::DiffArgs;
pub use fidelity::FidelityArgs;
pub use fit::FitArgs;
pub use gpu_layers::GpuLayersArg;
pub use inspect::InspectArgs;
pub use memory::MemoryArgs;
pub use probe::{ProbeArgs, ProbeSettings};
pub use quantize::QuantizeArgs;
pub use report::{ReportArgs, ReportFormat};
use seconds::seconds;
use threads::threads;
pub use twin::TwinArgs;

use crate::exit;
use crate::ui::ColorChoice;

/// Measures quantized builds of a language model, with error bars, and makes builds.
#[derive(Debug, Parser)]
#[command(name = "karat", version, propagate_version = true, after_help = exit::HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,

    /// Folder for results and cache [default: KARAT_HOME, else the XDG data folder].
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub home: Option<PathBuf>,

    /// No progress and no remarks on standard error.
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub quiet: bool,

    /// When to colour.
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Global options")]
    pub color: ColorChoice,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Compare builds of one model with every instrument there is, in one table.
    Compare(Box<CompareArgs>),
    /// Ask models the same tasks and score the answers.
    Bench(BenchArgs),
    /// Measure how far builds have moved from a reference: PPL, KL divergence, same-top-p, delta-p.
    Fidelity(FidelityArgs),
    /// Say what is in a model file: shape, tensor types, tokenizer, origin, oddities.
    Inspect(InspectArgs),
    /// Say how two model files differ, and whether they can be compared.
    Diff(DiffArgs),
    /// Predict and measure what builds take: weights, KV cache, compute buffers.
    Memory(MemoryArgs),
    /// Say which builds fit a graphics card, with which KV type and context.
    Fit(FitArgs),
    /// Measure how fast models process prompts and generate, and what that rests on.
    Probe(ProbeArgs),
    /// Make a build: GGUF in, GGUF out, byte for byte what llama-quantize makes.
    Quantize(QuantizeArgs),
    /// Make a matched control: the original with exactly another build's tensor types.
    Twin(TwinArgs),
    /// Print a stored run again; never measures.
    Report(ReportArgs),
    /// List stored runs.
    Runs,
    /// Make five builds of the bundled lab model and judge them.
    Demo(DemoArgs),
    /// The engine's own process; started by karat itself.
    #[command(hide = true)]
    Worker,
    /// The process in which model-written code runs; started by karat itself.
    #[command(hide = true)]
    Sandbox,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// How help names values that are numbers.
    const NUMBERS: [&str; 9] =
        ["N", "N,...", "N|all", "P", "K", "NATS", "POINTS", "SECONDS", "BYTES"];

    /// What is said about `flag` with a negative number.
    fn said(verb: &str, flag: &str) -> String {
        let parsed = Cli::try_parse_from(["karat", verb, &format!("--{flag}"), "-5"]);
        parsed.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_negative_number_is_a_wrong_value_and_no_unknown_flag() {
        for verb in Cli::command().get_subcommands() {
            for argument in verb.get_arguments() {
                let names = argument.get_value_names().unwrap_or_default();
                let is_number = names.iter().any(|name| NUMBERS.contains(&name.as_str()));
                if let (true, Some(flag)) = (is_number, argument.get_long()) {
                    let said = said(verb.get_name(), flag);
                    assert!(!said.contains("unexpected"), "{} --{flag}: {said}", verb.get_name());
                }
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_negative_number_is_told() {
        for (verb, flag) in [
            ("fidelity", "ctx"),
            ("fidelity", "chunks"),
            ("fidelity", "memory-budget"),
            ("compare", "vram"),
            ("fit", "vram"),
            ("memory", "ctx"),
            ("bench", "repeats"),
            ("probe", "seed"),
            ("demo", "chunks"),
            ("twin", "worker-timeout"),
        ] {
            let (said, wanted) = (said(verb, flag), format!("invalid value '-5' for '--{flag} <"));
            assert!(said.contains(&wanted), "{verb} --{flag}: {said}");
        }
    }
}
