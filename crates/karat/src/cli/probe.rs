//! `karat probe`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::tokens::tokens;
use super::{GpuLayersArg, ReportFormat, seconds, threads};
use crate::settings::{
    ControlSettings, DEFAULT_CONTROL_CTX, DEFAULT_CONTROL_TOKENS, DEFAULT_REPS, FEWEST_BLOCKS, Kv,
    ModelName, SpeedSettings, SpeedSettingsError,
};

/// Silence of a worker, and the longest answer of a server, unless told.
const WORKER_TIMEOUT: Duration = Duration::from_mins(2);
const ANSWER_TIMEOUT: Duration = Duration::from_mins(30);

/// Arguments of `karat probe`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  karat probe m-qat-Q4_0.gguf m-Q4_K_M.gguf m-Q8_0.gguf
  karat probe m-qat-Q4_0.gguf m-twin.gguf m-Q4_K_M.gguf --qat m-qat-Q4_0.gguf --twin m-twin.gguf
  karat probe m-Q4_0.gguf --pp 512,2048 --tg 128 --depth 0,4096
  karat probe ollama:gemma3:12b ollama:gemma3:12b-it-qat --qat ollama:gemma3:12b-it-qat
  karat probe http://localhost:8080/v1#a http://localhost:8081/v1#b --prompt count.txt

Every measurement is a process of its own. A block runs every model once, in random order, and the
first one once more, which shows what this machine tells apart that is the same; the next block has
the order reversed. Finished measurements are stored: a run that was stopped goes on with the same
command, and a complete one is measured anew.

Models on servers get one control prompt that every build should complete alike, greedily and
without thinking. Ollama loads the model afresh for every block. Builds whose visible texts differ,
or their counts of visible tokens, are not compared; each one's own rates stand.")]
pub struct ProbeArgs {
    /// Models to time: GGUF files (of a split file, the first part), or models on servers:
    /// ollama:NAME or ollama:NAME:TAG, or http://HOST:PORT/v1#MODEL (any OpenAI-compatible server).
    #[arg(value_name = "MODEL", required = true, value_parser = ModelName::parse)]
    pub models: Vec<ModelName>,

    /// Model that was made from a QAT checkpoint: asks what of its speed is format, build, recipe.
    #[arg(long, value_name = "MODEL", value_parser = ModelName::parse, help_heading = "What to compare")]
    pub qat: Option<ModelName>,

    /// Its matched control: the original in exactly its tensor types (`karat twin` makes one).
    #[arg(long, value_name = "MODEL", value_parser = ModelName::parse, help_heading = "What to compare")]
    pub twin: Option<ModelName>,

    /// Files: text whose tokens are submitted, over and over, instead of random ones; matters where a
    /// model computes by content, as mixtures of experts do. Servers: text that is asked instead of
    /// counting from 1 to 120.
    #[arg(long, value_name = "FILE", help_heading = "What to time")]
    pub prompt: Option<PathBuf>,

    /// Prompt processing: tokens of a prompt, several with commas; 0 for none [default: 512].
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        allow_negative_numbers = true,
        help_heading = "Files only"
    )]
    pub pp: Option<Vec<u32>>,

    /// Token generation: tokens generated one by one, several with commas; 0 for none [default: 128].
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        allow_negative_numbers = true,
        help_heading = "Files only"
    )]
    pub tg: Option<Vec<u32>>,

    /// Tokens in the KV cache before the clock starts, several with commas [default: 0].
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        allow_negative_numbers = true,
        help_heading = "Files only"
    )]
    pub depth: Option<Vec<u32>>,

    /// Type of the KV cache: f32, f16, bf16, q8_0, q5_0, q4_0 [default: f16].
    #[arg(long, value_name = "TYPE", help_heading = "Files only")]
    pub kv: Option<Kv>,

    /// Timed passes of each test in one process [default: 3].
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Files only")]
    pub reps: Option<u32>,

    /// Layers on the GPU, a number or `all`; needs a GPU build [default: 0].
    #[arg(long, value_name = "N|all", allow_negative_numbers = true, help_heading = "Files only")]
    pub gpu_layers: Option<GpuLayersArg>,

    /// Engine threads [default: processor cores, not counting hyper-threads].
    #[arg(short, long, value_name = "N", value_parser = threads(), allow_negative_numbers = true, help_heading = "Files only")]
    pub threads: Option<u32>,

    /// Seconds without a sign of life after which a worker counts as hung [default: 120].
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = seconds,
        allow_negative_numbers = true,
        help_heading = "Files only"
    )]
    pub worker_timeout: Option<Duration>,

    /// Tokens of the context: 4096, 4k, 32k [default: 4096].
    #[arg(long, value_name = "N", value_parser = tokens, allow_negative_numbers = true, help_heading = "Servers only")]
    pub ctx: Option<u32>,

    /// Most tokens of an answer, thinking included [default: 1024].
    #[arg(long, value_name = "N", value_parser = tokens, allow_negative_numbers = true, help_heading = "Servers only")]
    pub max_tokens: Option<u32>,

    /// The longest that a server may take for one answer, in seconds [default: 1800].
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = seconds,
        allow_negative_numbers = true,
        help_heading = "Servers only"
    )]
    pub answer_timeout: Option<Duration>,

    /// Blocks, an even number of at least 8.
    #[arg(long, value_name = "N", default_value_t = FEWEST_BLOCKS, allow_negative_numbers = true, help_heading = "How to run")]
    pub blocks: u32,

    /// Begin anew, even where an earlier run with the same settings was stopped half-way.
    #[arg(long, help_heading = "How to run")]
    pub fresh: bool,

    /// Print the plan with its expected time; measure nothing.
    #[arg(long, help_heading = "How to run")]
    pub dry_run: bool,

    /// Seed of the orders and of the tokens.
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
}

