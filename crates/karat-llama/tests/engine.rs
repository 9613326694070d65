//! The wrapper on the bundled lab model: what the engine promises, checked through our own calls.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::path::PathBuf;

use karat_llama::{
    Context, ContextParams, EngineError, FlashAttention, Generated, KvType, Model, ModelParams,
    Sampling, Special, Threads, devices, generate, identity, row_to_f32,
};

fn lab(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../lab").join(name)
}

fn load() -> Model {
    Model::load(&lab("lab-base-bf16.gguf"), &ModelParams::default(), |_| true).unwrap()
}

fn context(model: &Model, n_ctx: u32, n_ubatch: u32) -> Context {
    let params = ContextParams {
        n_ctx,
        n_batch: n_ubatch,
        n_ubatch,
        kv_k: KvType::F16,
        kv_v: KvType::F16,
        flash_attention: FlashAttention::Auto,
    };
    Context::new(model, &params, &Threads::new(2).unwrap()).unwrap()
}

#[test]
fn tokens_survive_the_way_to_text_and_back() {
    let vocab = load().vocab();
    let text = "Zażółć gęślą jaźń — 1,000.50 fn main() {}";
    let tokens = vocab.tokenize(text, false, Special::AsText).unwrap();
    assert_eq!(vocab.detokenize(&tokens).unwrap(), text);
    let with_bos = vocab.tokenize(text, true, Special::AsText).unwrap();
    assert!(vocab.adds_bos());
    assert_eq!(with_bos[0], vocab.bos().unwrap());
    assert_eq!(with_bos[1..], tokens);
}

#[test]
fn special_tokens_are_text_unless_parsed() {
    let vocab = load().vocab();
    let parsed = vocab.tokenize("<|turn>", false, Special::Parsed).unwrap();
    let plain = vocab.tokenize("<|turn>", false, Special::AsText).unwrap();
    assert_eq!(parsed.len(), 1);
    assert!(plain.len() > 1);
}

#[test]
fn logits_do_not_depend_on_which_positions_are_asked_for() {
    let model = load();
    let tokens =
        model.vocab().tokenize("The quick brown fox jumps", true, Special::AsText).unwrap();
    let mut context = context(&model, 64, 64);
    let all: Vec<Vec<f32>> = {
        let everywhere: Vec<usize> = (0..tokens.len()).collect();
        let rows = context.decode(&tokens, &everywhere).unwrap();
        (0..rows.len()).map(|row| rows.row(row).to_vec()).collect()
    };
    assert_eq!(all.len(), tokens.len());
    context.clear();
    let rows = context.decode(&tokens, &[2, 4]).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows.row(0), all[2]);
    assert_eq!(rows.row(1), all[4]);
}

#[test]
fn a_restored_cache_gives_the_same_bits() {
    let model = load();
    let text = "The quick brown fox jumps over the lazy dog";
    let tokens = model.vocab().tokenize(text, true, Special::AsText).unwrap();
    let (before, after) = tokens.split_at(tokens.len() - 3);
    let mut context = context(&model, 64, 64);
    context.decode(before, &[]).unwrap();
    let snapshot = context.save().unwrap();
    let mut continued = || {
        let rows = context.decode(after, &[2]).unwrap();
        let row = rows.row(0).to_vec();
        let position = context.position();
        context.restore(&snapshot).unwrap();
        assert_eq!(context.position(), before.len());
        (row, position)
    };
    let first = continued();
    assert_eq!(first.1, tokens.len());
    assert_eq!(continued(), first);
}

#[test]
fn greedy_generation_repeats_and_streams_what_it_returns() {
    let model = load();
    let prompt = model.vocab().tokenize("Once upon a time", true, Special::AsText).unwrap();
    let mut context = context(&model, 128, 32);
    let mut run = || -> (Generated, Vec<u8>) {
        let mut bytes = Vec::new();
        let generated = generate(&mut context, &prompt, 24, Sampling::Greedy, |_, piece| {
            bytes.extend_from_slice(piece);
            true
        })
        .unwrap();
        (generated, bytes)
    };
    let (first, text) = run();
    let (second, _) = run();
    assert_eq!(first, second);
    assert_eq!(first.tokens.len(), 24);
    assert_eq!(String::from_utf8_lossy(&text), model.vocab().detokenize(&first.tokens).unwrap());
}

