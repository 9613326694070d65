//! What servers do wrong, and what becomes of it: each a recorded failure or a whole answer, on
//! scripted servers.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod conformance;
mod scripted_server;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use conformance::{request, terms};
use karat::backend::ollama::Ollama;
use karat::backend::openai::OpenAi;
use karat::backend::{Generate, Patience, Thinking};
use karat::generation::{FailureKind, FinishReason, Generation, GenerationFailure};
use karat::settings::ApiKey;
use scripted_server::{Server, Step, chunked_head, head, piece, reply, send, stream};
use serde_json::json;

const N_CTX: u32 = 512;
const TEXT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"25\"}}]}\n\n";
const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn patience() -> Patience {
    Patience {
        connect: Duration::from_secs(2),
        first_byte: Duration::from_millis(600),
        idle: Duration::from_millis(150),
        total: Duration::from_millis(2500),
        loading: Duration::ZERO,
        absent: Duration::MAX,
        retry_pause: Duration::from_millis(10),
        line_bytes: 8 << 10,
        stream_bytes: 256 << 10,
    }
}

fn openai(server: &Server) -> OpenAi {
    OpenAi::new(&format!("{}/v1", server.base), "lab", None, patience())
}

fn ask(backend: &mut dyn Generate) -> Result<Generation, GenerationFailure> {
    backend.generate(&request(60, terms(N_CTX, Thinking::Default)), &mut |_| true)
}

/// An answer of an OpenAI-compatible server that sends this.
fn answered(script: Vec<Step>) -> Result<Generation, GenerationFailure> {
    let server = Server::start(move |_| script.clone());
    ask(&mut openai(&server))
}

/// The same of Ollama.
fn answered_by_ollama(script: Vec<Step>) -> Result<Generation, GenerationFailure> {
    let server = Server::start(move |_| script.clone());
    ask(&mut Ollama::new(&server.base, "lab", None, patience()))
}

#[track_caller]
fn check(result: Result<Generation, GenerationFailure>, kind: FailureKind, words: &str) -> String {
    let failure = result.unwrap_err();
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.message.contains(words), "{failure}");
    failure.partial.map(|partial| partial.visible).unwrap_or_default()
}

fn pause(ms: u64) -> Step {
    Step::Pause(Duration::from_millis(ms))
}

#[test]
fn nobody_at_the_address() {
    let base = Server::start(|_| Vec::new()).base.clone();
    let mut backend = OpenAi::new(&format!("{base}/v1"), "lab", None, patience());
    check(ask(&mut backend), FailureKind::Unreachable, "is the server running");
    let mut backend = Ollama::new(&base, "lab", None, patience());
    check(ask(&mut backend), FailureKind::Unreachable, "is the server running");
}

#[test]
fn a_server_that_hangs_up_without_a_word() {
    check(answered(Vec::new()), FailureKind::HungUp, "without a reply");
}

#[test]
fn a_server_that_never_begins() {
    check(answered(vec![pause(1500)]), FailureKind::TimedOut, "after it was asked");
    check(answered_by_ollama(vec![pause(1500)]), FailureKind::TimedOut, "after it was asked");
}

#[test]
fn a_server_that_stops_in_the_middle() {
    let script = vec![head(), send(TEXT), pause(1000), send(TEXT)];
    let came = check(answered(script), FailureKind::TimedOut, "in the middle");
    assert_eq!(came, "25", "what had come is kept");
}

#[test]
fn the_first_byte_may_take_longer_than_the_next_one() {
    let mut script = vec![pause(400)];
    script.extend(stream([TEXT, STOP, DONE]));
    assert_eq!(answered(script).unwrap().visible, "25");
}

#[test]
fn a_stream_that_trickles_for_ever_runs_out_of_time() {
    let comments = (0..100).flat_map(|_| [send(": ping\n\n"), pause(50)]);
    let script = std::iter::once(head()).chain(comments).collect();
    check(answered(script), FailureKind::TimedOut, "in all");
}

#[test]
fn half_a_stream() {
    let came = check(answered(stream([TEXT, TEXT])), FailureKind::BrokenStream, "in the middle");
    assert_eq!(came, "2525");
    let script = vec![chunked_head(), piece(TEXT)];
    assert_eq!(check(answered(script), FailureKind::BrokenStream, "in the middle"), "25");
    let line = "{\"message\":{\"content\":\"25\"},\"done\":false}\n";
    assert_eq!(
        check(answered_by_ollama(stream([line])), FailureKind::BrokenStream, "middle"),
        "25"
    );
}

