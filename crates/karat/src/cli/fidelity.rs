//! `karat fidelity`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};

use super::margins::TextMarginArgs;
use super::tokens::tokens;
use super::{GpuLayersArg, ReportFormat, threads};
use crate::record::MOST_WORST_TOKENS;
use crate::settings::{FidelitySettings, Kv, RulerSpec, SettingsError};
use crate::units::parse_bytes;

/// Most tokens computed at once. Results depend on it, so it is the same for everyone: the engine's
/// own default.
const N_UBATCH: u32 = 512;

/// Arguments of `karat fidelity`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  karat fidelity --reference m-bf16.gguf --text wiki.txt m-Q8_0.gguf m-Q4_K_M.gguf m-Q4_0.gguf
  karat fidelity --reference m-bf16.gguf --reference m-qat-unquantized.gguf \\
      --qat m-qat-Q4_0.gguf --twin m-Q4_0.gguf --text wiki.txt m-qat-Q4_0.gguf m-Q4_0.gguf

Windows are stored as they finish: the same command again goes on where it was stopped.
A candidate whose worker dies is recorded as failed; the others go on (exit code 3).")]
pub struct FidelityArgs {
    /// Builds to compare (GGUF; of a split file, the first part).
    #[arg(value_name = "CANDIDATE")]
    pub candidates: Vec<PathBuf>,

    /// The original, best in full precision. A second one is the QAT checkpoint before rounding.
    #[arg(long, value_name = "GGUF", required = true, help_heading = "What to compare")]
    pub reference: Vec<PathBuf>,

    /// Text to score, UTF-8; for several texts give it several times.
    // One value each: with more, a candidate behind it would be taken for a text.
    #[arg(long, value_name = "FILE", help_heading = "What to compare")]
    pub text: Vec<PathBuf>,

    /// Conversations to score instead of texts: JSON lines with `messages`, rendered with the
    /// original's chat template; only what the assistant says is scored. Repeatable.
    #[arg(long, value_name = "JSONL", conflicts_with_all = ["text", "positions"], help_heading = "What to compare")]
    pub chat: Vec<PathBuf>,
    /// Language of a text (its path as given, or its short name), e.g. `wiki=en` or `main=code`: texts
    /// of one language are also reported together.
    #[arg(
        long,
        value_name = "TEXT=LANGUAGE",
        value_parser = language,
        help_heading = "What to compare"
    )]
    pub language: Vec<(String, String)>,

    /// Candidate that was made from the QAT checkpoint (names it in the five distances).
    #[arg(long, value_name = "CANDIDATE", help_heading = "What to compare")]
    pub qat: Option<PathBuf>,

    /// Candidate that is the original, plainly rounded to the QAT file's tensor types.
    #[arg(long, value_name = "CANDIDATE", help_heading = "What to compare")]
    pub twin: Option<PathBuf>,

    /// Candidate that is your own plain rounding of the QAT checkpoint.
    #[arg(long, value_name = "CANDIDATE", help_heading = "What to compare")]
    pub naive: Option<PathBuf>,

    /// How to measure and report.
    #[command(flatten)]
    pub how: HowArgs,

    /// Which losses matter.
    #[command(flatten)]
    pub margins: TextMarginArgs,
}

