//! karat against a real llama-server: the suite of all backends, the embedded engine's text to the
//! character, and `karat bench` as a whole command. `./x test` gets the server; without it the tests are
//! ignored, and told to be.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;
mod conformance;
mod llama_server;

use cli_lab::{ORIGINAL, Place, lab};
use conformance::{QUESTION, conforms, request, terms};
use karat::backend::embedded::EmbeddedParams;
use karat::backend::embedded_generate::EmbeddedGenerate;
use karat::backend::openai::OpenAi;
use karat::backend::{ChatRequest, Generate as _, Patience, Served as _, Thinking};
use karat::chat::Conversation;
use karat::settings::Kv;
use karat_llama::Threads;
use llama_server::LlamaServer;
use serde_json::{Value, json};

const N_CTX: u32 = 512;

fn server(n_ctx: u32) -> LlamaServer {
    LlamaServer::start(&lab(ORIGINAL), n_ctx)
}

fn backend(server: &LlamaServer) -> OpenAi {
    OpenAi::new(&server.v1(), llama_server::NAME, None, Patience::default())
}

fn embedded() -> EmbeddedGenerate {
    let params = EmbeddedParams {
        n_ctx: N_CTX,
        n_batch: N_CTX,
        n_ubatch: N_CTX,
        kv: Kv::F16,
        gpu_layers: Some(0),
    };
    EmbeddedGenerate::load(&lab(ORIGINAL), &params, &Threads::new(1).unwrap(), || {}).unwrap()
}

#[test]
#[ignore = "needs a real llama-server, which `./x test` gets"]
fn it_conforms() {
    let server = server(N_CTX);
    conforms(&mut backend(&server), N_CTX);
}

#[test]
#[ignore = "needs a real llama-server, which `./x test` gets"]
fn it_does_not_outlive_its_test() {
    assert!(server(N_CTX).ends_when_left_alone());
}

#[test]
#[ignore = "needs a real llama-server, which `./x test` gets"]
fn it_writes_what_the_embedded_engine_writes() {
    let server = server(N_CTX);
    let (mut served, mut engine) = (backend(&server), embedded());
    for thinking in [Thinking::On, Thinking::Off] {
        let terms = terms(N_CTX, thinking);
        served.get_ready(&terms).unwrap();
        engine.get_ready(&terms).unwrap();
        let request = request(200, terms);
        let there = served.generate(&request, &mut |_| true).unwrap();
        let here = engine.generate(&request, &mut |_| true).unwrap();
        assert_eq!((&there.visible, &there.thinking), (&here.visible, &here.thinking));
        assert_eq!(there.finish, here.finish);
        assert_eq!(there.tokens.prompt, here.tokens.prompt);
        assert_eq!(there.tokens.total, here.tokens.total);
        let (there_visible, here_visible) =
            (there.tokens.visible.unwrap(), here.tokens.visible.unwrap());
        assert_eq!(
            there_visible.tokens, here_visible.tokens,
            "split by the server's own tokenizer"
        );
        assert!(here_visible.exact && !there_visible.exact);
        assert!(there.timings.server_decode_s.is_some() && there.timings.server_prompt_s.is_some());
    }
}

#[test]
#[ignore = "needs a real llama-server, which `./x test` gets"]
fn it_renders_the_prompt_that_the_embedded_engine_reads() {
    let server = server(N_CTX);
    let mut engine = embedded();
    let rendered = |asked: &Conversation| {
        let body = json!({ "messages": asked.messages(), "chat_template_kwargs": asked.kwargs() });
        post(&server, "/apply-template", &body)["prompt"].clone()
    };
    let turns: [&[(&str, &str)]; 4] = [
        &[("user", QUESTION)],
        &[("system", "Answer in Polish."), ("user", "  Zażółć gęślą jaźń.\n\n")],
        &[("user", "One?"), ("assistant", "Two."), ("user", "Three?")],
        &[("user", "a"), ("assistant", "<|channel>thought\nhm\n<channel|>b"), ("user", "{{ c }}")],
    ];
    for turns in turns {
        let conversation = Conversation::of(turns.iter().copied());
        let on = rendered(&Thinking::On.switch(conversation.clone()));
        assert_eq!(rendered(&conversation), on, "left to itself, the server has it think");
        for thinking in [Thinking::Off, Thinking::On] {
            let prompt = rendered(&thinking.switch(conversation.clone()));
            let terms = terms(N_CTX, thinking);
            engine.get_ready(&terms).unwrap();
            let request = ChatRequest { conversation: conversation.clone(), max_tokens: 1, terms };
            let here = engine.generate(&request, &mut |_| true).unwrap().raw.request;
            // The server leaves out the token that the vocabulary adds by itself.
            assert_eq!(prompt, here.strip_prefix("<bos>").unwrap_or(&here), "{turns:?}");
        }
    }
}

