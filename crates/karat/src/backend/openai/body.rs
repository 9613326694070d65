//! A question in OpenAI's form. Owns which fields which server gets.

use serde::Serialize;

use crate::backend::http::failure;
use crate::backend::{ChatRequest, Sampling, Thinking};
use crate::generation::{FailureKind, GenerationFailure};

use super::server::Kind;

/// Field names are the API's; those below the line are extensions that some servers know.
#[derive(Serialize)]
struct Body<'r, M, T, K> {
    model: &'r str,
    messages: M,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<T>,
    max_tokens: u32,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'r str>,
    // ----
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_p: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_template_kwargs: Option<K>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_prompt: Option<bool>,
    /// llama.cpp's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_penalty: Option<f32>,
    /// vLLM's.
    #[serde(skip_serializing_if = "Option::is_none")]
    repetition_penalty: Option<f32>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// The body of a request for one streamed answer.
pub(super) fn write(
    model: &str,
    request: &ChatRequest,
    kind: Kind,
) -> Result<String, GenerationFailure> {
    let conversation = request.terms.thinking.switch(request.conversation.clone());
    let (values, seed) = request.terms.sampling.told();
    // A model may come with a penalty of its own; greedy is greedy.
    let no_penalty = |kinds: &[Kind]| {
        let is_ours = !matches!(request.terms.sampling, Sampling::Recommended { .. });
        (is_ours && kinds.contains(&kind)).then_some(1.0)
    };
    let body = Body {
        model,
        messages: conversation.messages(),
        tools: conversation.tools(),
        max_tokens: request.max_tokens,
        stream: true,
        stream_options: StreamOptions { include_usage: true },
        temperature: values.temperature,
        top_p: values.top_p,
        seed,
        reasoning_effort: match &request.terms.thinking {
            Thinking::Level(level) => Some(level),
            _ => None,
        },
        top_k: values.top_k,
        min_p: values.min_p,
        chat_template_kwargs: conversation.kwargs(),
        // With the cache on, greedy answers depend on what was asked before.
        cache_prompt: (kind == Kind::LlamaServer).then_some(false),
        repeat_penalty: no_penalty(&[Kind::LlamaServer, Kind::LmStudio]),
        repetition_penalty: no_penalty(&[Kind::Vllm]),
    };
    serde_json::to_string(&body).map_err(|error| {
        failure(FailureKind::Refused, format!("the conversation cannot be sent: {error}"))
    })
}
