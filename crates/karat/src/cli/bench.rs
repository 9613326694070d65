//! `karat bench`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};
use serde_json::Value;

use super::drawn::DrawnArgs;
use super::margins::TaskMarginArgs;
use super::tokens::tokens;
use super::{GpuLayersArg, ReportFormat, seconds, threads};
use crate::generation::Thinking;
use crate::settings::{
    BehaviourSettings, BehaviourSettingsError, ModelName, SamplingChoice, SuiteName, SuiteSpec,
};

/// Arguments of `karat bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  karat bench m-Q4_0.gguf
  karat bench m-qat-Q4_0.gguf m-Q4_K_M.gguf --suite full --html report.html
  karat bench ollama:gemma3:12b http://localhost:8080/v1#lab --suite quick
  karat bench m-Q4_0.gguf --thinking-budget 512,2048,8192

The quick suite is six tasks, one of each family, each asked three times; the full one has every family
in every language and, like your own tasks, asks a random tenth of them twice, to see how often a
build differs from itself. Answers are stored as they come: the same command again asks what is
missing or failed, and judges what other scorers judged. Python that a model writes runs in a sandbox
of karat's own.")]
pub struct BenchArgs {
    /// Models: GGUF files, ollama:NAME or ollama:NAME:TAG, or http://HOST:PORT/v1#MODEL (any
    /// OpenAI-compatible server).
    #[arg(value_name = "MODEL", required = true, value_parser = ModelName::parse)]
    pub models: Vec<ModelName>,

    /// Which tasks, and how they are asked.
    #[command(flatten)]
    pub tasks: TaskArgs,

    /// Layers on the GPU, a number or `all`; needs a GPU build. Servers have their own.
    #[arg(
        long,
        value_name = "N|all",
        default_value = "0",
        allow_negative_numbers = true,
        help_heading = "How to run"
    )]
    pub gpu_layers: GpuLayersArg,

    /// Engine threads [default: all processors].
    #[arg(short, long, value_name = "N", value_parser = threads(), allow_negative_numbers = true, help_heading = "How to run")]
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

    /// The longest that a server may take for one answer, in seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "1800",
        value_parser = seconds,
        allow_negative_numbers = true,
        help_heading = "How to run"
    )]
    pub answer_timeout: Duration,

    /// Ask servers everything, even where an earlier run with the same settings was stopped half-way.
    #[arg(long, help_heading = "How to run")]
    pub fresh: bool,

    /// Print the plan, and what the suite can tell; ask nothing.
    #[arg(long, help_heading = "How to run")]
    pub dry_run: bool,

    /// Seed of the tasks and of resampling.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true,
        help_heading = "How to run"
    )]
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

    /// Which losses matter.
    #[command(flatten)]
    pub margin: TaskMarginArgs,

    /// Write the report to this file as well, for a browser.
    #[arg(long, value_name = "FILE", help_heading = "How to report")]
    pub html: Option<PathBuf>,
}

/// Which tasks, and how they are asked.
#[derive(Clone, Debug, Args)]
pub struct TaskArgs {
    /// The bundled tasks.
    #[arg(long, value_enum, default_value_t, help_heading = "What to ask")]
    pub suite: SuiteArg,

    /// A folder of your own task files instead (docs/tasks.md).
    #[arg(long, value_name = "DIR", help_heading = "What to ask")]
    pub tasks: Option<PathBuf>,

    /// Only these families, e.g. `strict_json,exact_arithmetic`.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', help_heading = "What to ask")]
    pub family: Vec<String>,

    /// Tokens of the log in which a fact has to be found [default: as the task says, about 12k].
    #[arg(long, value_name = "N", value_parser = tokens, allow_negative_numbers = true, help_heading = "What to ask")]
    pub log_tokens: Option<u32>,

    /// Where in the log the fact stands, in percent: 0 begins it, 100 ends it.
    #[arg(long, value_name = "P", value_parser = value_parser!(u32).range(0..=100), allow_negative_numbers = true, help_heading = "What to ask")]
    pub depth: Option<u32>,

