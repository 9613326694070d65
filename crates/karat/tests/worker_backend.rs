//! The embedded engine behind the `Generate` and `Logits` traits, as a worker uses it.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::path::{Path, PathBuf};

use karat::backend::embedded::{Embedded, EmbeddedParams};
use karat::backend::embedded_generate::EmbeddedGenerate;
use karat::backend::{ChatRequest, Generate, Logits, Sampling, SamplingValues, Terms, Thinking};
use karat::chat::Conversation;
use karat::generation::{Channel, Counted, Delta, FailureKind, FinishReason, Generation};
use karat::settings::Kv;
use karat_llama::{Special, Threads};

const N_CTX: u32 = 256;
const QUESTION: &str = "There are 5 boxes with 5 balls in each box. How many balls are there in total? Answer with the \
     number alone on a line.";

fn lab() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/lab-base-bf16.gguf")
}

fn params() -> EmbeddedParams {
    EmbeddedParams {
        n_ctx: N_CTX,
        n_batch: N_CTX,
        n_ubatch: N_CTX,
        kv: Kv::F16,
        gpu_layers: Some(0),
    }
}

fn load() -> EmbeddedGenerate {
    EmbeddedGenerate::load(&lab(), &params(), &Threads::new(1).unwrap(), || {}).unwrap()
}

fn terms(thinking: Thinking, sampling: Sampling) -> Terms {
    Terms { n_ctx: N_CTX, thinking, sampling }
}

fn request(text: &str, max_tokens: u32, terms: Terms) -> ChatRequest {
    ChatRequest { conversation: Conversation::of([("user", text)]), max_tokens, terms }
}

/// Answers greedily and gives the answer with what was heard; listens to at most `n_deltas`.
fn answer(
    text: &str,
    max_tokens: u32,
    thinking: Thinking,
    n_deltas: usize,
) -> (Generation, Vec<Delta>) {
    let mut heard = Vec::new();
    // Through the trait object: that is all an instrument knows.
    let mut model = load();
    let backend: &mut dyn Generate = &mut model;
    let request = request(text, max_tokens, terms(thinking, Sampling::Greedy));
    let generation = backend
        .generate(&request, &mut |delta| {
            heard.push(delta.clone());
            heard.len() < n_deltas
        })
        .unwrap();
    (generation, heard)
}

fn text_of(deltas: &[Delta], channel: Channel) -> String {
    let of_it = deltas.iter().filter(|delta| delta.channel == channel);
    of_it.map(|delta| delta.text.as_str()).collect()
}

#[test]
fn an_answer_is_what_was_streamed() {
    let (generation, heard) = answer(QUESTION, 200, Thinking::Off, usize::MAX);
    assert_eq!(generation.deltas, heard);
    assert_eq!(generation.visible, text_of(&heard, Channel::Visible));
    assert_eq!((generation.thinking.as_str(), generation.finish), ("", FinishReason::Stop));
    assert!(heard.is_sorted_by(|one, next| one.at_s <= next.at_s));
    let tokens = generation.tokens;
    assert_eq!(tokens.visible, tokens.total.map(|tokens| Counted { tokens, exact: true }));
}

#[test]
fn thinking_is_kept_apart_and_counted_exactly() {
    let (generation, heard) = answer(QUESTION, 200, Thinking::On, usize::MAX);
    assert_eq!(generation.thinking, text_of(&heard, Channel::Thinking).trim_end());
    assert!(!generation.thinking.contains("channel"), "{}", generation.thinking);
    assert!(!generation.visible.contains("channel"), "{}", generation.visible);
    assert!(!generation.thinking.is_empty() && !generation.visible.is_empty());
    // The answer's tokens by themselves: the rest is the thought with its marks.
    let vocab = load().engine().vocab().clone();
    let visible = vocab.tokenize(&generation.visible, false, Special::AsText).unwrap().len() as u64;
    let tokens = generation.tokens;
    assert_eq!(tokens.visible, Some(Counted { tokens: visible, exact: true }));
    let thinking = tokens.total.unwrap() - visible;
    assert_eq!(tokens.thinking, Some(Counted { tokens: thinking, exact: true }));
    let timings = generation.timings;
    assert!(timings.ttft_s.unwrap() <= timings.ttfo_s.unwrap());
    assert!(timings.ttfo_s.unwrap() <= timings.total_s);
}

