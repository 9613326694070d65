//! The tidy table: every number karat reports is one [`Estimate`], and one run is one [`RunDocument`].
//! Owns the row format and its JSON form; never computes, formats or stores anything.
//!
//! What behaviour adds stands in [`behaviour`], the answers in [`answer`], a model's tokens in `worst`.

pub mod answer;
pub mod behaviour;
mod margins;
mod served;
mod worst;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use answer::{Answer, NeededN, Question, SampleUnit, Verdict};
pub use behaviour::{AttemptRecord, Flip, FlipSide, TaskOutcome};
pub use margins::Margins;
pub use served::ServedRecord;
pub use worst::{LikelyToken, TokenInContext, WorstToken};

/// Version of the JSON and CSV layout. Raised when a field changes its meaning or goes away;
/// adding a field or a metric does not raise it.
pub const SCHEMA_VERSION: u32 = 1;

/// Most worst tokens that a report can show per candidate and text: as many are kept of each window,
/// and the worst of a text are among the worst of its windows.
pub const MOST_WORST_TOKENS: usize = 16;

/// What a number was measured with.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    /// Distance from a reference: PPL, KLD, same-top-p, delta-p.
    Fidelity,
    /// Prompt processing and token generation: rates, bytes moved, share of the memory bandwidth.
    Speed,
    /// Bytes of weights, KV cache, compute buffers and process, predicted or measured.
    Memory,
    /// What builds do with tasks: passes, tokens, time to an answer.
    Behaviour,
}

/// Unit of a value. Ratios and shares are plain fractions, never percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Natural-log units, per token.
    Nats,
    /// Perplexity: exp of nats per token.
    Perplexity,
    /// A share between 0 and 1, or a difference of two such shares.
    Fraction,
    /// A dimensionless ratio.
    Ratio,
    /// A count of things.
    Count,
    /// Bytes.
    Bytes,
    /// Tokens per second.
    TokensPerSecond,
    /// Bytes per second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
}

/// One reported number: value, interval, and what it was measured on.
///
/// `lo` and `hi` bound the value at confidence `level`; all three are missing where no interval can
/// be given (a maximum, a single window). `n` counts the resampling units behind the interval
/// (windows for fidelity), not tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// Which instrument measured it.
    pub instrument: Instrument,
    /// Metric name, snake case, e.g. `kld_mean`.
    pub metric: String,
    /// The build under test, by its short name.
    pub candidate: String,
    /// The yardstick, by its short name; missing where the metric needs none (PPL).
    pub reference: Option<String>,
    /// The other candidate of a paired difference `candidate - versus`; missing for plain values.
    pub versus: Option<String>,
    /// Text, task family or prompt it was measured on.
    pub scope: String,
    /// Settings that are part of the ruler, e.g. `n_ctx = 512`.
    pub setting: BTreeMap<String, String>,
    /// The estimate itself; missing where it is undefined (never NaN).
    pub value: Option<f64>,
    /// Lower end of the interval.
    pub lo: Option<f64>,
    /// Upper end of the interval.
    pub hi: Option<f64>,
    /// Confidence level of the interval, e.g. 0.95.
    pub level: Option<f64>,
    /// Resampling units (windows) behind it.
    pub n: u64,
    /// Unit of `value`, `lo` and `hi`.
    pub unit: Unit,
}

/// How the values of single tokens are spread: counts in fixed bins of equal width in log10.
///
/// Bin i of `counts` holds the values v with `lowest · 10^(i / bins_per_decade) <= v <
/// lowest · 10^((i + 1) / bins_per_decade)`, up to rounding at an edge. `zero`, `below`, `counts` and
/// `above` together are `n`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// Which instrument measured the values.
    pub instrument: Instrument,
    /// What each value is, e.g. `kld` of one token.
    pub metric: String,
    /// The build under test, by its short name.
    pub candidate: String,
    /// The yardstick, by its short name.
    pub reference: Option<String>,
    /// Text it was measured on.
    pub scope: String,
    /// Settings that are part of the ruler, e.g. `n_ctx = 512`.
    pub setting: BTreeMap<String, String>,
    /// Unit of the values and of `lowest`.
    pub unit: Unit,
    /// Values in all (tokens for fidelity).
    pub n: u64,
    /// Values of exactly zero, or below it by rounding.
    pub zero: u64,
    /// Positive values under the first bin.
    pub below: u64,
    /// Values beyond the last bin, infinite ones included.
    pub above: u64,
    /// Lower edge of the first bin.
    pub lowest: f64,
    /// Bins in a factor of ten.
    pub bins_per_decade: u32,
    /// Values in each bin, ascending.
    pub counts: Vec<u64>,
}

/// What a model is in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelRole {
    /// The yardstick.
    Reference,
    /// Under test.
    Candidate,
}

/// What a candidate is to the others in the question whether quantization-aware training (QAT) paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lineage {
    /// Made from the QAT checkpoint, as published.
    Qat,
    /// The original, plainly rounded to the QAT file's tensor types.
    Twin,
    /// The QAT checkpoint, plainly rounded.
    Naive,
}

