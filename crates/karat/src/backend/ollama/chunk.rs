//! The lines of Ollama's streamed answer. Owns their form.

use minijinja::value::Value;
use serde::Deserialize;

use crate::backend::http::{excerpt, failure};
use crate::generation::{FailureKind, FinishReason, GenerationFailure, Timings, ToolCall};

/// One line.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk {
    pub message: Option<Message>,
    #[serde(default)]
    pub done: bool,
    #[serde(flatten)]
    pub counters: Counters,
    error: Option<String>,
}

/// A piece of the answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message {
    pub content: Option<String>,
    pub thinking: Option<String>,
    pub tool_calls: Option<Vec<Call>>,
}

/// A call of a tool, whole.
#[derive(Debug, Deserialize)]
pub(super) struct Call {
    function: Function,
}

#[derive(Debug, Deserialize)]
struct Function {
    name: String,
    // Keeps the order of the keys.
    arguments: Value,
}

/// What the last line tells; times in nanoseconds.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Counters {
    done_reason: Option<String>,
    load_duration: Option<u64>,
    pub prompt_eval_count: Option<u64>,
    prompt_eval_duration: Option<u64>,
    pub eval_count: Option<u64>,
    eval_duration: Option<u64>,
}

impl Chunk {
    /// Reads a line; an error in its place is a failure.
    pub fn parse(line: &str) -> Result<Self, GenerationFailure> {
        let chunk: Self = serde_json::from_str(line).map_err(|error| {
            let message = format!("Ollama sent no line of an answer ({error}): {}", excerpt(line));
            failure(FailureKind::InvalidReply, message)
        })?;
        match &chunk.error {
            None => Ok(chunk),
            Some(said) => {
                let message = format!("Ollama failed while it wrote: {}", excerpt(said));
                Err(failure(FailureKind::Engine, message))
            }
        }
    }
}

impl Call {
    /// The call with its arguments as JSON.
    pub fn read(&self) -> Result<ToolCall, GenerationFailure> {
        let Function { name, arguments } = &self.function;
        let arguments = serde_json::to_string(arguments).map_err(|error| {
            failure(FailureKind::InvalidReply, format!("Ollama's call of a tool: {error}"))
        })?;
        Ok(ToolCall { name: name.clone(), arguments })
    }
}

impl Counters {
    /// Why the answer ended. Older versions do not say; then the count of tokens does.
    pub fn finish(&self, max_tokens: u32) -> FinishReason {
        match self.done_reason.as_deref() {
            Some("stop") => FinishReason::Stop,
            Some("length") => FinishReason::Length,
            Some(other) => FinishReason::Other(other.to_owned()),
            None if self.eval_count >= Some(u64::from(max_tokens)) => FinishReason::Length,
            None => FinishReason::Stop,
        }
    }

    /// Ollama's own times in seconds.
    pub fn seconds(&self) -> Timings {
        let seconds = |ns: Option<u64>| ns.map(|ns| ns as f64 / 1e9);
        Timings {
            server_prompt_s: seconds(self.prompt_eval_duration),
            server_decode_s: seconds(self.eval_duration),
            server_load_s: seconds(self.load_duration),
            ..Timings::default()
        }
    }
}