/// What a probe asks, by who answers.
#[derive(Clone, Debug, PartialEq)]
pub enum ProbeSettings {
    /// Files on the embedded engine.
    Files(SpeedSettings),
    /// Models on servers.
    Servers(ControlSettings),
}

impl ProbeArgs {
    /// The settings they mean.
    pub fn settings(&self, n_threads: u32) -> Result<ProbeSettings, SpeedSettingsError> {
        let files: Vec<PathBuf> =
            self.models.iter().filter_map(|model| model.file().cloned()).collect();
        let server = self.models.iter().find(|model| model.file().is_none());
        match (files.first(), server) {
            (Some(file), Some(server)) => Err(SpeedSettingsError::FilesAndServers {
                file: file.display().to_string(),
                server: server.to_string(),
            }),
            (_, None) => self.of_files(files, n_threads).map(ProbeSettings::Files),
            (None, Some(_)) => self.of_servers().map(ProbeSettings::Servers),
        }
    }

    fn of_files(
        &self,
        models: Vec<PathBuf>,
        n_threads: u32,
    ) -> Result<SpeedSettings, SpeedSettingsError> {
        let given = [
            ("ctx", self.ctx.is_some()),
            ("max-tokens", self.max_tokens.is_some()),
            ("answer-timeout", self.answer_timeout.is_some()),
        ];
        if let Some((flag, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
            return Err(SpeedSettingsError::OfServers(flag));
        }
        let path = |role: &'static str, given: &Option<ModelName>| match given {
            None => Ok(None),
            Some(ModelName::File(path)) => Ok(Some(path.clone())),
            Some(server) => {
                Err(SpeedSettingsError::RoleOfStranger { role, name: server.to_string() })
            }
        };
        let lengths = |given: &Option<Vec<u32>>, usual| given.clone().unwrap_or(vec![usual]);
        SpeedSettings {
            models,
            pp: lengths(&self.pp, 512),
            tg: lengths(&self.tg, 128),
            depths: lengths(&self.depth, 0),
            prompt: self.prompt.clone(),
            reps: self.reps.unwrap_or(DEFAULT_REPS),
            blocks: self.blocks,
            kv: self.kv.unwrap_or_default(),
            gpu_layers: self.gpu_layers.map_or(Some(0), |layers| layers.0),
            n_threads: self.threads.unwrap_or(n_threads),
            worker_timeout: self.worker_timeout.unwrap_or(WORKER_TIMEOUT),
            qat: path("qat", &self.qat)?,
            twin: path("twin", &self.twin)?,
            fresh: self.fresh,
            seed: self.seed,
            level: self.level,
        }
        .checked()
    }

    fn of_servers(&self) -> Result<ControlSettings, SpeedSettingsError> {
        let given = [
            ("pp", self.pp.is_some()),
            ("tg", self.tg.is_some()),
            ("depth", self.depth.is_some()),
            ("kv", self.kv.is_some()),
            ("reps", self.reps.is_some()),
            ("gpu-layers", self.gpu_layers.is_some()),
            ("threads", self.threads.is_some()),
            ("worker-timeout", self.worker_timeout.is_some()),
        ];
        if let Some((flag, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
            return Err(SpeedSettingsError::OfFiles(flag));
        }
        ControlSettings {
            models: self.models.clone(),
            prompt: self.prompt.clone(),
            n_ctx: self.ctx.unwrap_or(DEFAULT_CONTROL_CTX),
            max_tokens: self.max_tokens.unwrap_or(DEFAULT_CONTROL_TOKENS),
            blocks: self.blocks,
            answer_timeout: self.answer_timeout.unwrap_or(ANSWER_TIMEOUT),
            qat: self.qat.clone(),
            twin: self.twin.clone(),
            fresh: self.fresh,
            seed: self.seed,
            level: self.level,
        }
        .checked()
    }
}
