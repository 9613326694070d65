//! The chunks of a streamed answer, as servers really send them. Owns their form; every field may be
//! missing or null.

use serde::Deserialize;
use serde_json::Value;

use crate::backend::http::{excerpt, failure};
use crate::generation::{FailureKind, GenerationFailure, Timings};

/// One chunk.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk {
    /// Empty in the chunk that brings the usage.
    pub choices: Option<Vec<Choice>>,
    pub usage: Option<Usage>,
    /// llama-server's.
    pub timings: Option<ServerTimings>,
    error: Option<Value>,
}

/// A piece of one of the answers.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    pub index: u64,
    pub delta: Option<ChoiceDelta>,
    pub finish_reason: Option<String>,
}

/// What it adds.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ChoiceDelta {
    pub content: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<String>,
    thinking: Option<String>,
    pub tool_calls: Option<Vec<CallPiece>>,
}

/// A piece of a call.
#[derive(Debug, Deserialize)]
pub(super) struct CallPiece {
    pub index: Option<u64>,
    pub function: Option<FunctionPiece>,
}

/// Its name, once, and the next piece of its arguments.
#[derive(Debug, Deserialize)]
pub(super) struct FunctionPiece {
    pub name: Option<String>,
    pub arguments: Option<String>,
}

/// The server's counters.
#[derive(Debug, Deserialize)]
pub(super) struct Usage {
    pub prompt_tokens: Option<u64>,
    pub completion_tokens: Option<u64>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

/// llama-server's counters and times.
#[derive(Debug, Deserialize)]
pub(super) struct ServerTimings {
    prompt_n: Option<u64>,
    cache_n: Option<u64>,
    prompt_ms: Option<f64>,
    pub predicted_n: Option<u64>,
    predicted_ms: Option<f64>,
}

impl Chunk {
    /// Reads a chunk; an error that the server sends in its place is a failure.
    pub fn parse(data: &str) -> Result<Self, GenerationFailure> {
        let chunk: Self = serde_json::from_str(data).map_err(|error| {
            let message =
                format!("the server sent no chunk of an answer ({error}): {}", excerpt(data));
            failure(FailureKind::InvalidReply, message)
        })?;
        match &chunk.error {
            None | Some(Value::Null) => Ok(chunk),
            Some(error) => {
                let said = error.get("message").and_then(Value::as_str).map(str::to_owned);
                let said = excerpt(&said.unwrap_or_else(|| error.to_string()));
                Err(failure(
                    FailureKind::Engine,
                    format!("the server failed while it wrote: {said}"),
                ))
            }
        }
    }
}

impl ChoiceDelta {
    /// Thinking, under whichever name. Some servers send it under two; it is one text.
    pub fn thought(&self) -> Option<&str> {
        let names = [&self.reasoning_content, &self.reasoning, &self.thinking];
        names.into_iter().flatten().map(String::as_str).find(|text| !text.is_empty())
    }
}

impl Usage {
    /// Of the completion, what was thinking, where the server counts it.
    pub fn reasoning_tokens(&self) -> Option<u64> {
        self.completion_tokens_details.as_ref()?.reasoning_tokens
    }
}

impl ServerTimings {
    /// Tokens of the prompt, those from the cache included.
    pub fn n_prompt(&self) -> Option<u64> {
        Some(self.prompt_n?.saturating_add(self.cache_n.unwrap_or(0)))
    }

    /// In seconds.
    pub fn seconds(&self) -> Timings {
        let seconds = |ms: Option<f64>| ms.filter(|ms| *ms >= 0.0).map(|ms| ms / 1000.0);
        Timings {
            server_prompt_s: seconds(self.prompt_ms),
            server_decode_s: seconds(self.predicted_ms),
            ..Timings::default()
        }
    }
}
