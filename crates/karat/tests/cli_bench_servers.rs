//! `karat bench` of models on scripted servers: which model an answer is of, how long a prompt is, and
//! what is recorded where a server does wrong.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;
mod scripted_server;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cli_lab::Place;
use scripted_server::{Request, Server, Step, head, reply, send, stream};
use serde_json::{Value, json};

/// `karat bench` of two tasks, each asked once.
fn bench(place: &Place, model: &str) -> assert_cmd::Command {
    let mut command = place.karat(["bench", model, "--family", "strict_json,exact_arithmetic"]);
    command.args(["--repeats", "1", "--answer-timeout", "3", "--quiet"]);
    command
}

fn findings(place: &Place) -> String {
    place.document()["findings"].to_string()
}

/// A whole answer of an OpenAI-compatible server.
fn answered() -> Vec<Step> {
    stream([
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"25\"}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}\n\n",
        "data: [DONE]\n\n",
    ])
}

/// A server whose model can be changed, and which answers so many questions before it hangs up on each.
struct Changeable {
    server: Server,
    /// What it says of itself: the pages beside the answers.
    pages: Arc<Mutex<Value>>,
    n_left: Arc<AtomicU64>,
}

impl Changeable {
    fn start(pages: Value) -> Self {
        let (pages, n_left) = (Arc::new(Mutex::new(pages)), Arc::new(AtomicU64::new(0)));
        let (shown, left) = (Arc::clone(&pages), Arc::clone(&n_left));
        let server = Server::start(move |request: &Request| {
            if request.path != "/v1/chat/completions" {
                return match shown.lock().unwrap().get(&request.path) {
                    Some(page) => reply(200, page.to_string()),
                    None => reply(404, "{\"error\":\"no such page\"}"),
                };
            }
            let ended = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
            if ended.is_err() { Vec::new() } else { answered() }
        });
        Self { server, pages, n_left }
    }

    fn say(&self, path: &str, page: Value) {
        self.pages.lock().unwrap()[path] = page;
    }

    /// Runs `karat bench` with so many answers to give; its exit code, and how often it asked.
    fn bench(&self, place: &Place, n_answers: u64) -> (Option<i32>, usize) {
        let asked = || self.server.bodies("/v1/chat/completions").len();
        self.n_left.store(n_answers, Ordering::SeqCst);
        let before = asked();
        let model = format!("{}/v1#lab", self.server.base);
        let code = bench(place, &model).output().unwrap().status.code();
        (code, asked() - before)
    }
}

fn list() -> Value {
    json!({"data": [{"id": "lab", "meta": {"size": 9, "n_params": 4}, "created": 1}]})
}

fn props(path: &str) -> Value {
    json!({"default_generation_settings": {"n_ctx": 32768}, "model_path": path, "build_info": "b1"})
}

const GONE_ON: &str = "the earlier ones may be another model's";

#[test]
fn a_series_is_gone_on_with_only_by_the_model_that_began_it() {
    let place = Place::new();
    let changeable = Changeable::start(json!({"/v1/models": list(), "/props": props("/m.gguf")}));
    // The answer that warms up, and one task; at the other it hangs up.
    assert_eq!(changeable.bench(&place, 2), (Some(0), 3));
    changeable.say("/props", props("/other.gguf"));
    assert_eq!(changeable.bench(&place, 2), (Some(0), 3), "a series of its own");
    let mut later = list();
    later["data"][0]["created"] = json!(2);
    changeable.say("/v1/models", later);
    assert_eq!(changeable.bench(&place, 9), (Some(0), 2), "that series is gone on with");
    changeable.say("/props", props("/m.gguf"));
    assert_eq!(
        changeable.bench(&place, 9),
        (Some(0), 2),
        "and the first one, when its model is back"
    );
    assert!(!findings(&place).contains(GONE_ON), "{}", findings(&place));
}

#[test]
fn a_series_of_a_server_that_tells_only_a_name_is_gone_on_with_and_that_is_told() {
    let place = Place::new();
    let changeable = Changeable::start(json!({"/v1/models": {"data": [{"id": "lab"}]}}));
    assert_eq!(changeable.bench(&place, 2), (Some(0), 3));
    assert!(!findings(&place).contains(GONE_ON));
    assert_eq!(changeable.bench(&place, 9), (Some(0), 2));
    assert!(findings(&place).contains(GONE_ON), "{}", findings(&place));
}

