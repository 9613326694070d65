//! A question in Ollama's form.

use serde::Serialize;

use crate::backend::http::failure;
use crate::backend::{ChatRequest, Sampling, Thinking};
use crate::generation::{FailureKind, GenerationFailure};

/// How long Ollama keeps a model between two questions. Scoring may take its time; and if karat ends
/// without a word, the memory is free again some day.
pub(super) const KEEP_ALIVE: &str = "30m";

/// Field names are the API's.
#[derive(Serialize)]
struct Body<'r, M, T> {
    model: &'r str,
    messages: M,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<T>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<Think<'r>>,
    /// A prompt that does not fit is an error, not a shorter prompt.
    truncate: bool,
    /// A full context ends the answer; its beginning is not thrown away.
    shift: bool,
    keep_alive: &'static str,
    options: Options,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Think<'r> {
    Switch(bool),
    Level(&'r str),
}

#[derive(Serialize)]
struct Options {
    num_ctx: u32,
    num_predict: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_p: Option<f32>,
    /// Ollama penalises repetition unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_penalty: Option<f32>,
}

/// The body of a request for one streamed answer.
pub(super) fn write(model: &str, request: &ChatRequest) -> Result<String, GenerationFailure> {
    let refused = |message| failure(FailureKind::Refused, message);
    let conversation = &request.conversation;
    if conversation.kwargs().is_some() {
        return Err(refused(
            "Ollama's templates take no variables (chat_template_kwargs); leave them out"
                .to_owned(),
        ));
    }
    let (values, seed) = request.terms.sampling.told();
    let is_recommended = matches!(request.terms.sampling, Sampling::Recommended { .. });
    let body = Body {
        model,
        messages: conversation.messages(),
        tools: conversation.tools(),
        stream: true,
        think: match &request.terms.thinking {
            Thinking::Default => None,
            Thinking::Off => Some(Think::Switch(false)),
            Thinking::On => Some(Think::Switch(true)),
            Thinking::Level(level) => Some(Think::Level(level)),
        },
        truncate: false,
        shift: false,
        keep_alive: KEEP_ALIVE,
        options: Options {
            num_ctx: request.terms.n_ctx,
            num_predict: request.max_tokens,
            seed: seed.or(Some(0)),
            temperature: values.temperature,
            top_k: values.top_k,
            top_p: values.top_p,
            min_p: values.min_p,
            repeat_penalty: (!is_recommended).then_some(1.0),
        },
    };
    serde_json::to_string(&body)
        .map_err(|error| refused(format!("the conversation cannot be sent: {error}")))
}