/// One model file of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelRecord {
    /// Shortest unique form of the name as the user gave it.
    pub name: String,
    /// Yardstick or under test.
    pub role: ModelRole,
    /// Path as given.
    pub path: String,
    /// SHA-256 of the file (of its parts' hashes in order, for a split file), lower-case hex; empty where
    /// its contents were not read: only its header was, or it is a server's.
    pub sha256: String,
    /// Size on disk in bytes, all parts.
    pub bytes: u64,
    /// `general.architecture`.
    pub architecture: String,
    /// Type mix in file order of first use, e.g. `Q4_0: 28, Q6_K: 1, F32: 25` as counts.
    pub tensor_types: BTreeMap<String, u64>,
    /// Weight bits over weights, from the tensor table.
    pub bits_per_weight: f64,
    /// A quantized file that stands in for the full-precision original as the yardstick.
    pub proxy_reference: bool,
    /// What the user said it is; one file can be two things.
    #[serde(default)]
    pub lineage: Vec<Lineage>,
    /// SHA-256 of the chat template inside the file, lower-case hex; missing where there is none, or
    /// where it is a server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_sha256: Option<String>,
    /// Of a model on a server, what the server said of it once it was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<ServedRecord>,
    /// The sampling that the file recommends, in words; missing where it recommends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended_sampling: Option<String>,
}

impl ModelRecord {
    /// Whether it is a model on a server, of whose file nothing is known; every file has an architecture.
    pub const fn is_on_server(&self) -> bool {
        self.architecture.is_empty()
    }
}

/// One text of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TextRecord {
    /// Short name, used as `scope`.
    pub name: String,
    /// Path as given.
    pub path: String,
    /// Whether it is conversations, a window each, of which what the assistant says is scored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub chat: bool,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// Tokens in the whole text, with BOS where the model adds one.
    pub tokens: u64,
    /// Windows scored.
    pub windows: u64,
    /// Whether its windows decided themselves when to stop, before all were read: intervals of `kld_mean`
    /// and `kld_mean_diff` against the original are then a confidence sequence's and hold together, and
    /// no other figure of it has one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped_early: bool,
    /// What the user called its language, e.g. `pl` or `code`.
    #[serde(default)]
    pub language: Option<String>,
}

/// What the numbers came out of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineRecord {
    /// Crate that carries the engine, with version.
    pub crate_version: String,
    /// SHA-256 over the vendored source tree, lower-case hex.
    pub tree_sha256: String,
    /// The engine's own line on instruction sets and backends.
    pub system_info: String,
}

/// Where the numbers were measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MachineRecord {
    /// Operating system and version.
    pub os: String,
    /// Processor name.
    pub cpu: String,
    /// Logical processors.
    pub cores: u32,
    /// Physical memory in bytes.
    pub memory_bytes: u64,
    /// Compute devices the engine sees besides the CPU.
    pub devices: Vec<String>,
}

/// How a step or a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Planned, not begun, or interrupted.
    Unfinished,
    /// All of it is stored.
    Done,
    /// Ended with a recorded failure.
    Failed,
}

/// One step of a run's plan and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepRecord {
    /// Stable identity: a hash of everything the step's result depends on.
    pub id: String,
    /// What it does, for people.
    pub title: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Seconds this run spent on it.
    pub seconds: f64,
    /// Peak resident size of its worker process, in bytes.
    pub peak_memory_bytes: Option<u64>,
    /// Why it failed, one line.
    pub error: Option<String>,
    /// The engine's last log lines before a failure.
    pub engine_log: Vec<String>,
}

/// How much a finding matters to the reader's conclusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Changes how the figures are to be read.
    Warning,
}

/// Something the reader has to know to read the figures rightly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// One sentence or two.
    pub message: String,
}

/// Metric of the original run again in a second context, against itself: nats.
pub const NOISE_FLOOR_KLD: &str = "noise_floor_kld_rerun";

/// Nats of KLD within which nothing is claimed on a text: as far as the original may be from itself,
/// run again on the same device. Exactly 0 on a processor, and 0 where it was not measured.
pub fn noise_floor(estimates: &[Estimate], scope: &str) -> f64 {
    let rows = estimates.iter().filter(|row| row.metric == NOISE_FLOOR_KLD && row.scope == scope);
    rows.filter_map(|row| row.hi.or(row.value)).fold(0.0, f64::max)
}

/// A statement the data support, or an honest "cannot tell".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// The sentence.
    pub statement: String,
    /// Rows it rests on, as indexes into `estimates`.
    pub estimates: Vec<usize>,
}

/// Identity and life of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunHeader {
    /// Short identity, unique in a store.
    pub id: String,
    /// karat's own version.
    pub karat_version: String,
    /// The command line as typed.
    pub command: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC; missing while it runs or where it was killed.
    pub finished: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Seed of every random choice.
    pub seed: u64,
    /// Confidence level of the intervals.
    pub level: f64,
}

/// One run, complete: what every report format is rendered from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunDocument {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Identity and life of the run.
    pub run: RunHeader,
    /// Where it ran.
    pub machine: MachineRecord,
    /// On what engine.
    pub engine: EngineRecord,
    /// References first, then candidates in the order given.
    pub models: Vec<ModelRecord>,
    /// Texts in the order given.
    pub texts: Vec<TextRecord>,
    /// The tidy table.
    pub estimates: Vec<Estimate>,
    /// How the tokens' values behind the main figures are spread.
    #[serde(default)]
    pub distributions: Vec<Distribution>,
    /// Statements that the rows support.
    pub claims: Vec<Claim>,
    /// The tokens of largest KLD of each candidate against the original, by text, largest first.
    #[serde(default)]
    pub worst_tokens: Vec<WorstToken>,
    /// What each build did with each task, in the order asked.
    #[serde(default)]
    pub attempts: Vec<AttemptRecord>,
    /// Tasks that one of two builds alone passes, with what both answered.
    #[serde(default)]
    pub flips: Vec<Flip>,
    /// From where on a loss matters to the answers.
    #[serde(default)]
    pub margins: Margins,
    /// The three answers, as far as the rows give them.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// What the reader has to know.
    pub findings: Vec<Finding>,
    /// The plan and how each step ended.
    pub steps: Vec<StepRecord>,
}