#[test]
fn a_stream_that_never_ends() {
    let script = vec![head(), Step::Forever(TEXT.as_bytes().to_vec())];
    check(answered(script), FailureKind::Endless, "bytes");
    let line = format!("{}\n", json!({"message": {"content": "again and again"}, "done": false}));
    let script = vec![head(), Step::Forever(line.into_bytes())];
    check(answered_by_ollama(script), FailureKind::Endless, "bytes");
}

#[test]
fn a_line_that_never_ends() {
    let script = vec![head(), send("data: "), Step::Forever(b"aaaaaaaa".to_vec())];
    check(answered(script), FailureKind::Endless, "a line of more than 8192 bytes");
}

#[test]
fn what_is_no_json() {
    check(answered(stream(["data: {\"choices\": [\n\n"])), FailureKind::InvalidReply, "no chunk");
    check(answered(stream(["<html>busy</html>\n"])), FailureKind::InvalidReply, "<html>busy");
    check(answered_by_ollama(stream(["busy\n"])), FailureKind::InvalidReply, "busy");
    check(answered(vec![send("SSH-2.0-OpenSSH_9.2\r\n\r\n")]), FailureKind::InvalidReply, "HTTP");
}

#[test]
fn an_error_in_the_middle_of_a_stream() {
    let error = "data: {\"error\":{\"message\":\"out of memory\"}}\n\n";
    assert_eq!(check(answered(stream([TEXT, error])), FailureKind::Engine, "out of memory"), "25");
    let error = "error: {\"code\":500,\"message\":\"slot died\"}\n\n";
    check(answered(stream([TEXT, error])), FailureKind::Engine, "slot died");
    check(
        answered_by_ollama(stream(["{\"error\":\"gpu lost\"}\n"])),
        FailureKind::Engine,
        "gpu lost",
    );
}

#[test]
fn refusals_say_what_the_server_said() {
    let body = "{\"error\":{\"message\":\"model `lab` not found\"}}";
    check(answered(reply(404, body)), FailureKind::NoSuchModel, "`lab` not found");
    let body = "{\"error\":\"model 'lab' not found\"}";
    check(answered_by_ollama(reply(404, body)), FailureKind::NoSuchModel, "'lab' not found");
    check(answered(reply(404, "nothing here")), FailureKind::Refused, "no address");
    check(answered(reply(401, "{}")), FailureKind::Refused, "KARAT_API_KEY");
    check(answered(reply(500, "{\"error\":\"boom\"}")), FailureKind::Refused, "boom");
    check(answered(reply(302, "")), FailureKind::Refused, "another address");
}

#[test]
fn a_stream_without_choices_is_no_answer() {
    check(answered(stream([USAGE, DONE])), FailureKind::InvalidReply, "no chunk had a choice");
    let empty = "data: {\"choices\":[]}\n\n";
    check(answered(stream([empty, DONE])), FailureKind::InvalidReply, "no chunk had a choice");
    assert_eq!(answered(stream([empty, TEXT, STOP, DONE])).unwrap().visible, "25");
}

#[test]
fn usage_may_come_late_or_not_at_all() {
    let late = answered(stream([TEXT, STOP, USAGE, DONE])).unwrap();
    assert_eq!((late.tokens.prompt, late.tokens.total), (Some(9), Some(3)));
    let visible = late.tokens.visible.unwrap();
    assert_eq!((visible.tokens, visible.exact), (3, false));
    let never = answered(stream([TEXT, STOP])).unwrap();
    assert_eq!((never.tokens.total, never.tokens.visible), (None, None), "chunks are no tokens");
    assert_eq!(never.finish, FinishReason::Stop);
    let own =
        "data: {\"choices\":[],\"timings\":{\"prompt_n\":4,\"cache_n\":5,\"predicted_n\":3}}\n\n";
    let timed = answered(stream([TEXT, STOP, own, DONE])).unwrap();
    assert_eq!((timed.tokens.prompt, timed.tokens.total), (Some(9), Some(3)));
}

#[test]
fn a_server_that_goes_quiet_after_the_answer_has_answered() {
    let script = vec![head(), send(TEXT), send(STOP), pause(1000)];
    assert_eq!(answered(script).unwrap().visible, "25");
}

#[test]
fn thinking_has_many_names() {
    for name in ["reasoning_content", "reasoning", "thinking"] {
        let chunk = json!({"choices": [{"index": 0, "delta": {name: "hm", "content": null}}]});
        let chunk = format!("data: {chunk}\n\n");
        let answer = answered(stream([&chunk, TEXT, STOP, DONE])).unwrap();
        assert_eq!((answer.thinking.as_str(), answer.visible.as_str()), ("hm", "25"), "{name}");
    }
    let marked =
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"<think>hm</think>\\n\"}}]}\n\n";
    let answer = answered(stream([marked, TEXT, STOP, DONE])).unwrap();
    assert_eq!((answer.thinking.as_str(), answer.visible.as_str()), ("hm", "25"));
}

