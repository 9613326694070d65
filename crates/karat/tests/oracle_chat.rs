//! Chat text: which tokens are scored is what a tokenizer and a template engine of another make say,
//! and the figures are those of the scored tokens' logits.
//!
//! `fixtures/chat/tokens.json` by `bench/peer/chat_tokens.py`, with versions in the file.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;

use std::fs;
use std::path::{Path, PathBuf};

use cli_lab::{ORIGINAL, Place, lab};
use karat::backend::Logits as _;
use karat::backend::embedded::{Embedded, EmbeddedParams};
use karat::instrument::fidelity::text::Text;
use karat::instrument::fidelity::window::Window;
use karat::plan::Part;
use karat::settings::{Kv, RulerSpec};
use karat_llama::Threads;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Fixture {
    talks: Vec<Talk>,
}

#[derive(Deserialize)]
struct Talk {
    tokens: Vec<i32>,
    /// Indexes of the tokens that the assistant writes.
    written: Vec<usize>,
}

const N_CTX: u32 = 512;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/chat").join(name)
}

fn talks() -> Vec<Talk> {
    let json = fs::read_to_string(fixture("tokens.json")).unwrap();
    serde_json::from_str::<Fixture>(&json).unwrap().talks
}

fn model() -> Embedded {
    let params = EmbeddedParams {
        n_ctx: N_CTX,
        n_batch: N_CTX,
        n_ubatch: N_CTX,
        kv: Kv::F16,
        gpu_layers: Some(0),
    };
    Embedded::load(&lab(ORIGINAL), &params, &Threads::new(1).unwrap(), || ()).unwrap()
}

fn ruler() -> RulerSpec {
    RulerSpec {
        n_ctx: N_CTX,
        n_ubatch: N_CTX,
        gpu_layers: Some(0),
        chat: true,
        parse_special: false,
    }
}

#[test]
fn tokens_and_scored_positions_are_those_of_another_tokenizer() {
    let model = model();
    let text =
        Text::read(model.vocab(), &lab(ORIGINAL), &fixture("talks.jsonl"), &ruler()).unwrap();
    let talks = talks();
    assert_eq!(text.n_windows(), talks.len());
    for (index, talk) in talks.iter().enumerate() {
        let window = text.window(index, Part::SecondHalf).unwrap();
        assert_eq!(window.input, talk.tokens, "line {}", index + 1);
        let predicted: Vec<usize> = window.scored().iter().map(|position| position + 1).collect();
        assert_eq!(predicted, talk.written, "line {}", index + 1);
    }
}

/// NLL in nats of each token that the assistant writes, softmax in f64.
fn nlls(model: &mut Embedded, talk: &Talk) -> Vec<f64> {
    let scored = talk.written.iter().map(|index| index - 1).collect();
    let window = Window::new(talk.tokens.clone(), &talk.tokens, scored);
    model.restart();
    let rows = model.advance(&window.input, window.scored()).unwrap();
    let nll = |(row, &index): (usize, &usize)| {
        let logits: Vec<f64> = rows.row(row).iter().map(|&logit| f64::from(logit)).collect();
        let max = logits.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = logits.iter().map(|logit| (logit - max).exp()).sum();
        max + sum.ln() - logits[talk.tokens[index] as usize]
    };
    talk.written.iter().enumerate().map(nll).collect()
}

#[test]
fn perplexity_is_that_of_the_assistants_tokens() {
    let place = Place::new();
    let (candidate, chat) = (lab("lab-qat-bf16.gguf"), fixture("talks.jsonl"));
    let (original, chat) = (lab(ORIGINAL), chat.to_str().unwrap());
    let args = ["fidelity", "--reference", original.to_str().unwrap(), "--chat", chat];
    let more = [candidate.to_str().unwrap(), "--threads", "1", "--format", "json"];
    let output = place.karat(args.into_iter().chain(more)).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut rows = report["estimates"].as_array().unwrap().iter();
    let row = rows
        .find(|row| row["metric"] == "ppl" && row["candidate"].as_str().unwrap().contains("base"))
        .unwrap();
    let mut model = model();
    let all: Vec<f64> = talks().iter().flat_map(|talk| nlls(&mut model, talk)).collect();
    let ppl = (all.iter().sum::<f64>() / all.len() as f64).exp();
    let reported = row["value"].as_f64().unwrap();
    assert!((reported / ppl - 1.0).abs() < 1e-6, "{reported} against {ppl}");
    assert_eq!(row["setting"]["text"], "chat");
    let findings = report["findings"].to_string();
    assert!(findings.contains("assistant turn"), "{findings}");
}
