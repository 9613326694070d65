//! Bytes that one token moves, against figures worked out by hand: the lab's builds, and headers of
//! other kinds of models, built here.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

#[path = "../../karat-gguf/tests/gguf/builder.rs"]
#[allow(dead_code, reason = "made for more than is needed here")]
mod builder;
mod cli_lab;

use builder::File;
use cli_lab::{ORIGINAL, Place, lab};
use karat::instrument::speed::traffic::{kv_traffic, main_type, weight_bytes_per_token};
use karat::plan::{KvLayers, KvTraffic};
use karat::settings::Kv;
use karat_gguf::{Array, GgmlType, Gguf, Header, Value};

/// Bytes of the lab model's vectors, all F32: per layer four norms of 256 and one scale, the norms of
/// Q and K (64 in sliding layers, 128 in full ones), the final norm, the RoPE factors.
const LAB_VECTORS: u64 = 4 * (4 * (4 * 256 + 1) + 2 * (2 * 64) + 2 * (2 * 128) + 256 + 64);
/// Weights of its layers' matrices: three of 256 x 512 for the FFN; Q and output of 4 heads, K and V
/// of one head, of 64 (twice) or 128 (twice).
const LAB_MATRICES: u64 =
    4 * 3 * 256 * 512 + 2 * 256 * (2 * 256 + 2 * 64) + 2 * 256 * (2 * 512 + 2 * 128);
/// Weights of its embedding, which is the output matrix as well.
const LAB_EMBEDDING: u64 = 256 * 8192;

/// A model of one kind in a few hundred bytes; `pairs` are keys of its architecture.
fn header(
    architecture: &str,
    pairs: &[(&str, Value)],
    tensors: &[(&str, GgmlType, &[u64])],
) -> Header {
    let name = Value::String(architecture.into());
    let mut file = File::new().pair("general.architecture", &name);
    for (key, value) in pairs {
        file = file.pair(&format!("{architecture}.{key}"), value);
    }
    for (name, ty, dims) in tensors {
        let rows: u64 = dims[1..].iter().product();
        let data = vec![0; (ty.row_bytes(dims[0]).unwrap() * rows) as usize];
        file = file.tensor(name, *ty, dims, &data);
    }
    Gguf::parse(&file.bytes()).unwrap()
}

#[test]
fn the_lab_reads_every_weight_once() {
    let gguf = Gguf::open(&lab(ORIGINAL)).unwrap();
    let want = LAB_VECTORS + 2 * (LAB_MATRICES + LAB_EMBEDDING);
    assert_eq!(weight_bytes_per_token(gguf.header()), Some(want));
    assert_eq!(main_type(gguf.header()), "BF16");
}

#[test]
fn a_quantized_lab_reads_blocks() {
    let place = Place::new();
    let gguf = Gguf::open(&place.path(&place.build("Q4_0"))).unwrap();
    // 18 bytes for 32 weights; the embedding is Q6_K, 210 bytes for 256.
    let want = LAB_VECTORS + LAB_MATRICES / 32 * 18 + LAB_EMBEDDING / 256 * 210;
    assert_eq!(weight_bytes_per_token(gguf.header()), Some(want));
    assert_eq!(main_type(gguf.header()), "Q4_0");
}

#[test]
fn the_lab_caches_two_sliding_and_two_full_layers() {
    let gguf = Gguf::open(&lab(ORIGINAL)).unwrap();
    let layers = |sliding, full| {
        KvTraffic(vec![
            KvLayers { bytes_per_position: full, window: None },
            KvLayers { bytes_per_position: sliding, window: Some(256) },
        ])
    };
    // Two layers, K and V, one head of 64 or of 128 elements: 2 bytes, or 34 for 32 of them.
    assert_eq!(kv_traffic(gguf.header(), Kv::F16), Some(layers(2 * 2 * 64 * 2, 2 * 2 * 128 * 2)));
    let q8 = |elements: u64| 2 * 2 * elements / 32 * 34;
    assert_eq!(kv_traffic(gguf.header(), Kv::Q8_0), Some(layers(q8(64), q8(128))));
}

#[test]
fn of_experts_only_the_used_ones_count() {
    let q8 = GgmlType::Q8_0;
    let tensors: [(&str, GgmlType, &[u64]); 9] = [
        ("token_embd.weight", q8, &[64, 1000]),
        ("output.weight", q8, &[64, 1000]),
        ("blk.0.attn_k.weight", q8, &[64, 32]),
        ("blk.0.attn_v.weight", q8, &[64, 32]),
        ("blk.0.ffn_gate_inp.weight", GgmlType::F32, &[64, 8]),
        ("blk.0.ffn_up_exps.weight", q8, &[64, 96, 8]),
        ("blk.0.ffn_down_exps.weight", q8, &[96, 64, 8]),
        ("blk.0.ffn_up_shexp.weight", q8, &[64, 32]),
        // A layer that predicts the token after the next one.
        ("blk.1.attn_k.weight", q8, &[64, 32]),
    ];
    let pairs = [
        ("block_count", Value::U32(2)),
        ("nextn_predict_layers", Value::U32(1)),
        ("expert_count", Value::U32(8)),
        ("expert_used_count", Value::U32(2)),
    ];
    let header = header("some-moe", &pairs, &tensors);
    let row = 64 / 32 * 34;
    let experts = (96 * row + 64 * (96 / 32 * 34)) * 2;
    let router = 64 * 8 * 4;
    // One row of the embedding, the output, K and V, router, two of eight experts, the shared one.
    let want = row + 1000 * row + 2 * 32 * row + router + experts + 32 * row;
    assert_eq!(weight_bytes_per_token(&header), Some(want));
    // The layer behind the trunk caches nothing.
    let cached = KvLayers { bytes_per_position: 2 * 32 * 2, window: None };
    assert_eq!(kv_traffic(&header, Kv::F16), Some(KvTraffic(vec![cached])));
}

