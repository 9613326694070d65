//! `karat probe`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{GpuLayersArg, ReportFormat, seconds, threads};
use crate::settings::{DEFAULT_REPS, FEWEST_BLOCKS, Kv, SpeedSettings, SpeedSettingsError};

/// Arguments of `karat probe`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  karat probe m-qat-Q4_0.gguf m-Q4_K_M.gguf m-Q8_0.gguf
  karat probe m-qat-Q4_0.gguf m-twin.gguf m-Q4_K_M.gguf --qat m-qat-Q4_0.gguf --twin m-twin.gguf
  karat probe m-Q4_0.gguf --pp 512,2048 --tg 128 --depth 0,4096

Every measurement is a process of its own. A block runs every model once, in random order, and the
first one once more, which shows what this machine tells apart that is the same; the next block has
the order reversed. Finished measurements are stored: a run that was stopped goes on with the same
command, and a complete one is measured anew.")]
pub struct ProbeArgs {
    /// Models to time (GGUF; of a split file, the first part).
    #[arg(value_name = "MODEL", required = true)]
    pub models: Vec<PathBuf>,

    /// Model that was made from a QAT checkpoint: asks what of its speed is format, build, recipe.
    #[arg(long, value_name = "MODEL", help_heading = "What to compare")]
    pub qat: Option<PathBuf>,

    /// Its matched control: the original in exactly its tensor types (`karat twin` makes one).
    #[arg(long, value_name = "MODEL", help_heading = "What to compare")]
    pub twin: Option<PathBuf>,

    /// Prompt processing: tokens of a prompt, several with commas; 0 for none.
    #[arg(
        long,
        value_name = "N,...",
        default_value = "512",
        value_delimiter = ',',
        help_heading = "What to time"
    )]
    pub pp: Vec<u32>,

    /// Token generation: tokens generated one by one, several with commas; 0 for none.
    #[arg(
        long,
        value_name = "N,...",
        default_value = "128",
        value_delimiter = ',',
        help_heading = "What to time"
    )]
    pub tg: Vec<u32>,

    /// Tokens in the KV cache before the clock starts, several with commas.
    #[arg(
        long,
        value_name = "N,...",
        default_value = "0",
        value_delimiter = ',',
        help_heading = "What to time"
    )]
    pub depth: Vec<u32>,

    /// Text whose tokens are submitted, over and over, instead of random ones; matters where a model
    /// computes by content, as mixtures of experts do.
    #[arg(long, value_name = "FILE", help_heading = "What to time")]
    pub prompt: Option<PathBuf>,

    /// Type of the KV cache: f32, f16, bf16, q8_0, q5_0, q4_0.
    #[arg(long, value_name = "TYPE", default_value = "f16", help_heading = "What to time")]
    pub kv: Kv,

    /// Blocks, an even number of at least 8.
    #[arg(long, value_name = "N", default_value_t = FEWEST_BLOCKS, help_heading = "How to run")]
    pub blocks: u32,

    /// Timed passes of each test in one process.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_REPS, help_heading = "How to run")]
    pub reps: u32,

    /// Layers on the GPU, a number or `all`; needs a GPU build.
    #[arg(long, value_name = "N|all", default_value = "0", help_heading = "How to run")]
    pub gpu_layers: GpuLayersArg,

    /// Engine threads [default: processor cores, not counting hyper-threads].
    #[arg(short, long, value_name = "N", value_parser = threads(), help_heading = "How to run")]
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

    /// Begin anew, even where an earlier run with the same settings was stopped half-way.
    #[arg(long, help_heading = "How to run")]
    pub fresh: bool,

    /// Print the plan with its expected time; measure nothing.
    #[arg(long, help_heading = "How to run")]
    pub dry_run: bool,

    /// Seed of the orders and of the tokens.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "How to run")]
    pub seed: u64,

    /// Confidence level of the intervals, and of all claims together.
    #[arg(
        long,
        value_name = "P",
        default_value_t = 0.95,
        allow_negative_numbers = true,
        help_heading = "How to report"
    )]
    pub level: f64,

    /// Form of the report.
    #[arg(long, value_enum, default_value_t, help_heading = "How to report")]
    pub format: ReportFormat,
}

impl ProbeArgs {
    /// The settings they mean.
    pub fn settings(&self, n_threads: u32) -> Result<SpeedSettings, SpeedSettingsError> {
        SpeedSettings {
            models: self.models.clone(),
            pp: self.pp.clone(),
            tg: self.tg.clone(),
            depths: self.depth.clone(),
            prompt: self.prompt.clone(),
            reps: self.reps,
            blocks: self.blocks,
            kv: self.kv,
            gpu_layers: self.gpu_layers.0,
            n_threads: self.threads.unwrap_or(n_threads),
            worker_timeout: self.worker_timeout,
            qat: self.qat.clone(),
            twin: self.twin.clone(),
            fresh: self.fresh,
            seed: self.seed,
            level: self.level,
        }
        .checked()
    }
}