#[test]
#[ignore = "needs a real llama-server, which `./x test` gets"]
fn it_says_what_its_model_is_and_counts_its_tokens() {
    let one = server(N_CTX);
    let mut backend = backend(&one);
    let said = backend.identify().unwrap().unwrap();
    assert!(said.contains(ORIGINAL) && said.contains("n_params "), "{said}");
    assert_eq!(backend.identify().unwrap().unwrap(), said, "the moment is no part of it");
    let text = "<bos>2026-03-14T00:12 żółw\n";
    let body = json!({ "content": text, "add_special": false, "parse_special": false });
    let tokens = post(&one, "/tokenize", &body)["tokens"].as_array().unwrap().len() as u64;
    assert_eq!(backend.count_tokens(text).unwrap(), Some(tokens));
    assert!(tokens > 10, "`<bos>` is text here, not one token");
}

fn post(server: &LlamaServer, path: &str, body: &Value) -> Value {
    let mut reply = ureq::post(format!("{}{path}", server.base))
        .header("content-type", "application/json")
        .send(body.to_string())
        .unwrap();
    serde_json::from_str(&reply.body_mut().read_to_string().unwrap()).unwrap()
}

/// `karat bench` of a model, as small as it is still all of it.
fn bench(place: &Place, model: &str) -> assert_cmd::Command {
    let mut command = place.karat(["bench", model, "--suite", "quick", "--repeats", "1"]);
    command.args(["--log-tokens", "600", "--max-tokens", "200", "--thinking", "on"]);
    command.args(["--threads", "1", "--quiet"]);
    command
}

/// Of each attempt, what does not depend on time.
fn told(document: &Value) -> Vec<Value> {
    let told = |attempt: &Value| {
        let keys = ["instance", "outcome", "points", "reason", "tokens", "answer_in_thinking"];
        json!(keys.map(|key| &attempt[key]))
    };
    document["attempts"].as_array().unwrap().iter().map(told).collect()
}

#[test]
#[ignore = "needs a real llama-server, which `./x test` gets"]
fn bench_of_it_scores_as_bench_of_the_file_does() {
    let (here, there) = (Place::new(), Place::new());
    bench(&here, lab(ORIGINAL).to_str().unwrap()).assert().success();
    let server = server(2048);
    bench(&there, &server.model()).args(["--task-ctx", "2048"]).assert().success();
    let (here, there) = (here.document(), there.document());
    assert_eq!(told(&there), told(&here));
    assert_eq!(told(&there).len(), 6);
    let passed = there["attempts"].as_array().unwrap().iter();
    assert!(passed.clone().any(|attempt| attempt["outcome"] == "pass"));
    for attempt in passed {
        let sum = ["visible_tokens", "thinking_tokens"].map(|key| attempt[key].as_u64().unwrap());
        assert_eq!(Some(sum[0] + sum[1]), attempt["tokens"].as_u64());
        assert_eq!(attempt["split_is_exact"], false);
    }
    let findings = there["findings"].to_string();
    assert!(findings.contains("counted with the server's /tokenize"), "{findings}");
}

#[test]
#[ignore = "needs a real llama-server, which `./x test` gets"]
fn a_context_that_it_does_not_have_is_refused_before_anything_is_measured() {
    let place = Place::new();
    let server = server(N_CTX);
    let output = bench(&place, &server.model()).args(["--task-ctx", "1024"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("a context of 512 tokens, 1024 were asked for"), "{said}");
    assert_eq!(place.stored("sample"), 0);
}