/// How to measure: shared by every command that scores texts.
#[derive(Debug, Args)]
pub struct HowArgs {
    /// Tokens of a window: 512, 4k, 32k.
    #[arg(
        long,
        value_name = "N",
        default_value = "512",
        value_parser = tokens,
        allow_negative_numbers = true,
        help_heading = "How to score"
    )]
    pub ctx: u32,

    /// Most windows per text [default: all].
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "How to score")]
    pub chunks: Option<u32>,

    /// Special tokens written in the texts count as such.
    #[arg(long, help_heading = "How to score")]
    pub parse_special: bool,

    /// Which tokens of a window to score: those after its middle, or `all`: those before it as well,
    /// in rows of their own. The figures stay the same; it takes half as long again.
    #[arg(long, value_enum, default_value_t, help_heading = "How to score")]
    pub positions: PositionsArg,

    /// KV cache types of the candidates, separated by commas: f32, f16, bf16, q8_0, q5_0, q4_0. The
    /// references always have f16.
    #[arg(
        long,
        value_name = "TYPE,...",
        default_value = "f16",
        value_delimiter = ',',
        help_heading = "How to score"
    )]
    pub kv: Vec<Kv>,

    /// When to stop: after `all` windows, or as soon as every question is `decided`: all pairwise
    /// orders of the candidates by KLD mean, or --margin.
    #[arg(long, value_enum, default_value_t, help_heading = "How to score")]
    pub until: UntilArg,

    /// Ask whether each candidate's KLD mean is below this many nats, instead of their order.
    #[arg(long, value_name = "NATS", allow_negative_numbers = true, help_heading = "How to score")]
    pub margin: Option<f64>,

    /// Do not run the original again on a few windows to show the noise floor.
    #[arg(long, help_heading = "How to run")]
    pub no_noise_floor: bool,

    /// Most memory of the host a worker may take as expected, e.g. `12GB` or `8GiB`, a GPU's not
    /// counted; candidates that do not fit together take turns, with the same results. Refused where
    /// not even one fits beside the original.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, allow_negative_numbers = true, help_heading = "How to run")]
    pub memory_budget: Option<u64>,

    /// Layers on the GPU, a number or `all`; needs a GPU build.
    #[arg(
        long,
        value_name = "N|all",
        default_value = "0",
        allow_negative_numbers = true,
        help_heading = "How to run"
    )]
    pub gpu_layers: GpuLayersArg,

    /// Engine threads [default: all processors]; does not change results.
    #[arg(short, long, value_name = "N", value_parser = threads(), allow_negative_numbers = true, help_heading = "How to run")]
    pub threads: Option<u32>,

    /// Seconds without a sign of life after which a worker counts as hung.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 120.0,
        allow_negative_numbers = true,
        help_heading = "How to run"
    )]
    pub worker_timeout: f64,

    /// Print the plan with expected time and memory; measure nothing.
    #[arg(long, help_heading = "How to run")]
    pub dry_run: bool,

    /// Seed of the bootstrap, and with --until decided of the order in which windows are read.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true,
        help_heading = "How to report"
    )]
    pub seed: u64,

    /// Confidence level of the intervals.
    #[arg(
        long,
        value_name = "P",
        default_value_t = 0.95,
        allow_negative_numbers = true,
        help_heading = "How to report"
    )]
    pub level: f64,

    /// Tokens of largest KLD to report per candidate and text, with what stands before them and what
    /// both models expected.
    #[arg(
        long,
        value_name = "K",
        default_value_t = 10,
        value_parser = value_parser!(u32).range(..=MOST_WORST_TOKENS as i64),
        allow_negative_numbers = true,
        help_heading = "How to report"
    )]
    pub worst: u32,

    /// Form of the report.
    #[arg(long, value_enum, default_value_t, help_heading = "How to report")]
    pub format: ReportFormat,
}

/// Which tokens of a window are scored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PositionsArg {
    /// Those after the middle, as llama-perplexity does.
    #[default]
    SecondHalf,
    /// Those before it as well, apart.
    All,
}

/// When to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum UntilArg {
    /// When all windows are scored.
    #[default]
    All,
    /// When every question is answered at the level asked.
    Decided,
}

impl FidelityArgs {
    /// The settings they mean.
    pub fn settings(&self, n_threads: u32) -> Result<FidelitySettings, SettingsError> {
        let how = &self.how;
        let is_chat = !self.chat.is_empty();
        FidelitySettings {
            references: self.reference.clone(),
            candidates: self.candidates.clone(),
            texts: if is_chat { self.chat.clone() } else { self.text.clone() },
            languages: self.language.clone(),
            ruler: RulerSpec {
                n_ctx: how.ctx,
                n_ubatch: N_UBATCH.min(how.ctx),
                gpu_layers: how.gpu_layers.0,
                parse_special: how.parse_special,
                chat: is_chat,
            },
            kv: distinct(&how.kv),
            noise_floor: !how.no_noise_floor,
            worst: how.worst,
            first_half: how.positions == PositionsArg::All,
            until_decided: how.until == UntilArg::Decided,
            margin: how.margin,
            memory_budget: how.memory_budget,
            chunks: how.chunks,
            qat: self.qat.clone(),
            twin: self.twin.clone(),
            naive: self.naive.clone(),
            n_threads: how.threads.unwrap_or(n_threads),
            worker_timeout: Duration::try_from_secs_f64(how.worker_timeout)
                .map_err(|_| SettingsError::WorkerTimeout(how.worker_timeout.to_string()))?,
            seed: how.seed,
            level: how.level,
        }
        .checked()
    }
}

/// `TEXT=LANGUAGE`. A path may hold the sign, a language not.
fn language(given: &str) -> Result<(String, String), String> {
    let parts = given.rsplit_once('=').filter(|(text, _)| !text.is_empty());
    let Some((text, tag)) = parts else {
        return Err("write TEXT=LANGUAGE, e.g. wiki=en".to_owned());
    };
    let is_tag = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if tag.is_empty() || tag.len() > 35 || !tag.chars().all(is_tag) {
        return Err(format!(
            "`{tag}` is no name of a language; write letters, digits and hyphens, e.g. en or pt-BR"
        ));
    }
    Ok((text.to_owned(), tag.to_ascii_lowercase()))
}

/// Each type once, in the order given.
fn distinct(kv: &[Kv]) -> Vec<Kv> {
    let mut seen = Vec::new();
    for &kv in kv {
        if !seen.contains(&kv) {
            seen.push(kv);
        }
    }
    seen
}
