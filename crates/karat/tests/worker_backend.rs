//! The embedded engine behind the `Generate` and `Logits` traits, as a worker uses it.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::path::Path;

use karat::backend::embedded::{Embedded, EmbeddedParams};
use karat::backend::{FinishReason, Generate, Generation, Logits, Prompt, Sampling};
use karat::settings::Kv;
use karat_llama::{Special, Threads};

const CHAT: &str = "<|turn>user\nWrite the word cat.<turn|>\n<|turn>model\n";

fn load() -> Embedded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/lab-base-bf16.gguf");
    let params = EmbeddedParams {
        n_ctx: 256,
        n_batch: 256,
        n_ubatch: 256,
        kv: Kv::F16,
        gpu_layers: Some(0),
    };
    Embedded::load(&path, &params, &Threads::new(1).unwrap(), || {}).unwrap()
}

/// Generates greedily and gives the answer with what was streamed; listens to at most `n_deltas`.
fn answer(text: &str, max_tokens: usize, n_deltas: usize) -> (Generation, Vec<u8>, usize) {
    let (mut streamed, mut heard) = (Vec::new(), 0);
    // Through the trait object: that is all an instrument knows.
    let mut model = load();
    let backend: &mut dyn Generate = &mut model;
    let prompt = Prompt { text, max_tokens, sampling: Sampling::Greedy };
    let generation = backend
        .generate(&prompt, &mut |delta| {
            streamed.extend_from_slice(delta.bytes);
            heard += 1;
            heard < n_deltas
        })
        .unwrap();
    (generation, streamed, heard)
}

#[test]
fn an_answer_is_what_was_streamed() {
    let (generation, streamed, heard) = answer(CHAT, 200, usize::MAX);
    assert_eq!(generation.text, String::from_utf8_lossy(&streamed));
    assert!(heard > 1, "it comes in pieces");
    assert_eq!(generation.finish, FinishReason::Stop);
    assert!(generation.generated_tokens > 1);
}

#[test]
fn the_prompt_is_counted_in_tokens_with_its_special_ones_parsed() {
    let vocab = load().vocab().clone();
    let tokens = vocab.tokenize(CHAT, true, Special::Parsed).unwrap();
    assert_eq!(answer(CHAT, 1, usize::MAX).0.prompt_tokens, tokens.len() as u64);
}

#[test]
fn an_answer_ends_at_its_limit() {
    let (generation, streamed, _) = answer("Once upon a time", 5, usize::MAX);
    assert_eq!((generation.generated_tokens, generation.finish), (5, FinishReason::Length));
    assert_eq!(generation.text, String::from_utf8_lossy(&streamed));
    let longer = answer("Once upon a time", 9, usize::MAX).0.text;
    assert!(longer.starts_with(&generation.text), "greedy repeats itself: {longer}");
}

#[test]
fn a_listener_can_stop_an_answer() {
    let (generation, streamed, heard) = answer("Once upon a time", 50, 3);
    assert_eq!((heard, generation.finish), (3, FinishReason::Cancelled));
    assert_eq!(generation.text, String::from_utf8_lossy(&streamed));
}

#[test]
fn logits_of_a_restarted_model_repeat_to_the_bit() {
    let mut model = load();
    let tokens = model.vocab().tokenize("The quick brown fox", true, Special::AsText).unwrap();
    let backend: &mut dyn Logits = &mut model;
    let n_vocab = backend.n_vocab();
    let scored: Vec<usize> = (1..tokens.len()).collect();
    let mut score = || {
        backend.restart();
        let rows = backend.advance(&tokens, &scored).unwrap();
        assert_eq!(rows.len(), tokens.len() - 1);
        rows.row(rows.len() - 1).iter().map(|logit| logit.to_bits()).collect::<Vec<u32>>()
    };
    let first = score();
    assert_eq!(first.len(), n_vocab);
    assert_eq!(score(), first);
}