/// Ollama with one model, which it can load, ask and unload, and whose tokens have three bytes each.
fn ollama(digest: impl Fn() -> String + Send + 'static) -> Server {
    let mut loaded: Vec<Value> = Vec::new();
    Server::start(move |request| {
        let asked = request.json();
        match request.path.as_str() {
            "/api/version" => reply(200, "{\"version\":\"0.12.6\"}"),
            "/api/show" => reply(
                200,
                json!({
                    "capabilities": ["completion"], "details": {"quantization_level": "Q4_K_M"},
                })
                .to_string(),
            ),
            "/api/tags" => {
                let entry = json!({"name": "lab:latest", "digest": digest(), "size": 7_000_000});
                reply(200, json!({"models": [{"name": "a:b", "digest": "1"}, entry]}).to_string())
            }
            "/api/ps" => reply(200, json!({"models": loaded}).to_string()),
            "/api/generate" => {
                loaded.clear();
                if asked["keep_alive"] != 0 {
                    let n_ctx = &asked["options"]["num_ctx"];
                    loaded.push(json!({
                        "name": "lab:latest", "context_length": n_ctx,
                        "size": 9_437_184, "size_vram": 4_194_304,
                    }));
                }
                reply(200, "{\"done\":true}")
            }
            "/api/chat" => {
                let messages = asked["messages"].as_array().unwrap();
                let bytes: usize =
                    messages.iter().map(|one| one["content"].as_str().unwrap().len()).sum();
                let last = json!({
                    "message": {"content": "25"}, "done": true, "done_reason": "stop",
                    "prompt_eval_count": 17 + bytes / 3, "eval_count": 1,
                });
                vec![head(), send(format!("{last}\n"))]
            }
            _ => reply(404, "{}"),
        }
    })
}

/// The log as it was asked of the server, in bytes.
fn log_bytes(place: &Place, server: &Server, args: &[&str]) -> usize {
    let mut command = place.karat(["bench", "ollama:lab", "--family", "long_context_recall"]);
    command.args(["--repeats", "1", "--log-tokens", "3000", "--quiet"]).args(args);
    command.env("OLLAMA_HOST", &server.base).assert().success();
    let prompt = |body: &Value| body["messages"][0]["content"].as_str().map(str::len);
    server.bodies("/api/chat").iter().filter_map(prompt).max().unwrap_or_default()
}

#[test]
fn a_log_has_as_many_tokens_as_the_servers_own_counter_says() {
    let place = Place::new();
    let server = ollama(|| "abc".to_owned());
    // 3000 tokens of three bytes, the question after them, and no more than a line less.
    let bytes = log_bytes(&place, &server, &[]);
    assert!((8_900..9_200).contains(&bytes), "{bytes}");
    let told = findings(&place);
    assert!(told.contains("worked out at 3.0"), "{told}");
    assert!(told.contains("the server's own counter"), "{told}");
    let unloaded =
        server.bodies("/api/generate").iter().filter(|body| body["keep_alive"] == 0).count();
    assert!(unloaded >= 2, "after it was asked to count, and at the end");
}

#[test]
fn what_ollama_says_of_a_loaded_model_is_kept_with_the_run() {
    let place = Place::new();
    let server = ollama(|| "abc".to_owned());
    let mut command = bench(&place, "ollama:lab");
    let output = command.env("OLLAMA_HOST", &server.base).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("Ollama 0.12.6, Q4_K_M, context 32768, 9.00 MiB resident"), "{told}");
    let document = place.document();
    let bytes = |metric: &str| {
        let rows = document["estimates"].as_array().unwrap();
        let row = rows.iter().find(|row| row["metric"] == metric).unwrap();
        assert_eq!((&row["instrument"], &row["unit"]), (&json!("behaviour"), &json!("bytes")));
        row["value"].as_f64().unwrap()
    };
    assert_eq!((bytes("resident_bytes"), bytes("vram_bytes")), (9_437_184.0, 4_194_304.0));
    assert_eq!(document["models"][0]["bytes"], 7_000_000);
    let answers = document["answers"].to_string();
    assert!(answers.contains("no bigger build to compare with"), "{answers}");
}

#[test]
fn a_plan_alone_asks_no_model_anything() {
    let place = Place::new();
    let server = ollama(|| "abc".to_owned());
    assert_eq!(log_bytes(&place, &server, &["--dry-run"]), 0);
    assert!(server.bodies("/api/generate").is_empty(), "nothing is loaded");
}

#[test]
fn a_model_that_changes_while_it_is_asked_is_told() {
    let place = Place::new();
    let is_pulled = Arc::new(AtomicBool::new(false));
    let (told, pulled) = (AtomicU64::new(0), Arc::clone(&is_pulled));
    // Planning and the start see one model; whoever asks after that sees another.
    let server = ollama(move || {
        let n = told.fetch_add(1, Ordering::SeqCst);
        if n < 2 {
            "abc".to_owned()
        } else {
            pulled.store(true, Ordering::SeqCst);
            "def".to_owned()
        }
    });
    bench(&place, "ollama:lab").env("OLLAMA_HOST", &server.base).assert().success();
    assert!(is_pulled.load(Ordering::SeqCst));
    assert!(findings(&place).contains("the answers are of both"), "{}", findings(&place));
}

