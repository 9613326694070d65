//! What is asked of servers before anything is measured: what does not hold stops the run, what cannot
//! be verified is told. On scripted servers.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod conformance;
mod scripted_server;

use std::time::Duration;

use conformance::{request, terms};
use karat::backend::ollama::Ollama;
use karat::backend::openai::OpenAi;
use karat::backend::{Generate as _, Patience, Served as _, Thinking};
use karat::generation::FailureKind;
use scripted_server::{Request, Server, reply, stream};
use serde_json::json;

const N_CTX: u32 = 512;
const TEXT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"25\"}}]}\n\n";
const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn patience() -> Patience {
    Patience { loading: Duration::from_millis(100), ..Patience::default() }
}

fn openai(server: &Server) -> OpenAi {
    OpenAi::new(&format!("{}/v1", server.base), "lab", None, patience())
}

/// A server whose pages beside the answer are these.
fn with_pages(pages: &'static [(&'static str, &'static str)]) -> Server {
    Server::start(move |request: &Request| {
        match pages.iter().find(|(path, _)| *path == request.path) {
            Some((_, body)) => reply(200, body),
            None => reply(404, "{\"error\":\"no such page\"}"),
        }
    })
}

const LIST: (&str, &str) = ("/v1/models", "{\"data\":[{\"id\":\"lab\"}]}");