    /// Times that each task is asked [default: 3 for the quick suite, else 1].
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=100), allow_negative_numbers = true, help_heading = "How to ask")]
    pub repeats: Option<u32>,

    /// Tokens of the context: 4096, 4k, 32k [default: what the model was trained for, at most 32k].
    // Named apart from the context of other instruments.
    #[arg(long = "task-ctx", alias = "ctx-tasks", value_name = "N", value_parser = tokens, allow_negative_numbers = true, help_heading = "How to ask")]
    pub task_ctx: Option<u32>,

    /// Most tokens of an answer, thinking included [default: what each task says].
    #[arg(long, value_name = "N", value_parser = tokens, allow_negative_numbers = true, help_heading = "How to ask")]
    pub max_tokens: Option<u32>,

    /// Whether to think: default, off, on, or a level that the model knows.
    #[arg(long, value_name = "WORD", default_value = "default", value_parser = thinking, help_heading = "How to ask")]
    pub thinking: Thinking,

    /// Accuracy at these budgets of tokens; one answer at the largest gives all.
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = tokens, allow_negative_numbers = true, help_heading = "How to ask")]
    pub thinking_budget: Vec<u32>,

    /// How tokens are chosen.
    #[arg(long, value_enum, default_value_t, help_heading = "How to ask")]
    pub sampling: SamplingArg,

    /// Values to draw tokens with instead.
    #[command(flatten)]
    pub drawn: DrawnArgs,
}

/// A suite by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SuiteArg {
    /// Six families, one task of each, asked three times.
    #[default]
    Quick,
    /// Every family in every language, hundreds of tasks.
    Full,
}

/// How tokens are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SamplingArg {
    /// The likeliest one.
    #[default]
    Greedy,
    /// As those who made the model recommend, from its file or its server.
    Recommended,
}

fn thinking(word: &str) -> Result<Thinking, String> {
    Ok(match word {
        "default" => Thinking::Default,
        "off" => Thinking::Off,
        "on" => Thinking::On,
        level if !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Thinking::Level(level.to_owned())
        }
        _ => return Err("give default, off, on, or a level like low".to_owned()),
    })
}

impl TaskArgs {
    /// The suite they mean.
    pub fn suite(&self, seed: u64) -> SuiteSpec {
        let fixed = [("log_tokens", self.log_tokens), ("depth", self.depth)];
        let fixed: BTreeMap<String, Value> = fixed
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
            .collect();
        SuiteSpec {
            name: match self.suite {
                SuiteArg::Quick => SuiteName::Quick,
                SuiteArg::Full => SuiteName::Full,
            },
            folder: self.tasks.clone(),
            only: self.family.clone(),
            fixed,
            max_tokens: self.max_tokens,
            seed,
        }
    }

    /// How tokens are chosen.
    pub fn sampling(&self) -> SamplingChoice {
        if let Some(values) = self.drawn.values() {
            return SamplingChoice::Given(values);
        }
        match self.sampling {
            SamplingArg::Greedy => SamplingChoice::Greedy,
            SamplingArg::Recommended => SamplingChoice::Recommended,
        }
    }
}

impl BenchArgs {
    /// The settings they mean.
    pub fn settings(&self, n_threads: u32) -> Result<BehaviourSettings, BehaviourSettingsError> {
        BehaviourSettings {
            models: self.models.clone(),
            suite: self.tasks.suite(self.seed),
            repeats: self.tasks.repeats,
            n_ctx: self.tasks.task_ctx,
            thinking: self.tasks.thinking.clone(),
            budgets: self.tasks.thinking_budget.clone(),
            sampling: self.tasks.sampling(),
            n_threads: self.threads.unwrap_or(n_threads),
            gpu_layers: self.gpu_layers.0,
            worker_timeout: self.worker_timeout,
            answer_timeout: self.answer_timeout,
            fresh: self.fresh,
            level: self.level,
        }
        .checked()
    }
}
