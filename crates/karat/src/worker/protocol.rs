//! What parent and worker say to each other: JSON lines, versioned. One request down, messages up.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::cut::{CutJob, CutWindow};
use crate::generation::{Ready, Terms};
use crate::plan::{Pair, Part, SpeedRuler, SpeedSample, SpeedTest, TrackOf, TurnOf};
use crate::record::{EngineRecord, Finding, TokenInContext};
use crate::settings::{Kv, RulerSpec, SuiteSpec};
use crate::task::{Instance, Reply};

/// Version of the messages. Parent and worker are the same binary, unless it was replaced while it
/// ran; then this says so.
pub const PROTOCOL: u32 = 4;

/// The one line the parent writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// What to do.
    pub job: Job,
}

/// What a worker can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Say who the engine is and how many tokens texts have.
    Survey(SurveyJob),
    /// Cut windows out of a text.
    Cut(CutJob),
    /// Score windows of one text with several models in lock-step.
    Fidelity(FidelityJob),
    /// Time one model.
    Speed(SpeedJob),
    /// Read memory as fast as it goes.
    Sweep(SweepJob),
    /// Make a build.
    Quantize(QuantizeJob),
    /// Make a matched control.
    Twin(TwinJob),
    /// Load a model and say what it takes.
    Memory(MemoryJob),
    /// Draw the tasks of a suite.
    Draw(DrawJob),
    /// Answer tasks with one model.
    Generate(GenerateJob),
}

/// Arguments of [`Job::Survey`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyJob {
    /// Model whose vocabulary counts; only its vocabulary is loaded.
    pub model: PathBuf,
    /// Texts to count tokens of.
    pub texts: Vec<PathBuf>,
    /// How the texts are scored.
    pub ruler: RulerSpec,
    /// Windows of each that are to be scored, where not all of them.
    pub most_windows: Option<u32>,
}

/// Answer to [`Job::Survey`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyReply {
    /// The engine.
    pub engine: EngineRecord,
    /// Devices besides the processor.
    pub devices: Vec<String>,
    /// The texts, in order.
    pub texts: Vec<SurveyedText>,
}

/// How much of a text there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyedText {
    /// Tokens, BOS included where the model adds one.
    pub tokens: u64,
    /// Scored positions of each window.
    pub scored: Vec<u32>,
    /// What was done to it, where that is more than cutting it up.
    pub summary: Option<String>,
    /// What changes how its figures are to be read, a sentence each.
    pub warnings: Vec<String>,
}

/// A model to load, and how to run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// The file.
    pub path: PathBuf,
    /// Type of its KV cache.
    pub kv: Kv,
    /// Tokens it computes at once.
    pub n_ubatch: u32,
}

/// Arguments of [`Job::Fidelity`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FidelityJob {
    /// What to load, one per member.
    pub members: Vec<Load>,
    /// Members whose own scores are wanted.
    pub own: Vec<usize>,
    /// Comparisons wanted.
    pub pairs: Vec<Pair>,
    /// Comparisons whose worst tokens are wanted, as indexes into `pairs`.
    pub worst: Vec<usize>,
    /// Model whose vocabulary spells the tokens: the same one in every job of a run.
    pub vocabulary: PathBuf,
    /// How to score the text.
    pub ruler: RulerSpec,
    /// Windows to score.
    pub windows: Vec<CutWindow>,
    /// Which part of them.
    pub part: Part,
    /// Engine threads.
    pub n_threads: u32,
}

/// Arguments of [`Job::Speed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeedJob {
    /// The file.
    pub model: PathBuf,
    /// What is timed.
    pub tests: Vec<SpeedTest>,
    /// How it is run.
    pub ruler: SpeedRuler,
    /// Text whose tokens are submitted; random ones where missing.
    pub prompt: Option<PathBuf>,
    /// Seed of random tokens.
    pub seed: u64,
}

/// Arguments of [`Job::Sweep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepJob {
    /// Threads that read, each its own part.
    pub n_threads: u32,
    /// Bytes read in one sweep, all threads together.
    pub bytes: u64,
}

/// Arguments of [`Job::Quantize`]; see `karat quantize --help`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the engine's own quantizer")]
pub struct QuantizeJob {
    /// Original.
    pub input: PathBuf,
    /// File to make.
    pub output: PathBuf,
    /// File type as the user named it.
    pub file_type: String,
    /// Importance matrix.
    pub imatrix: Option<PathBuf>,
    /// One type for all tensors.
    pub pure: bool,
    /// `REGEX=TYPE`, first match wins.
    pub tensor_types: Vec<String>,
    /// Type of the token embedding.
    pub token_embedding_type: Option<String>,
    /// Type of the output tensor.
    pub output_type: Option<String>,
    /// Leave the output tensor as it is.
    pub leave_output: bool,
    /// Accept an input that is already quantized.
    pub allow_requantize: bool,
    /// Replace an existing output.
    pub overwrite: bool,
    /// Engine threads.
    pub n_threads: u32,
}