#[test]
fn experts_of_which_nobody_says_how_many_are_used_are_not_counted() {
    let tensors: [(&str, GgmlType, &[u64]); 2] = [
        ("token_embd.weight", GgmlType::F16, &[8, 100]),
        ("blk.0.ffn_up_exps.weight", GgmlType::F16, &[8, 16, 4]),
    ];
    let all = ("expert_count", Value::U32(4));
    for pairs in [vec![], vec![all.clone()], vec![("expert_used_count", Value::U32(2))]] {
        assert_eq!(
            weight_bytes_per_token(&header("some-moe", &pairs, &tensors)),
            None,
            "{pairs:?}"
        );
    }
    let pairs = [all, ("expert_used_count", Value::U32(2))];
    let want = 8 * 100 * 2 + 2 * 8 * 16 * 2;
    assert_eq!(weight_bytes_per_token(&header("some-moe", &pairs, &tensors)), Some(want));
}

#[test]
fn of_per_layer_embeddings_one_row_counts() {
    let tensors: [(&str, GgmlType, &[u64]); 2] = [
        ("token_embd.weight", GgmlType::F16, &[8, 100]),
        ("per_layer_token_embd.weight", GgmlType::F16, &[32, 100]),
    ];
    // The tied embedding whole, one row of the other.
    assert_eq!(
        weight_bytes_per_token(&header("gemma3n", &[], &tensors)),
        Some(8 * 100 * 2 + 32 * 2)
    );
}

/// A model of layers with K and V of `widths`; a width of 0 leaves them out.
#[track_caller]
fn check_kv(
    architecture: &str,
    pairs: &[(&str, Value)],
    widths: &[u64],
    want: Option<&[(Option<u64>, u64)]>,
) {
    let names: Vec<String> = (0..widths.len()).map(|i| format!("blk.{i}.attn_k.weight")).collect();
    let others: Vec<String> = (0..widths.len()).map(|i| format!("blk.{i}.ffn_up.weight")).collect();
    let dims: Vec<[u64; 2]> = widths.iter().map(|&width| [8, width]).collect();
    let mut tensors: Vec<(&str, GgmlType, &[u64])> = Vec::new();
    for ((name, other), dims) in names.iter().zip(&others).zip(&dims) {
        tensors.push((other, GgmlType::F16, &[8, 8]));
        if dims[1] > 0 {
            tensors.push((name, GgmlType::F16, dims));
        }
    }
    let want = want.map(|kinds| {
        let kind = |&(window, bytes_per_position)| KvLayers { bytes_per_position, window };
        KvTraffic(kinds.iter().map(kind).collect())
    });
    assert_eq!(kv_traffic(&header(architecture, pairs, &tensors), Kv::F16), want);
}

#[test]
fn sliding_layers_follow_the_pattern_the_period_or_the_architecture() {
    let window = ("attention.sliding_window", Value::U32(64));
    let pattern = |value| ("attention.sliding_window_pattern", value);
    let flags = pattern(Value::Array(Array::Bool(vec![true, true, false])));
    let widths = [4, 4, 4];
    // K and V alike: 4 x 2 bytes, twice.
    check_kv("a", &[], &widths, Some(&[(None, 48)]));
    check_kv("a", &[window.clone(), flags], &widths, Some(&[(None, 16), (Some(64), 32)]));
    let period = pattern(Value::U32(2));
    check_kv("a", &[window.clone(), period], &widths, Some(&[(None, 16), (Some(64), 32)]));
    check_kv("gemma2", std::slice::from_ref(&window), &widths, Some(&[(None, 16), (Some(64), 32)]));
    check_kv("gemma3", std::slice::from_ref(&window), &widths, Some(&[(Some(64), 48)]));
    check_kv("phi3", std::slice::from_ref(&window), &widths, Some(&[(None, 48)]));
    check_kv("never-heard-of", &[window], &widths, None);
}

#[test]
fn layers_that_share_a_cache_read_that_of_the_last_of_their_kind() {
    let pairs = [
        ("block_count", Value::U32(4)),
        ("attention.sliding_window", Value::U32(64)),
        ("attention.shared_kv_layers", Value::U32(2)),
        (
            "attention.sliding_window_pattern",
            Value::Array(Array::Bool(vec![true, false, true, false])),
        ),
    ];
    check_kv("gemma4", &pairs, &[4, 8, 0, 0], Some(&[(None, 64), (Some(64), 32)]));
}

#[test]
fn what_a_header_does_not_tell_is_not_guessed() {
    // No K of its own, and nothing it could share.
    check_kv("mamba", &[("block_count", Value::U32(1))], &[0], None);
    check_kv("llama4", &[("attention.chunk_size", Value::U32(8192))], &[4], None);
    let endless = [("block_count", Value::U64(1_000_000_000_000))];
    check_kv("a", &endless, &[4], Some(&[(None, 16)]));
}