#[test]
fn sampled_generation_follows_its_seed() {
    let model = load();
    let prompt = model.vocab().tokenize("Once upon a time", true, Special::AsText).unwrap();
    let mut context = context(&model, 128, 64);
    let mut run = |seed| {
        let sampling =
            Sampling::Random { temperature: 1.0, top_k: 0, top_p: 1.0, min_p: 0.0, seed };
        generate(&mut context, &prompt, 32, sampling, |_, _| true).unwrap().tokens
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_caller_can_stop_generation() {
    let model = load();
    let prompt = model.vocab().tokenize("Once upon a time", true, Special::AsText).unwrap();
    let mut context = context(&model, 128, 64);
    let mut seen = 0;
    let generated = generate(&mut context, &prompt, 50, Sampling::Greedy, |_, _| {
        seen += 1;
        seen < 3
    })
    .unwrap();
    assert_eq!(generated.finish, karat_llama::Finish::Stopped);
    assert_eq!(generated.tokens.len(), 3);
}

#[test]
fn a_watch_aborts_a_running_decode() {
    let model = load();
    let tokens = model.vocab().tokenize("The quick brown fox", true, Special::AsText).unwrap();
    let mut context = context(&model, 64, 64);
    context.set_watch(|| true);
    assert!(matches!(context.decode(&tokens, &[0]), Err(EngineError::Aborted)));
    context.clear();
    context.set_watch(|| false);
    assert!(context.decode(&tokens, &[0]).is_ok());
}

#[test]
fn what_does_not_fit_is_refused_before_the_engine_sees_it() {
    let model = load();
    let mut context = context(&model, 16, 16);
    assert!(matches!(context.decode(&[5; 17], &[]), Err(EngineError::ContextFull { .. })));
    assert!(matches!(context.decode(&[1 << 20], &[]), Err(EngineError::TokenRange { .. })));
    assert!(matches!(context.decode(&[-1], &[]), Err(EngineError::TokenRange { .. })));
    for outputs in [&[1][..], &[0, 0], &[1, 0]] {
        assert!(matches!(context.decode(&[5], outputs), Err(EngineError::Outputs { .. })));
    }
    assert_eq!(context.position(), 0);
}

#[test]
fn a_file_that_is_no_model_is_refused_with_the_engines_reason() {
    let error = Model::load(&lab("README.md"), &ModelParams::default(), |_| true).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("README.md"), "{message}");
    assert!(!message.contains("gave no reason"), "{message}");
}

#[test]
fn loading_can_be_stopped() {
    let params = ModelParams { mmap: false, repack: false, ..ModelParams::default() };
    assert!(Model::load(&lab("lab-base-bf16.gguf"), &params, |_| false).is_err());
}

#[test]
fn the_engine_says_who_it_is() {
    let identity = identity();
    assert!(identity.crate_version.starts_with("llama-cpp-sys-2 "));
    assert_eq!(identity.tree_sha256.len(), 64);
    assert!(identity.system_info.contains("CPU"));
    assert!(devices().iter().any(|device| device.total_bytes > 0));
}

#[test]
fn rows_of_the_wrong_length_are_refused() {
    let mut out = [0.0; 32];
    assert!(row_to_f32(2, &[0; 17], &mut out).is_err());
    assert!(row_to_f32(2, &[0; 18], &mut out).is_ok());
    assert!(row_to_f32(4, &[0; 18], &mut out).is_err(), "type 4 was removed from ggml");
    assert!(row_to_f32(u32::MAX, &[0; 18], &mut out).is_err());
}