#[test]
fn what_a_server_does_not_tell_is_told() {
    let server = with_pages(&[LIST]);
    let ready = openai(&server).get_ready(&terms(N_CTX, Thinking::On)).unwrap();
    assert_eq!((ready.n_ctx, ready.engine), (None, None));
    let told: String = ready.findings.iter().map(|finding| finding.message.as_str()).collect();
    for words in ["512 tokens cannot be verified", "chat template", "cache", "switch for thinking"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn a_context_is_looked_for_where_each_server_tells_it() {
    let props =
        ("/props", "{\"default_generation_settings\":{\"n_ctx\":512},\"build_info\":\"b1\"}");
    let vllm = ("/v1/models", "{\"data\":[{\"id\":\"lab\",\"max_model_len\":512}]}");
    let studio = (
        "/api/v0/models",
        "{\"data\":[{\"id\":\"lab\",\"max_context_length\":9000,\"loaded_context_length\":512}]}",
    );
    for (pages, engine) in [
        ([LIST, props].to_vec(), "llama-server b1"),
        ([vllm].to_vec(), "vLLM"),
        ([LIST, studio].to_vec(), "LM Studio"),
    ] {
        let server = with_pages(pages.leak());
        let mut backend = openai(&server);
        let ready = backend.get_ready(&terms(512, Thinking::Default)).unwrap();
        assert_eq!((ready.n_ctx, ready.engine.as_deref()), (Some(512), Some(engine)));
        let ready = backend.get_ready(&terms(256, Thinking::Default)).unwrap();
        assert!(ready.findings.iter().any(|finding| finding.message.contains("the larger one")));
        let failure = backend.get_ready(&terms(513, Thinking::Default)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotAsAsked, "{failure}");
    }
}

#[test]
fn thinking_that_is_left_to_llama_server_is_told() {
    let props = ("/props", "{\"default_generation_settings\":{\"n_ctx\":512}}");
    let server = with_pages(vec![LIST, props].leak());
    let told = |thinking| {
        let ready = openai(&server).get_ready(&terms(N_CTX, thinking)).unwrap();
        ready.findings.iter().any(|one| one.message.contains("thinking is left to llama-server"))
    };
    assert!(told(Thinking::Default) && !told(Thinking::Off));
}

#[test]
fn what_a_server_says_of_its_model_is_found_where_each_kind_says_it() {
    let props = (
        "/props",
        "{\"default_generation_settings\":{\"n_ctx\":512},\"model_path\":\"/m.gguf\",\
         \"build_info\":\"b1\",\"chat_template\":\"t\"}",
    );
    let llama =
        ("/v1/models", "{\"data\":[{\"id\":\"x\",\"created\":777777,\"meta\":{\"size\":9}}]}");
    let vllm =
        ("/v1/models", "{\"data\":[{\"id\":\"lab\",\"max_model_len\":512,\"root\":\"org/m\"}]}");
    let studio = (
        "/api/v0/models",
        "{\"data\":[{\"id\":\"lab\",\"max_context_length\":9000,\"quantization\":\"Q4_0\"}]}",
    );
    let said = |pages: Vec<(&'static str, &'static str)>| {
        openai(&with_pages(pages.leak())).identify().unwrap()
    };
    let llama = said(vec![llama, props]).unwrap();
    for words in ["model_path \"/m.gguf\"", "build_info \"b1\"", "chat template e3b98a4d", "size 9"]
    {
        assert!(llama.contains(words), "{words}: {llama}");
    }
    assert!(!llama.contains("777777"), "the moment of the question is no part of it: {llama}");
    assert_eq!(said(vec![vllm]).as_deref(), Some("root \"org/m\""));
    assert_eq!(said(vec![LIST, studio]).as_deref(), Some("quantization \"Q4_0\""));
    assert_eq!(said(vec![LIST]), None);
}

#[test]
fn tokens_are_counted_by_llama_server_and_by_no_other() {
    let props = ("/props", "{\"default_generation_settings\":{\"n_ctx\":512}}");
    let tokens = ("/tokenize", "{\"tokens\":[4,5,6]}");
    let counted = |pages: Vec<(&'static str, &'static str)>| {
        let server = with_pages(pages.leak());
        let mut backend = openai(&server);
        backend.identify().unwrap();
        let counted = backend.count_tokens("a \"b\"");
        (counted.map_err(|failure| failure.kind), server.bodies("/tokenize"))
    };
    let asked = json!({"content": "a \"b\"", "add_special": false, "parse_special": false});
    assert_eq!(counted(vec![LIST, props, tokens]), (Ok(Some(3)), vec![asked.clone()]));
    assert_eq!(counted(vec![LIST, tokens]), (Ok(None), Vec::new()));
    assert_eq!(counted(vec![LIST, props]), (Err(FailureKind::Refused), vec![asked.clone()]));
    let strange = ("/tokenize", "{}");
    assert_eq!(counted(vec![LIST, props, strange]), (Err(FailureKind::InvalidReply), vec![asked]));
}

#[test]
fn a_model_that_is_not_on_the_list() {
    let server = with_pages(&[("/v1/models", "{\"data\":[{\"id\":\"other\"}]}")]);
    let failure = openai(&server).get_ready(&terms(N_CTX, Thinking::Default)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoSuchModel);
    assert!(failure.message.contains("other"), "{failure}");
}

/// Ollama with this model loaded for ever and this to say of the lab model.
fn stubborn_ollama(ps: &'static str, show: &'static str) -> Server {
    Server::start(move |request| match request.path.as_str() {
        "/api/version" => reply(200, "{\"version\":\"0.12.6\"}"),
        "/api/show" => reply(200, show),
        "/api/ps" => reply(200, ps),
        _ => reply(200, "{\"done\":true}"),
    })
}

#[track_caller]
fn check_ollama(ps: &'static str, show: &'static str, thinking: Thinking, words: &str) {
    let server = stubborn_ollama(ps, show);
    let mut backend = Ollama::new(&server.base, "lab", None, patience());
    let failure = backend.get_ready(&terms(N_CTX, thinking)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotAsAsked);
    assert!(failure.message.contains(words), "{failure}");
    assert!(server.bodies("/api/chat").is_empty(), "nothing was measured");
}

#[test]
fn a_context_that_ollama_did_not_take_stops_the_run() {
    let ps = "{\"models\":[{\"name\":\"lab:latest\",\"context_length\":256}]}";
    check_ollama(ps, "{}", Thinking::Default, "keeps `lab:latest` loaded");
    let other = "{\"models\":[{\"name\":\"other:latest\",\"context_length\":512}]}";
    check_ollama(other, "{}", Thinking::Default, "keeps `other:latest` loaded");
    check_ollama("{\"models\":[]}", "{}", Thinking::Default, "not there any more");
}

/// Ollama that says each of these in turn of who is loaded, the last one from then on, and answers.
fn changing_ollama(ps: &'static [&'static str], answer: &'static str) -> Server {
    let mut n_looks = 0;
    Server::start(move |request| match request.path.as_str() {
        "/api/version" => reply(200, "{\"version\":\"0.12.6\"}"),
        "/api/show" => reply(200, "{\"capabilities\":[\"completion\",\"thinking\"]}"),
        "/api/ps" => {
            n_looks += 1;
            reply(200, ps[(n_looks - 1).min(ps.len() - 1)])
        }
        "/api/chat" => stream([answer]),
        _ => reply(200, "{\"done\":true}"),
    })
}

const NOBODY: &str = "{\"models\":[]}";
const LAB: &str = "{\"models\":[{\"name\":\"lab:latest\",\"context_length\":512}]}";
const SMALL_LAB: &str = "{\"models\":[{\"name\":\"lab:latest\",\"context_length\":256}]}";
const TWO: &str = "{\"models\":[{\"name\":\"lab:latest\",\"context_length\":512},\
                   {\"name\":\"other:latest\",\"context_length\":64}]}";

#[test]
fn what_ollama_loaded_is_looked_at_before_anything_is_measured() {
    for (loaded, words) in [
        (SMALL_LAB, "runs `lab` with a context of 256 tokens, 512 were asked for"),
        (TWO, "`other:latest` is loaded beside `lab`"),
        (NOBODY, "not there any more"),
    ] {
        // Nobody, looked at twice; then what the load brought.
        let server = changing_ollama(vec![NOBODY, NOBODY, loaded].leak(), "");
        let mut backend = Ollama::new(&server.base, "lab", None, patience());
        let failure = backend.get_ready(&terms(N_CTX, Thinking::Default)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotAsAsked);
        assert!(failure.message.contains(words), "{failure}");
        assert!(server.bodies("/api/chat").is_empty(), "nothing was measured");
    }
}

#[test]
fn what_became_of_ollamas_memory_is_told_at_the_end() {
    for (at_the_end, words) in [
        (TWO, "at the end `other:latest` was loaded beside `lab`"),
        (SMALL_LAB, "at the end `lab` had another context"),
        (LAB, "still has `lab` loaded"),
    ] {
        let server = changing_ollama(vec![NOBODY, NOBODY, LAB, at_the_end].leak(), "");
        let mut backend = Ollama::new(&server.base, "lab", None, patience());
        backend.get_ready(&terms(N_CTX, Thinking::Default)).unwrap();
        let findings = backend.finish().unwrap();
        assert!(findings.iter().any(|one| one.message.contains(words)), "{words}: {findings:?}");
    }
}

#[test]
fn thinking_that_ollama_left_out_without_a_word_is_told_at_the_end() {
    let answer = "{\"message\":{\"content\":\"25\"},\"done\":true,\"done_reason\":\"stop\"}\n";
    let server = changing_ollama(&[NOBODY, NOBODY, LAB, LAB, NOBODY], answer);
    let mut backend = Ollama::new(&server.base, "lab", None, patience());
    let terms = terms(N_CTX, Thinking::On);
    backend.get_ready(&terms).unwrap();
    backend.generate(&request(60, terms), &mut |_| true).unwrap();
    let findings = backend.finish().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].message.contains("none of 1 answer shows any"), "{findings:?}");
}