#[test]
fn a_thought_that_is_cut_off_leaves_nothing_visible() {
    let (generation, _) = answer(QUESTION, 6, Thinking::On, usize::MAX);
    assert_eq!((generation.visible.as_str(), &generation.finish), ("", &FinishReason::Length));
    assert_eq!(generation.tokens.thinking, Some(Counted { tokens: 6, exact: true }));
    assert_eq!(generation.timings.ttfo_s, None);
}

#[test]
fn the_prompt_is_the_templates_with_its_special_tokens_parsed() {
    let (generation, _) = answer("Write the word cat.", 1, Thinking::Off, usize::MAX);
    let prompt = "<bos><|turn>user\nWrite the word cat.<turn|>\n<|turn>model\n\
                  <|channel>thought\n<channel|>";
    assert_eq!(generation.raw.request, prompt);
    let tokens = load().engine().vocab().tokenize(prompt, false, Special::Parsed).unwrap();
    assert_eq!(generation.tokens.prompt, Some(tokens.len() as u64));
}

#[test]
fn an_answer_ends_at_its_limit_and_greedy_repeats_itself() {
    let (short, _) = answer(QUESTION, 9, Thinking::On, usize::MAX);
    assert_eq!((short.tokens.total, &short.finish), (Some(9), &FinishReason::Length));
    let (longer, _) = answer(QUESTION, 30, Thinking::On, usize::MAX);
    assert!(longer.raw.response.starts_with(&short.raw.response), "{}", longer.raw.response);
}

#[test]
fn a_listener_can_stop_an_answer() {
    let (generation, heard) = answer(QUESTION, 50, Thinking::On, 3);
    assert_eq!((heard.len(), generation.finish), (3, FinishReason::Cancelled));
    assert!(generation.tokens.total.unwrap() < 50);
}

#[test]
fn drawn_answers_depend_on_their_seed_alone() {
    let mut model = load();
    let mut drawn = |seed| {
        let values = SamplingValues { temperature: Some(3.0), ..SamplingValues::default() };
        let sampling = Sampling::Values { values, seed };
        let request = request(QUESTION, 20, terms(Thinking::Off, sampling));
        model.generate(&request, &mut |_| true).unwrap().raw.response
    };
    let first = drawn(1);
    assert_eq!(drawn(1), first);
    assert_ne!(drawn(2), first);
}

#[test]
fn recommended_sampling_is_what_the_file_says() {
    let gguf = karat_gguf::Gguf::open(&lab()).unwrap();
    let number = |key: &str| {
        let value = gguf.metadata().get(&format!("general.sampling.{key}")).unwrap();
        value.as_f64().or_else(|| value.as_i64().map(|whole| whole as f64)).unwrap()
    };
    let values = SamplingValues {
        temperature: Some(number("temp") as f32),
        top_k: Some(number("top_k") as u32),
        top_p: Some(number("top_p") as f32),
        min_p: None,
    };
    let mut model = load();
    let mut drawn = |sampling| {
        let request = request(QUESTION, 40, terms(Thinking::On, sampling));
        model.generate(&request, &mut |_| true).unwrap().raw.response
    };
    for seed in 1..4 {
        let recommended = drawn(Sampling::Recommended { seed });
        assert_eq!(recommended, drawn(Sampling::Values { values, seed }));
    }
}

#[test]
fn terms_that_do_not_hold_are_refused_before_anything_is_answered() {
    let mut model = load();
    let mut check = |terms: Terms, words: &str| {
        let failure = model.get_ready(&terms).unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotAsAsked);
        assert!(failure.message.contains(words), "{}", failure.message);
    };
    let greedy = terms(Thinking::On, Sampling::Greedy);
    check(Terms { n_ctx: 512, ..greedy.clone() }, "256 tokens, 512");
    check(terms(Thinking::Level("high".to_owned()), Sampling::Greedy), "no levels");
    let ready = model.get_ready(&greedy).unwrap();
    assert_eq!((ready.n_ctx, ready.findings), (Some(N_CTX), vec![]));
    assert!(ready.template.unwrap().contains("<|channel>"));
}

#[test]
fn a_prompt_that_fills_the_context_is_refused() {
    let request = request(&"word ".repeat(400), 5, terms(Thinking::Off, Sampling::Greedy));
    let failure = load().generate(&request, &mut |_| true).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message.contains("context of 256"), "{}", failure.message);
}

#[test]
fn logits_of_a_restarted_model_repeat_to_the_bit() {
    let threads = Threads::new(1).unwrap();
    let mut model = Embedded::load(&lab(), &params(), &threads, || {}).unwrap();
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
