//! One suite for every backend that generates text: the embedded engine with a real model, Ollama and
//! an OpenAI-compatible server as scripts of what they send. A real server stands in `real_server.rs`.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod conformance;
mod scripted_server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use conformance::conforms;
use karat::backend::Patience;
use karat::backend::embedded::EmbeddedParams;
use karat::backend::embedded_generate::EmbeddedGenerate;
use karat::backend::ollama::Ollama;
use karat::backend::openai::OpenAi;
use karat::settings::Kv;
use karat_llama::Threads;
use scripted_server::{Request, Server, Step, head, reply, send};
use serde_json::{Value, json};

const N_CTX: u32 = 512;

fn lab() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/lab-base-bf16.gguf")
}

fn embedded() -> EmbeddedGenerate {
    let params = EmbeddedParams {
        n_ctx: N_CTX,
        n_batch: N_CTX,
        n_ubatch: N_CTX,
        kv: Kv::F16,
        gpu_layers: Some(0),
    };
    EmbeddedGenerate::load(&lab(), &params, &Threads::new(1).unwrap(), || {}).unwrap()
}

#[test]
fn the_embedded_engine_conforms() {
    conforms(&mut embedded(), N_CTX);
}

/// What a model would write: pieces of a thought and of an answer, a token each, as far as they fit.
fn written(thinks: bool, max_tokens: u64) -> (Vec<(&'static str, &'static str)>, bool) {
    const THOUGHT: [&str; 8] = ["5 ", "boxes ", "of ", "5. ", "5 * 5 ", "= ", "25", ".\n"];
    let thought = THOUGHT.iter().filter(|_| thinks).map(|text| ("thinking", *text));
    let all: Vec<_> = thought.chain([("content", "2"), ("content", "5")]).collect();
    let n = all.len().min(max_tokens as usize);
    let is_cut = n < all.len();
    (all[..n].to_vec(), is_cut)
}

/// A stream, with time passing between its first pieces, so that they come one by one.
fn streamed(lines: Vec<String>) -> Vec<Step> {
    let paced =
        lines.into_iter().flat_map(|line| [Step::Pause(Duration::from_millis(2)), send(line)]);
    std::iter::once(head()).chain(paced).collect()
}