#[test]
fn a_server_that_does_not_say_at_the_end_what_it_has_is_told() {
    let place = Place::new();
    let mut n_answers = 0;
    let server = Server::start(move |request| match request.path.as_str() {
        // One to warm up and two tasks; then it has had enough.
        "/v1/models" if n_answers == 3 => reply(500, "{}"),
        "/v1/models" => reply(200, list().to_string()),
        "/v1/chat/completions" => {
            n_answers += 1;
            answered()
        }
        _ => reply(404, "{}"),
    });
    bench(&place, &format!("{}/v1#lab", server.base)).assert().success();
    assert_eq!(place.document()["attempts"].as_array().unwrap().len(), 2);
    let told = "at the end the server did not say any more which model it has";
    assert!(findings(&place).contains(told), "{}", findings(&place));
}

#[test]
fn a_model_that_changed_between_plan_and_run_is_not_asked() {
    let place = Place::new();
    let told = AtomicU64::new(0);
    let server = ollama(move || told.fetch_add(1, Ordering::SeqCst).to_string());
    let output = bench(&place, "ollama:lab").env("OLLAMA_HOST", &server.base).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("digest 1, ") && said.contains("digest 0, "), "{said}");
    assert_eq!((place.stored("sample"), server.bodies("/api/chat").len()), (0, 0));
}

/// What a server sends for each answer, and what is recorded of it: outcome and reason.
#[track_caller]
fn check_recorded(script: &[Step], outcome: &str, reason: &str) -> Place {
    let script = script.to_vec();
    let server = Server::start(move |request| match request.path.as_str() {
        "/v1/models" => reply(200, "{\"data\":[{\"id\":\"lab\"}]}"),
        "/v1/chat/completions" => script.clone(),
        _ => reply(404, "{}"),
    });
    let place = Place::new();
    let command = &mut bench(&place, &format!("{}/v1#lab", server.base));
    // Without any answer the step failed.
    command.assert().code(if outcome == "error" { 3 } else { 0 });
    let document = place.document();
    let attempts = document["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2, "both tasks are recorded");
    for attempt in attempts {
        assert_eq!(attempt["outcome"], outcome, "{attempt}");
        assert!(attempt["reason"].as_str().unwrap().contains(reason), "{attempt}");
    }
    assert_eq!(server.bodies("/v1/chat/completions").len(), 3, "asked once, after one to warm up");
    place
}

#[test]
fn every_fault_is_a_recorded_outcome() {
    const TEXT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"25\"}}]}\n\n";
    const THOUGHT: &str =
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n";
    const LENGTH: &str =
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
    const DONE: &str = "data: [DONE]\n\n";
    const NULL: &str = "data: {\"choices\":[{\"delta\":null,\"finish_reason\":\"stop\"}]}\n\n";
    check_recorded(&stream([TEXT]), "error", "in the middle of an answer");
    check_recorded(&stream(["data: {\n\n"]), "error", "no chunk of an answer");
    check_recorded(&stream([DONE]), "error", "without an answer");
    check_recorded(&reply(404, "{\"error\":\"model gone\"}"), "error", "does not know the model");
    check_recorded(&reply(500, "{\"error\":\"boom\"}"), "error", "boom");
    let never = [head(), send("data: "), Step::Forever(b"aaaaaaaa".to_vec())];
    check_recorded(&never, "error", "a line of more than");
    check_recorded(&stream([THOUGHT, LENGTH, DONE]), "starved", "");
    check_recorded(&stream([TEXT, NULL, DONE]), "fail", "");
}

#[test]
fn a_server_that_is_too_slow_is_a_recorded_outcome() {
    let server = Server::start(|request| match request.path.as_str() {
        "/v1/models" => reply(200, "{\"data\":[{\"id\":\"lab\"}]}"),
        "/v1/chat/completions" => vec![Step::Pause(Duration::from_millis(1500))],
        _ => reply(404, "{}"),
    });
    let place = Place::new();
    let mut command = place.karat(["bench", &format!("{}/v1#lab", server.base)]);
    command.args(["--family", "strict_json", "--repeats", "1", "--answer-timeout", "1", "--quiet"]);
    command.assert().code(3);
    let attempt = place.document()["attempts"][0].clone();
    assert_eq!(attempt["outcome"], "error", "{attempt}");
    assert!(attempt["reason"].as_str().unwrap().contains("took longer"), "{attempt}");
}