#[test]
fn thinking_that_uses_up_the_budget_is_an_answer_without_text() {
    let thought =
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n";
    let length = STOP.replace("stop", "length");
    let answer = answered(stream([thought, &length, USAGE, DONE])).unwrap();
    assert_eq!((answer.visible.as_str(), answer.finish), ("", FinishReason::Length));
    assert_eq!(answer.tokens.thinking.unwrap().tokens, 3);
    let lines = [
        json!({"message": {"content": "", "thinking": "hm"}, "done": false}),
        json!({"message": {"content": ""}, "done": true, "done_reason": "length", "eval_count": 3}),
    ];
    let lines = lines.map(|line| format!("{line}\n"));
    let answer = answered_by_ollama(stream(lines.iter().map(String::as_str))).unwrap();
    assert_eq!((answer.visible.as_str(), answer.finish), ("", FinishReason::Length));
    assert_eq!(answer.tokens.thinking.unwrap().tokens, 3);
}

#[test]
fn calls_come_in_pieces_by_their_index() {
    let piece = |index: u32, function: serde_json::Value| {
        let call = json!({"index": index, "function": function});
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}))
    };
    let pieces = [
        piece(0, json!({"name": "f", "arguments": ""})),
        piece(0, json!({"arguments": "{\"a\":"})),
        piece(1, json!({"name": "g", "arguments": "{}"})),
        piece(0, json!({"arguments": "1}"})),
        STOP.replace("stop", "tool_calls"),
    ];
    let answer = answered(stream(pieces.iter().map(String::as_str))).unwrap();
    let calls: Vec<(&str, &str)> = answer
        .tool_calls
        .iter()
        .map(|call| (call.name.as_str(), call.arguments.as_str()))
        .collect();
    assert_eq!(calls, [("f", "{\"a\":1}"), ("g", "{}")]);
    assert_eq!(answer.finish, FinishReason::ToolCalls);
    let call = json!({"function": {"name": "f", "arguments": {"z": 1, "a": 2}}});
    let lines = [
        json!({"message": {"content": "", "tool_calls": [call]}, "done": false}),
        json!({"message": {"content": ""}, "done": true, "done_reason": "stop", "eval_count": 4}),
    ];
    let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    let answer = answered_by_ollama(stream(lines.iter().map(String::as_str))).unwrap();
    assert_eq!(answer.finish, FinishReason::ToolCalls);
    assert_eq!(answer.tool_calls[0].name, "f");
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_kept_out_of_the_way() {
    let mut script = vec![head(), Step::Send(b": \xff\xfe\n\n".to_vec())];
    script.extend([send(TEXT), send(STOP)]);
    assert_eq!(answered(script).unwrap().visible, "25");
}

#[test]
fn a_server_that_loads_is_asked_again_and_the_clock_starts_anew() {
    let n = AtomicU32::new(0);
    let server = Server::start(move |_| match n.fetch_add(1, Ordering::SeqCst) {
        0..3 => reply(503, "{\"error\":{\"message\":\"Loading model\"}}"),
        _ => stream([TEXT, STOP, DONE]),
    });
    let patient = Patience {
        loading: Duration::from_secs(5),
        retry_pause: Duration::from_millis(100),
        ..patience()
    };
    let mut backend = OpenAi::new(&format!("{}/v1", server.base), "lab", None, patient);
    let answer = ask(&mut backend).unwrap();
    assert_eq!((answer.visible.as_str(), server.requests().len()), ("25", 4));
    assert!(answer.timings.total_s < 0.29, "{:?}", answer.timings);
    check(answered(reply(503, "busy")), FailureKind::Refused, "503");
}

#[test]
fn an_answer_that_broke_is_not_asked_for_again() {
    let server = Server::start(|_| stream([TEXT]));
    let patient = Patience { loading: Duration::from_secs(5), ..patience() };
    let mut backend = OpenAi::new(&format!("{}/v1", server.base), "lab", None, patient);
    check(ask(&mut backend), FailureKind::BrokenStream, "in the middle");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_key_is_sent_and_never_kept() {
    let server = Server::start(|_| stream([TEXT, STOP, DONE]));
    let key = ApiKey::new("sk-secret");
    let mut backend = OpenAi::new(&format!("{}/v1", server.base), "lab", key, patience());
    let answer = ask(&mut backend).unwrap();
    assert!(server.requests()[0].head.contains("Bearer sk-secret"));
    assert!(!format!("{answer:?}").contains("sk-secret"));
}