/// As llama-server 0.5 (commit 0c1e57098) answers.
fn llama_server(request: &Request) -> Vec<Step> {
    match request.path.as_str() {
        "/v1/models" => reply(200, json!({"data": [{"id": "lab"}]}).to_string()),
        "/props" => {
            let settings = json!({"n_ctx": N_CTX});
            let props =
                json!({"default_generation_settings": settings, "build_info": "b0-0c1e57098"});
            reply(200, props.to_string())
        }
        "/v1/chat/completions" => {
            let asked = request.json();
            let thinks = asked["chat_template_kwargs"]["enable_thinking"] == true;
            let (pieces, is_cut) = written(thinks, asked["max_tokens"].as_u64().unwrap());
            let chunk = |choices: Value, more: Value| {
                let mut chunk = json!({"object": "chat.completion.chunk", "choices": choices});
                chunk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                format!("data: {chunk}\n\n")
            };
            let delta = |(channel, text): &(&str, &str)| {
                let key = if *channel == "thinking" { "reasoning_content" } else { "content" };
                let choice = json!({"index": 0, "delta": {key: text}, "finish_reason": null});
                chunk(json!([choice]), json!({}))
            };
            let role = json!({"index": 0, "delta": {"role": "assistant", "content": null}});
            let mut lines = vec![chunk(json!([role]), json!({}))];
            lines.extend(pieces.iter().map(delta));
            let reason = if is_cut { "length" } else { "stop" };
            let last = json!({"index": 0, "delta": {}, "finish_reason": reason});
            lines.push(chunk(json!([last]), json!({})));
            let usage = json!({"prompt_tokens": 41, "completion_tokens": pieces.len() + usize::from(!is_cut)});
            let timings = json!({"prompt_n": 41, "prompt_ms": 4.5, "predicted_ms": 20.0});
            lines.push(chunk(json!([]), json!({"usage": usage, "timings": timings})));
            lines.push("data: [DONE]\n\n".to_owned());
            streamed(lines)
        }
        _ => reply(404, r#"{"error":{"message":"File Not Found"}}"#),
    }
}

#[test]
fn an_openai_compatible_server_conforms() {
    let server = Server::start(llama_server);
    let base = format!("{}/v1", server.base);
    conforms(&mut OpenAi::new(&base, "lab", None, Patience::default()), N_CTX);
    let body = &server.bodies("/v1/chat/completions")[0];
    assert_eq!(body["cache_prompt"], false);
    assert_eq!((body["temperature"].as_f64(), &body["stream"]), (Some(0.0), &json!(true)));
    assert_eq!(body["stream_options"]["include_usage"], true);
}

/// As Ollama 0.12 answers; it never gives more context than it can.
fn ollama() -> impl FnMut(&Request) -> Vec<Step> + Send {
    let mut resident: Vec<Value> =
        vec![json!({"name": "other:latest", "size": 5, "size_vram": 0, "context_length": 4096})];
    move |request| {
        let asked = request.json();
        match request.path.as_str() {
            "/api/version" => reply(200, r#"{"version":"0.12.6"}"#),
            "/api/show" => reply(
                200,
                r#"{"template":"{{ .Prompt }}","capabilities":["completion","thinking"]}"#,
            ),
            "/api/ps" => reply(200, json!({"models": resident}).to_string()),
            "/api/generate" => {
                let name = asked["model"].as_str().unwrap();
                resident.retain(|entry| entry["name"].as_str().unwrap() != name);
                if asked["keep_alive"] != 0 {
                    let n_ctx = asked["options"]["num_ctx"].as_u64().unwrap().min(u64::from(N_CTX));
                    let entry =
                        json!({"name": name, "size": 7, "size_vram": 3, "context_length": n_ctx});
                    resident.push(entry);
                }
                reply(200, r#"{"done":true}"#)
            }
            "/api/chat" => {
                let n = asked["options"]["num_predict"].as_u64().unwrap();
                let (pieces, is_cut) = written(asked["think"] == true, n);
                let line = |(channel, text): &(&str, &str)| {
                    let mut message = json!({"role": "assistant", "content": ""});
                    message[channel] = json!(text);
                    format!("{}\n", json!({"message": message, "done": false}))
                };
                let mut lines: Vec<String> = pieces.iter().map(line).collect();
                let last = json!({
                    "message": {"role": "assistant", "content": ""}, "done": true,
                    "done_reason": if is_cut { "length" } else { "stop" },
                    "load_duration": 1_000_000, "prompt_eval_count": 41,
                    "prompt_eval_duration": 2_000_000, "eval_count": pieces.len(),
                    "eval_duration": 9_000_000,
                });
                lines.push(format!("{last}\n"));
                streamed(lines)
            }
            _ => reply(404, r#"{"error":"not found"}"#),
        }
    }
}

#[test]
fn ollama_conforms() {
    let server = Server::start(ollama());
    let mut backend = Ollama::new(&server.base, "lab:latest", None, Patience::default());
    conforms(&mut backend, N_CTX);
    let body = &server.bodies("/api/chat")[0];
    assert_eq!(body["options"]["num_ctx"], N_CTX);
    assert_eq!((&body["truncate"], &body["shift"]), (&json!(false), &json!(false)));
    let unloaded: Vec<Value> = server
        .bodies("/api/generate")
        .into_iter()
        .filter(|body| body["keep_alive"] == 0)
        .map(|body| body["model"].clone())
        .collect();
    // The stranger first; then the lab model for its context, and at the end of each series.
    assert_eq!(unloaded, ["other:latest", "lab:latest", "lab:latest"]);
}
