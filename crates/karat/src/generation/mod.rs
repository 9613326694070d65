//! One answer of a model as it came: what every backend records, the store keeps and every scorer
//! reads; and what is asked, on which terms. Values only; nothing is asked, timed or judged here.

mod ready;
mod request;

pub use ready::Ready;
pub use request::{ChatRequest, Sampling, SamplingValues, Terms, Thinking};

use serde::{Deserialize, Serialize};

/// Where a piece of an answer belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// What the reader is meant to see.
    Visible,
    /// What the model writes to itself first.
    Thinking,
    /// A call of a tool.
    ToolCall,
}

/// A piece of an answer and when it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    /// Seconds since the request was sent, on a clock that never goes back.
    pub at_s: f64,
    /// Where it belongs.
    pub channel: Channel,
    /// Its text.
    pub text: String,
    /// Tokens written by the time it was complete, where their ids are seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_tokens: Option<u64>,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Name of the function.
    pub name: String,
    /// Its arguments, as the model wrote them; meant to be JSON.
    pub arguments: String,
}

/// A number of tokens, and whether it was counted or worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// How many.
    pub tokens: u64,
    /// Counted by who made them; otherwise estimated from the text.
    pub exact: bool,
}

/// Tokens of one answer. Missing is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCounts {
    /// Of the prompt, by the backend's own counter.
    pub prompt: Option<u64>,
    /// Of the answer, thinking included, the end token not: by the backend's own counter or from the
    /// token ids, never from the pieces of a stream. (llama-server's counter includes the end token,
    /// which is taken off; other servers' counters are theirs.)
    pub total: Option<u64>,
    /// Of `total`, what was visible, calls of tools included.
    pub visible: Option<Counted>,
    /// Of `total`, what was thinking, its marks included.
    pub thinking: Option<Counted>,
}

/// Times of one answer, in seconds. Missing is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// From the request to the first piece of any kind (TTFT).
    pub ttft_s: Option<f64>,
    /// From the request to the first visible piece (TTFO).
    pub ttfo_s: Option<f64>,
    /// From the request to the end.
    pub total_s: f64,
    /// The backend's own: reading the prompt.
    pub server_prompt_s: Option<f64>,
    /// The backend's own: writing the answer.
    pub server_decode_s: Option<f64>,
    /// The backend's own: loading the model.
    pub server_load_s: Option<f64>,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model ended its turn.
    Stop,
    /// The token limit or the context was reached.
    Length,
    /// The model called a tool.
    ToolCalls,
    /// The caller stopped listening, e.g. because the answer went round in circles.
    Cancelled,
    /// Something else, in the backend's own word.
    Other(String),
}

/// A finished answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// What the reader is meant to see; bytes that are no UTF-8 became U+FFFD.
    pub visible: String,
    /// What the model wrote to itself.
    pub thinking: String,
    /// Tools it called, in order.
    pub tool_calls: Vec<ToolCall>,
    /// Tokens.
    pub tokens: TokenCounts,
    /// Times.
    pub timings: Timings,
    /// Why it ended.
    pub finish: FinishReason,
    /// The pieces in the order they came.
    pub deltas: Vec<Delta>,
    /// What went over the wire, both ways, as text; on the embedded engine the prompt and the raw
    /// answer with its markers. Kept so that an answer can be scored again.
    pub raw: RawExchange,
}

/// Both sides of an exchange, unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawExchange {
    /// What was sent.
    pub request: String,
    /// What came back, all of it or up to where it broke.
    pub response: String,
}

/// What kind of failure ended an attempt to get an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Nobody answers at the address: nothing was sent.
    Unreachable,
    /// The server took the request and closed the connection before a reply.
    HungUp,
    /// Nothing came for too long.
    TimedOut,
    /// The server does not know the model.
    NoSuchModel,
    /// The server refused or failed, with a status that says so.
    Refused,
    /// The stream ended before the answer did.
    BrokenStream,
    /// What came is not what the protocol promises.
    InvalidReply,
    /// The answer went on beyond every limit.
    Endless,
    /// The model or the engine failed.
    Engine,
    /// Settings did not take: context, thinking, or another model is resident.
    NotAsAsked,
}

/// An attempt that gave no answer. A recorded outcome like any other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct GenerationFailure {
    /// What kind.
    pub kind: FailureKind,
    /// One line: what happened, with whom, and what to do.
    pub message: String,
    /// What had come until then.
    pub partial: Option<Box<Generation>>,
}
