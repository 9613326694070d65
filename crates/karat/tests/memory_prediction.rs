//! The prediction of memory against the engine's own figures: on the lab as really allocated, on
//! sparse files of real shapes as the engine plans them without allocating.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

mod sparse;

use std::path::{Path, PathBuf};

use karat::memory::{Prediction, Repack, Request, Shape, predict};
use karat_gguf::{GgmlType, Gguf};
use karat_llama::{
    BufferBytes, Context, ContextParams, FlashAttention, KvType, Model, ModelParams, Threads,
    identity,
};
use sparse::{Published, Sliding};

const GEMMA4_12B: Published = Published {
    architecture: "gemma4",
    n_layers: 48,
    n_embd: 3840,
    n_ff: 15360,
    n_head: 16,
    n_head_kv: 1,
    head: 512,
    n_vocab: 262_144,
    tied: true,
    sliding: Some(Sliding { window: 1024, period: 6, n_head_kv: 8, head: 256 }),
    experts: None,
    k_is_v: true,
    n_shared: 0,
    per_layer: 0,
};

const LLAMA3_8B: Published = Published {
    architecture: "llama",
    n_layers: 32,
    n_embd: 4096,
    n_ff: 14336,
    n_head: 32,
    n_head_kv: 8,
    head: 128,
    n_vocab: 128_256,
    tied: false,
    sliding: None,
    experts: None,
    k_is_v: false,
    n_shared: 0,
    per_layer: 0,
};

const GEMMA3_12B: Published = Published {
    architecture: "gemma3",
    n_head_kv: 8,
    head: 256,
    n_vocab: 262_208,
    k_is_v: false,
    ..GEMMA4_12B
};

const QWEN3_8B: Published = Published {
    architecture: "qwen3",
    n_layers: 36,
    n_ff: 12288,
    n_vocab: 151_936,
    ..LLAMA3_8B
};

const QWEN3_30B_A3B: Published = Published {
    architecture: "qwen3moe",
    n_layers: 48,
    n_embd: 2048,
    n_ff: 6144,
    n_head_kv: 4,
    n_vocab: 151_936,
    experts: Some((128, 8, 768)),
    ..LLAMA3_8B
};

fn engine_kv(kv: GgmlType) -> KvType {
    match kv {
        GgmlType::Q8_0 => KvType::Q8_0,
        GgmlType::Q4_0 => KvType::Q4_0,
        _ => KvType::F16,
    }
}

fn engine(path: &Path, request: &Request, no_alloc: bool) -> Vec<BufferBytes> {
    let params = ModelParams {
        no_alloc,
        repack: request.repack != Repack::Off,
        ..ModelParams::default()
    };
    let model = Model::load(path, &params, |_| true).unwrap();
    let params = ContextParams {
        n_ctx: request.n_ctx,
        n_batch: request.n_ctx.min(2048),
        n_ubatch: request.n_ubatch,
        kv_k: engine_kv(request.kv),
        kv_v: engine_kv(request.kv),
        flash_attention: FlashAttention::Auto,
    };
    Context::new(&model, &params, &Threads::new(1).unwrap()).unwrap().buffers()
}

fn predicted(path: &Path, request: &Request) -> Prediction {
    let gguf = Gguf::open(path).unwrap();
    let shape = Shape::read(gguf.metadata(), gguf.tensors()).unwrap();
    predict(&shape, gguf.tensors(), request).unwrap()
}

fn request(n_ctx: u32, kv: GgmlType, mapped: bool) -> Request {
    Request {
        n_ctx,
        n_ubatch: 512,
        kv,
        gpu_layers: Some(0),
        n_outputs: 1,
        mapped,
        repack: Repack::from_system_info(&identity().system_info),
    }
}

/// Every part, and the sum, within `share` of what the engine says.
#[track_caller]
fn check(path: &Path, request: &Request, no_alloc: bool, share: f64) {
    let said = engine(path, request, no_alloc);
    let told = predicted(path, request).host;
    let sum = |part: fn(&BufferBytes) -> u64| said.iter().map(part).sum::<u64>();
    let parts = [
        ("weights", told.weights, sum(|b| b.weights)),
        ("kv", told.kv, sum(|b| b.context)),
        ("compute", told.compute, sum(|b| b.compute)),
    ];
    for (part, told, said) in parts {
        let off = told as f64 / said as f64 - 1.0;
        println!(
            "{} {:?} {} {part}: predicted {told}, engine {said}: {:+.3} %",
            path.file_name().unwrap().display(),
            request.kv,
            request.n_ctx,
            off * 100.0
        );
        assert!(off.abs() <= share, "{part}: {told} predicted, {said} by the engine ({off:+.4})");
    }
}

fn lab() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../lab/lab-base-bf16.gguf")
}

#[track_caller]
fn check_lab(n_ctx: u32) {
    for kv in [GgmlType::F16, GgmlType::Q8_0, GgmlType::Q4_0] {
        check(&lab(), &request(n_ctx, kv, true), false, 0.01);
    }
}

#[track_caller]
fn check_published(shape: &Published, ty: GgmlType, embedding: GgmlType) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("{}.gguf", shape.architecture));
    shape.file(ty, embedding).write(&path);
    for (n_ctx, kv) in [
        (4096, GgmlType::F16),
        (32_768, GgmlType::F16),
        (32_768, GgmlType::Q8_0),
        (131_072, GgmlType::Q4_0),
    ] {
        check(&path, &request(n_ctx, kv, false), true, 0.03);
    }
}

#[test]
fn the_lab_at_512_tokens_is_predicted() {
    check_lab(512);
}

#[test]
fn the_lab_at_1024_tokens_is_predicted() {
    check_lab(1024);
}

#[test]
fn the_lab_at_2048_tokens_is_predicted() {
    check_lab(2048);
}

#[test]
fn llama_3_8b_is_predicted() {
    check_published(&LLAMA3_8B, GgmlType::Q4_K, GgmlType::Q6_K);
}

#[test]
fn qwen3_8b_is_predicted() {
    check_published(&QWEN3_8B, GgmlType::Q8_0, GgmlType::Q8_0);
}

#[test]
fn gemma_3_12b_is_predicted() {
    check_published(&GEMMA3_12B, GgmlType::Q4_0, GgmlType::Q6_K);
}

#[test]
fn gemma_4_12b_is_predicted() {
    check_published(&GEMMA4_12B, GgmlType::Q4_0, GgmlType::Q6_K);
}

#[test]
fn qwen3_30b_a3b_is_predicted() {
    check_published(&QWEN3_30B_A3B, GgmlType::Q4_K, GgmlType::Q6_K);
}