#[test]
fn ollama_says_which_model_is_behind_a_name_by_its_digest() {
    let pages = |tags: &'static str| {
        Server::start(move |request| match request.path.as_str() {
            "/api/version" => reply(200, "{\"version\":\"0.12.6\"}"),
            "/api/tags" => reply(200, tags),
            _ => reply(404, "{}"),
        })
    };
    let said = |server: &Server| Ollama::new(&server.base, "Lab", None, patience()).identify();
    let two = "{\"models\":[{\"name\":\"other:latest\",\"digest\":\"1\"},\
               {\"name\":\"lab:latest\",\"digest\":\"2\"}]}";
    assert_eq!(said(&pages(two)).unwrap().as_deref(), Some("digest 2, Ollama 0.12.6"));
    assert_eq!(said(&pages(NOBODY)).unwrap(), None);
    let gateway = Server::start(|_| reply(404, "{}"));
    assert_eq!(said(&gateway).unwrap(), None, "a gateway without the list");
}

#[test]
fn thinking_that_ollama_would_silently_leave_out_stops_the_run() {
    let ps = "{\"models\":[]}";
    check_ollama(ps, "{\"capabilities\":[\"completion\"]}", Thinking::On, "cannot think");
    let levels = "{\"capabilities\":[\"thinking\"],\"thinking\":{\"values\":[\"low\",\"high\"]}}";
    check_ollama(ps, levels, Thinking::Level("huge".to_owned()), "which knows: \"low\", \"high\"");
    check_ollama(ps, levels, Thinking::Off, "which knows");
}

#[test]
fn a_level_that_ollama_does_not_list_cannot_be_verified() {
    let told = |thinking| {
        let mut loaded = json!({"models": []});
        let server = Server::start(move |request| match request.path.as_str() {
            "/api/version" => reply(200, "{\"version\":\"0.12.6\"}"),
            "/api/show" => reply(200, "{\"capabilities\":[\"thinking\"]}"),
            "/api/ps" => reply(200, loaded.to_string()),
            _ => {
                loaded = json!({"models": [{"name": "lab", "context_length": N_CTX}]});
                reply(200, "{}")
            }
        });
        let mut backend = Ollama::new(&server.base, "lab", None, patience());
        let ready = backend.get_ready(&terms(N_CTX, thinking)).unwrap();
        ready.findings.iter().any(|one| one.message.contains("that it knows \"huge\" cannot be"))
    };
    assert!(told(Thinking::Level("huge".to_owned())));
    assert!(!told(Thinking::On));
}

#[test]
fn thinking_that_never_came_is_told_at_the_end() {
    let server = Server::start(|request| match request.path.as_str() {
        "/v1/models" => reply(200, LIST.1),
        "/v1/chat/completions" => stream([TEXT, STOP, DONE]),
        _ => reply(404, "{}"),
    });
    let mut backend = openai(&server);
    let terms = terms(N_CTX, Thinking::On);
    backend.get_ready(&terms).unwrap();
    for _ in 0..2 {
        backend.generate(&request(60, terms.clone()), &mut |_| true).unwrap();
    }
    let findings = backend.finish().unwrap();
    assert!(findings[0].message.contains("none of 2 answers shows any"), "{findings:?}");
}

#[test]
fn a_model_that_ollama_does_not_have() {
    let server = Server::start(|request| match request.path.as_str() {
        "/api/version" => reply(200, "{\"version\":\"0.12.6\"}"),
        _ => reply(404, "{\"error\":\"model 'lab' not found\"}"),
    });
    let mut backend = Ollama::new(&server.base, "lab", None, patience());
    let failure = backend.get_ready(&terms(N_CTX, Thinking::Default)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoSuchModel);
    assert!(failure.message.contains("ollama pull lab"), "{failure}");
}