/// Arguments of [`Job::Twin`]; see `karat twin --help`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwinJob {
    /// File whose tensor types are copied.
    pub like: PathBuf,
    /// Original.
    pub original: PathBuf,
    /// File to make.
    pub output: PathBuf,
    /// Importance matrix.
    pub imatrix: Option<PathBuf>,
    /// Replace an existing output.
    pub overwrite: bool,
    /// Engine threads.
    pub n_threads: u32,
}

/// Arguments of [`Job::Memory`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryJob {
    /// The file.
    pub path: PathBuf,
    /// Tokens of the context.
    pub n_ctx: u32,
    /// Most tokens computed at once.
    pub n_ubatch: u32,
    /// Type of the KV cache.
    pub kv: Kv,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
    /// Engine threads.
    pub n_threads: u32,
}

/// The engine's buffers of one kind, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferReply {
    /// Device whose memory they are in.
    pub device: String,
    /// Weights.
    pub weights: u64,
    /// KV cache.
    pub kv: u64,
    /// Intermediate results.
    pub compute: u64,
}

/// Answer to [`Job::Memory`]; also what is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryReply {
    /// The engine's buffers.
    pub buffers: Vec<BufferReply>,
    /// Buffer that logits are handed out in, on the host.
    pub output_bytes: u64,
    /// What the process held before it loaded the model, where the system tells.
    pub overhead_bytes: Option<u64>,
    /// The most it held, where the system tells.
    pub resident_bytes: Option<u64>,
}

/// Arguments of [`Job::Draw`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrawJob {
    /// Model whose vocabulary counts tokens.
    pub vocabulary: PathBuf,
    /// Which tasks.
    pub suite: SuiteSpec,
}

/// Answer to [`Job::Draw`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrawReply {
    /// The tasks.
    pub instances: Vec<Instance>,
    /// Tokens of each one's messages.
    pub prompt_tokens: Vec<u64>,
}

/// Arguments of [`Job::Generate`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GenerateJob {
    /// The file.
    pub model: PathBuf,
    /// Tasks that turns name.
    pub instances: Vec<Instance>,
    /// What is asked, in this order.
    pub turns: Vec<TurnOf>,
    /// On what terms.
    pub terms: Terms,
    /// Whether answers that go round in circles are heard to their limit of tokens.
    pub to_the_end: bool,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
    /// Engine threads.
    pub n_threads: u32,
}

/// One track's results of one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoredTrack {
    /// Whose they are.
    pub of: TrackOf,
    /// Encoded results (`metric::token`), base64.
    pub data: String,
    /// The worst tokens, largest KLD first, where they were asked for.
    pub worst: Option<Vec<TokenInContext>>,
}

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// First message.
    Hello {
        /// [`PROTOCOL`].
        protocol: u32,
    },
    /// A sign of life from inside the engine.
    Alive,
    /// A line of the engine's log.
    Log {
        /// Its text.
        line: String,
    },
    /// Which member the engine is busy with: the one to blame if it dies now.
    Working {
        /// Index into the job's members.
        model: usize,
    },
    /// Share of a long step, e.g. tensors quantized.
    Progress {
        /// Done so far.
        done: u64,
        /// Of this many.
        total: u64,
    },
    /// Answer to [`Job::Survey`].
    Survey(SurveyReply),
    /// Answer to [`Job::Cut`].
    Cut(Vec<CutWindow>),
    /// Answer to [`Job::Memory`].
    Memory(MemoryReply),
    /// Answer to [`Job::Draw`].
    Drawn(DrawReply),
    /// A model is loaded and takes the terms.
    Ready(Ready),
    /// One answer, or why there is none.
    Answered {
        /// To what.
        turn: TurnOf,
        /// What came back.
        reply: Reply,
        /// It was cut off because it went round in circles.
        looped: bool,
    },
    /// What only all answers together show.
    Told(Vec<Finding>),
    /// Most bytes that this process has held so far; comes with every window, because a worker whose
    /// questions are decided is ended before its last message.
    Peak {
        /// Resident size.
        bytes: u64,
    },
    /// One window, complete.
    Window {
        /// Which.
        window_idx: u32,
        /// Every wanted track.
        tracks: Vec<ScoredTrack>,
    },
    /// Answer to [`Job::Speed`].
    Speed(SpeedSample),
    /// Answer to [`Job::Sweep`].
    Sweep {
        /// Bytes per second of each sweep.
        bytes_per_second: Vec<f64>,
    },
    /// A build was made.
    Built {
        /// Bytes of the file.
        bytes: u64,
        /// Weight bits over weights.
        bits_per_weight: f64,
        /// Tensors of each type.
        types: Vec<(String, u64)>,
        /// What the user should know, one sentence each.
        notes: Vec<String>,
    },
    /// Last message of a job that went well.
    Done {
        /// Peak resident size of this process.
        peak_memory_bytes: Option<u64>,
    },
    /// Last message of a job that did not.
    Failed {
        /// One line.
        error: String,
        /// The model to blame, where one is.
        model: Option<usize>,
        /// The input is at fault, not the engine or the machine.
        bad_input: bool,
    },
}
