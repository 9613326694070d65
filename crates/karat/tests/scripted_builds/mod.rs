//! Builds on scripted servers, for a control prompt: what each says, and how long its server says that
//! it took. Owns the protocols as far as `karat probe` needs them; the answers belong to the tests.

use std::time::Duration;

use serde_json::{Value, json};

use crate::scripted_server::{Request, Server, Step, reply, send, stream};

const COUNT: &str = "1, 2, 3, 4";
/// Models that Ollama has, with their formats.
const FORMATS: &[(&str, &str)] =
    &[("qat", "Q4_0"), ("plain", "Q4_0"), ("mix", "Q4_K_M"), ("a", "Q4_0"), ("b", "Q8_0")];

/// What a scripted build answers.
#[derive(Clone)]
pub struct Answer {
    pub text: String,
    pub thinking: String,
    pub tokens: u64,
    pub decode_s: f64,
    pub finish: &'static str,
}

/// So many tokens of [`COUNT`] in a second, which took as long as this rate says.
pub fn at_rate(rate: f64) -> Answer {
    let (text, thinking) = (COUNT.to_owned(), String::new());
    Answer { text, thinking, tokens: 100, decode_s: 100.0 / rate, finish: "stop" }
}

fn lines(lines: &[Value]) -> Vec<Step> {
    let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    stream(lines.iter().map(String::as_str))
}

fn ns(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

fn is_warm_up(body: &Value) -> bool {
    body["messages"][0]["content"] == "Say hello."
}

/// An Ollama with the models of [`FORMATS`]. `answer` gives what a model says to the control prompt when
/// it is asked for the nth time; `None` closes the connection. A model that is not loaded, or not alone,
/// when it is asked is refused.
pub fn ollama(answer: impl FnMut(&str, u32) -> Option<Answer> + Send + 'static) -> Server {
    ollama_of("d", answer)
}

/// The same whose models have this digest.
pub fn ollama_of(
    digest: &'static str,
    mut answer: impl FnMut(&str, u32) -> Option<Answer> + Send + 'static,
) -> Server {
    let mut residents: Vec<(String, Value)> = Vec::new();
    let mut asked: Vec<String> = Vec::new();
    Server::start(move |request: &Request| {
        let body = request.json();
        let model = body["model"].as_str().unwrap_or_default().to_owned();
        match request.path.as_str() {
            "/api/version" => reply(200, "{\"version\":\"0.12.6\"}"),
            "/api/tags" => {
                let entry = |(name, _): &(&str, &str)| json!({ "name": name, "digest": digest });
                let models: Vec<Value> = FORMATS.iter().map(entry).collect();
                reply(200, json!({ "models": models }).to_string())
            }
            "/api/show" => {
                let format = FORMATS.iter().find(|(name, _)| *name == model);
                let Some((_, format)) = format else { return reply(404, "{\"error\":\"none\"}") };
                let show = json!({
                    "template": "T", "capabilities": ["completion"],
                    "details": { "quantization_level": format },
                });
                reply(200, show.to_string())
            }
            "/api/ps" => {
                let models = residents.iter().map(
                    |(name, n_ctx)| json!({ "name": name, "context_length": n_ctx, "size": 7 }),
                );
                reply(200, json!({ "models": models.collect::<Vec<_>>() }).to_string())
            }
            "/api/generate" => {
                residents.retain(|(name, _)| *name != model);
                if body["keep_alive"] != 0 {
                    residents.push((model.clone(), body["options"]["num_ctx"].clone()));
                }
                reply(200, "{\"done\":true}")
            }
            "/api/chat" if residents.iter().map(|(name, _)| name).ne([&model]) => {
                reply(500, "{\"error\":\"not loaded\"}")
            }
            "/api/chat" if is_warm_up(&body) => {
                lines(&[json!({ "message": { "content": "Hello" } }), json!({ "done": true })])
            }
            "/api/chat" => {
                asked.push(model.clone());
                let nth = asked.iter().filter(|name| **name == model).count() as u32;
                let Some(Answer { text, thinking, tokens, decode_s, finish }) = answer(&model, nth)
                else {
                    return Vec::new();
                };
                lines(&[
                    json!({ "message": { "thinking": thinking, "content": text } }),
                    json!({
                        "done": true, "done_reason": finish,
                        "prompt_eval_count": 30, "prompt_eval_duration": 300_000_000,
                        "eval_count": tokens, "eval_duration": ns(decode_s),
                    }),
                ])
            }
            path => panic!("nobody asks Ollama for {path}"),
        }
    })
}

/// Of two builds in so many blocks: every answer came of a model that was loaded for it and unloaded
/// after it, warmed up by another prompt, greedily and without thinking; the first model twice a block,
/// and every second block in the order of the one before it turned round.
#[track_caller]
pub fn check_what_was_asked(server: &Server, n_blocks: usize) {
    let loads = server.bodies("/api/generate");
    let (unloaded, loaded): (Vec<_>, Vec<_>) =
        loads.iter().partition(|body| body["keep_alive"] == 0);
    assert_eq!((loaded.len(), unloaded.len()), (3 * n_blocks, 3 * n_blocks));
    let chats = server.bodies("/api/chat");
    let mut order = Vec::new();
    for two in chats.chunks(2) {
        assert!(is_warm_up(&two[0]) && !is_warm_up(&two[1]), "{two:?}");
        assert_eq!(two[1]["think"], false);
        assert_eq!(two[1]["options"]["temperature"], 0.0);
        order.push(&two[1]["model"]);
    }
    assert_eq!(order.len(), 3 * n_blocks);
    for blocks in order.chunks(6) {
        assert!(blocks.iter().eq(blocks.iter().rev()), "{blocks:?}");
        let of_first = blocks.iter().filter(|model| **model == "a").count();
        assert_eq!(of_first, 4, "{blocks:?}");
    }
}

/// A server that speaks OpenAI's chat completions and says this at the end of an answer.
pub fn openai(said: Value) -> Server {
    Server::start(move |request: &Request| match request.path.as_str() {
        "/v1/models" => reply(200, "{\"data\":[{\"id\":\"m\"}]}"),
        "/v1/chat/completions" => {
            let event = |data: Value| format!("data: {data}\n\n");
            let piece = |text: &str| {
                event(json!({ "choices": [{ "index": 0, "delta": { "content": text } }] }))
            };
            let mut end = said.clone();
            end["choices"] = json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]);
            let (first, second, end) = (piece("1, 2"), piece(", 3"), event(end));
            let mut steps = stream([first.as_str()]);
            steps.push(Step::Pause(Duration::from_millis(30)));
            steps.extend([second, end, "data: [DONE]\n\n".to_owned()].map(send));
            steps
        }
        _ => reply(404, "{}"),
    })
}

pub fn usage() -> Value {
    json!({ "usage": { "prompt_tokens": 30, "completion_tokens": 6 } })
}

/// The same with llama-server's timings.
pub fn timings() -> Value {
    let mut said = usage();
    said["timings"] =
        json!({ "prompt_n": 30, "prompt_ms": 60.0, "predicted_n": 6, "predicted_ms": 200.0 });
    said
}
