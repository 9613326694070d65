//! `karat bench` of scripted servers that do wrong at some questions, count wrongly or are not there:
//! what is gone on with, what is told, and the exit code.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;
mod scripted_server;

use std::process::Output;
use std::time::{Duration, Instant};

use cli_lab::Place;
use scripted_server::{Server, Step, head, reply, send};
use serde_json::{Value, json};

/// A server with one model that plays `script` for each question; the first one only warms it up.
fn server(mut script: impl FnMut(usize) -> Vec<Step> + Send + 'static) -> Server {
    let mut n_asked = 0;
    Server::start(move |request| match request.path.as_str() {
        "/v1/models" => reply(200, "{\"data\":[{\"id\":\"lab\"}]}"),
        "/v1/chat/completions" => {
            n_asked += 1;
            script(n_asked - 1)
        }
        _ => reply(404, "{}"),
    })
}

/// `karat bench` of three tasks, each asked once, and its exit code.
#[track_caller]
fn bench(place: &Place, base: &str, args: &[&str], code: i32) -> Output {
    let model = format!("{base}/v1#lab");
    let families = "strict_json,exact_arithmetic,constraint_conflict";
    let mut command = place.karat(["bench", &model, "--family", families, "--repeats", "1"]);
    let output = command.args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn data(chunk: &Value) -> Step {
    send(format!("data: {chunk}\n\n"))
}

/// An answer of these pieces, of which the server says that they were so many tokens.
fn answer(pieces: &[&str], finish: &str, n_tokens: u64) -> Vec<Step> {
    let delta = |delta: Value, finish: Option<&str>| {
        data(&json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
    };
    let texts = pieces.iter().map(|piece| delta(json!({"content": piece}), None));
    let usage =
        json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": n_tokens}});
    let end = [delta(json!({}), Some(finish)), data(&usage), send("data: [DONE]\n\n")];
    std::iter::once(head()).chain(texts).chain(end).collect()
}

fn attempts(place: &Place) -> Vec<Value> {
    place.document()["attempts"].as_array().unwrap().clone()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_question_at_which_a_server_hangs_up_is_an_error_and_the_others_are_asked() {
    let place = Place::new();
    let server = server(|n| if n == 1 { Vec::new() } else { answer(&["25"], "stop", 1) });
    let said = said(&bench(&place, &server.base, &[], 0));
    assert!(said.contains("2 answers in"), "{said}");
    let attempts = attempts(&place);
    assert_eq!(attempts.len(), 3);
    assert_eq!(attempts[0]["outcome"], "error", "{}", attempts[0]);
    assert!(attempts[0]["reason"].as_str().unwrap().contains("without a reply"));
    assert!(attempts[1..].iter().all(|attempt| attempt["outcome"] != "error"));
}

#[test]
fn a_server_that_hangs_up_twice_in_a_row_is_asked_no_more() {
    let place = Place::new();
    let server = server(|n| if n < 1 { answer(&["25"], "stop", 1) } else { Vec::new() });
    bench(&place, &server.base, &["--quiet"], 3);
    assert_eq!(attempts(&place).len(), 2);
    assert_eq!(server.bodies("/v1/chat/completions").len(), 3, "the warm-up and two questions");
}

#[test]
fn an_answer_that_goes_round_in_circles_is_heard_to_the_end_for_its_budgets() {
    let place = Place::new();
    let server = server(|n| match n {
        1 => answer(&["and again, "; 400], "length", 1000),
        _ => answer(&["25"], "stop", 1),
    });
    bench(&place, &server.base, &["--quiet", "--thinking-budget", "100,1000"], 0);
    let document = place.document();
    let looped = &document["attempts"][0];
    assert_eq!((&looped["looped"], &looped["tokens"]), (&json!(true), &json!(1000)), "{looped}");
    let at = |budget: &str| {
        let rows = document["estimates"].as_array().unwrap();
        let row =
            rows.iter().find(|row| row["metric"] == "tokens" && row["setting"]["budget"] == budget);
        row.unwrap()["value"].as_f64().unwrap()
    };
    assert_eq!((at("100"), at("1000")), (34.0, 334.0));
}

#[test]
fn without_budgets_an_answer_that_goes_round_in_circles_is_cut_off() {
    let place = Place::new();
    let server = server(|_| answer(&["and again, "; 400], "length", 1000));
    bench(&place, &server.base, &["--quiet"], 0);
    let looped = &attempts(&place)[0];
    assert_eq!((&looped["looped"], &looped["tokens"]), (&json!(true), &Value::Null), "{looped}");
}

#[test]
fn a_count_that_cannot_be_is_unknown_and_told() {
    let place = Place::new();
    let server = server(|n| answer(&["25"], "stop", if n == 1 { u64::MAX } else { 1 }));
    bench(&place, &server.base, &["--quiet"], 0);
    let tokens: Vec<Value> = attempts(&place).iter().map(|one| one["tokens"].clone()).collect();
    assert_eq!(tokens, [Value::Null, json!(1), json!(1)]);
    let told = place.document()["findings"].to_string();
    assert!(told.contains("the server counted 18446744073709551615 tokens"), "{told}");
    assert!(told.contains("of 1 answer are taken as unknown"), "{told}");
}

#[test]
fn a_plan_does_not_wait_for_a_server_that_is_not_there() {
    let place = Place::new();
    let base = Server::start(|_| Vec::new()).base.clone();
    let begin = Instant::now();
    let output = bench(&place, &base, &["--dry-run"], 0);
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    let plan = String::from_utf8(output.stdout).unwrap();
    assert!(plan.contains("it is waited for when its turn comes"), "{plan}");
}

#[test]
fn a_model_that_was_not_known_while_planning_is_asked_under_what_it_is_then() {
    let place = Place::new();
    let mut n_lists = 0;
    let server = Server::start(move |request| match request.path.as_str() {
        "/v1/models" => {
            n_lists += 1;
            if n_lists == 1 {
                reply(500, "{}")
            } else {
                reply(200, "{\"data\":[{\"id\":\"lab\"}]}")
            }
        }
        "/props" => {
            let settings = json!({"n_ctx": 32768});
            let props = json!({"default_generation_settings": settings, "model_path": "/m.gguf"});
            reply(200, props.to_string())
        }
        "/v1/chat/completions" => answer(&["25"], "stop", 1),
        _ => reply(404, "{}"),
    });
    bench(&place, &server.base, &["--quiet"], 0);
    assert_eq!(attempts(&place).len(), 3);
    let told = place.document()["findings"].to_string();
    assert!(!told.contains("another model behind the name"), "{told}");
}
