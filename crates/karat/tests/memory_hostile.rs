//! Headers that say too little, too much or nonsense: one clear error each, never a figure.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

mod sparse;

use karat::memory::{MemoryError, Repack, Request, Shape, predict};
use karat_gguf::{GgmlType, Gguf};
use sparse::SparseFile;

fn sound() -> SparseFile {
    SparseFile::new("llama")
        .number("block_count", 2)
        .number("embedding_length", 64)
        .number("feed_forward_length", 128)
        .number("attention.head_count", 4)
        .tensor("token_embd.weight", GgmlType::F16, &[64, 100])
}

fn request() -> Request {
    Request {
        n_ctx: 512,
        n_ubatch: 512,
        kv: GgmlType::F16,
        gpu_layers: Some(0),
        n_outputs: 1,
        mapped: true,
        repack: Repack::Off,
    }
}

fn outcome(file: &SparseFile, request: &Request) -> Result<u64, MemoryError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    file.write(&path);
    let gguf = Gguf::open(&path).unwrap();
    let shape = Shape::read(gguf.metadata(), gguf.tensors())?;
    Ok(predict(&shape, gguf.tensors(), request)?.host.kv)
}

#[track_caller]
fn check(file: &SparseFile, message: &str) {
    let error = outcome(file, &request()).unwrap_err().to_string();
    assert!(error.contains(message), "`{error}` does not say `{message}`");
}

#[test]
fn a_sound_header_is_predicted() {
    // 2 layers, K and V of 4 heads of 16, f16, 512 tokens.
    assert_eq!(outcome(&sound(), &request()), Ok(2 * 2 * 64 * 2 * 512));
}

#[test]
fn an_unknown_architecture_is_named() {
    check(&SparseFile::new("mamba"), "architecture `mamba` is not predicted");
}

#[test]
fn a_trillion_layers_are_out_of_range() {
    let file = SparseFile::new("llama").wide_number("block_count", 1_000_000_000_000);
    check(&file, "`llama.block_count` = 1000000000000; between 1 and 512");
}

#[test]
fn no_layers_are_out_of_range() {
    check(&SparseFile::new("llama").number("block_count", 0), "`llama.block_count` = 0");
}

#[test]
fn zero_heads_are_out_of_range() {
    let file = SparseFile::new("llama")
        .number("block_count", 2)
        .number("embedding_length", 64)
        .number("attention.head_count", 0)
        .tensor("token_embd.weight", GgmlType::F16, &[64, 100]);
    check(&file, "`llama.attention.head_count` = 0");
}

#[test]
fn a_missing_key_is_named() {
    let file = SparseFile::new("llama").number("block_count", 2);
    check(&file, "lacks `llama.embedding_length`");
}

#[test]
fn a_key_of_the_wrong_type_is_named() {
    let file = sound().float("attention.key_length", 16.0);
    check(&file, "lacks `llama.attention.key_length`, or it is no number");
}

#[test]
fn a_list_of_the_wrong_length_is_named() {
    let file = sound().numbers("attention.head_count_kv", &[4, 4, 4]);
    check(&file, "lists 3 values under `llama.attention.head_count_kv`, the model has 2 layers");
}

#[test]
fn a_width_against_the_tensor_table_is_named() {
    let file = SparseFile::new("llama")
        .number("block_count", 2)
        .number("embedding_length", 32)
        .tensor("token_embd.weight", GgmlType::F16, &[64, 100]);
    check(&file, "rows of 64, but `llama.embedding_length` = 32");
}

#[test]
fn a_product_beyond_reason_is_out_of_range() {
    let file = sound().number("attention.key_length", 1 << 24);
    check(&file, "query values of layer 0");
}

#[track_caller]
fn check_refused_by_blocks(file: &SparseFile, head: &'static str, layer: usize, values: u64) {
    let error = outcome(file, &Request { kv: GgmlType::Q8_0, ..request() }).unwrap_err();
    assert_eq!(error, MemoryError::KvBlock { kv: "Q8_0", block: 32, head, layer, values });
    for kv in [GgmlType::F16, GgmlType::F32] {
        assert!(outcome(file, &Request { kv, ..request() }).is_ok(), "{kv:?} has no blocks");
    }
}

/// Four heads of 40 make a row of 160, which is a whole number of blocks: it is not the row that counts.
#[test]
fn a_cache_of_blocks_that_do_not_divide_a_head_is_refused() {
    let with = |k, v| sound().number("attention.key_length", k).number("attention.value_length", v);
    check_refused_by_blocks(&with(3, 3), "key", 0, 3);
    check_refused_by_blocks(&with(40, 64), "key", 0, 40);
    check_refused_by_blocks(&with(64, 40), "value", 0, 40);
    let fits = outcome(&with(64, 32), &Request { kv: GgmlType::Q8_0, ..request() });
    assert_eq!(fits, Ok(2 * (64 + 32) * 4 / 32 * 34 * 512));
}

/// The engine asks every layer: the full ones after the sliding ones, and those without a cache too.
#[test]
fn each_head_length_of_a_model_with_two_is_asked() {
    let file = gemma4(0).number("attention.key_length", 40).number("attention.value_length", 64);
    let with_sliding = |file: SparseFile| {
        file.number("attention.key_length_swa", 64).number("attention.value_length_swa", 64)
    };
    check_refused_by_blocks(&with_sliding(file), "key", 1, 40);
}

/// Four layers of gemma4, `n_shared` of which store no K and V.
fn gemma4(n_shared: u32) -> SparseFile {
    SparseFile::new("gemma4")
        .number("block_count", 4)
        .number("embedding_length", 64)
        .number("feed_forward_length", 128)
        .number("attention.head_count", 4)
        .number("attention.sliding_window", 128)
        .numbers("attention.sliding_window_pattern", &[1, 0, 1, 0])
        .number("attention.shared_kv_layers", n_shared)
        .tensor("token_embd.weight", GgmlType::F16, &[64, 100])
}

#[test]
fn layers_that_share_leave_two_to_share_from() {
    assert!(outcome(&gemma4(2), &request()).is_ok());
    for n_shared in [3, 4, 5, 500] {
        let wanted = format!("shared_kv_layers` = {n_shared}; between 0 and 2 can be true");
        check(&gemma4(n_shared), &wanted);
    }
}

#[test]
fn a_key_that_the_engine_does_not_read_changes_nothing() {
    let shared = sound().number("attention.shared_kv_layers", 2);
    assert_eq!(outcome(&shared, &request()), outcome(&sound(), &request()));
}

#[test]
fn more_experts_than_the_engine_takes_are_out_of_range() {
    let file = sound()
        .number("expert_count", 4_000_000_000)
        .number("expert_used_count", 2)
        .tensor("blk.0.ffn_gate_inp.weight", GgmlType::F16, &[64, 8])
        .tensor("blk.1.ffn_gate_inp.weight", GgmlType::F16, &[64, 8]);
    check(&file, "`llama.expert_count` = 4000000000; between 0 and 1024");
}

/// The engine aborts at these counts, also where no layer has an expert.
#[test]
fn experts_used_are_some_of_those_there_are() {
    let with = |n, n_used| sound().number("expert_count", n).number("expert_used_count", n_used);
    assert!(outcome(&with(8, 8), &request()).is_ok());
    assert!(outcome(&with(0, 0), &request()).is_ok());
    let each = sound().number("expert_count", 8).numbers("expert_used_count", &[0, 2]);
    assert!(outcome(&each, &request()).is_ok());
    check(&with(8, 0), "`llama.expert_used_count` = 0; between 1 and 8");
    check(&with(8, 9), "`llama.expert_used_count` = 9; between 1 and 8");
    check(&with(0, 1), "`llama.expert_used_count` = 1; between 0 and 0");
    check(&sound().number("expert_count", 8), "`llama.expert_used_count` = 0; between 1 and 8");
}

#[test]
fn a_long_name_of_an_architecture_is_cut() {
    let error = outcome(&SparseFile::new(&"x".repeat(100_000)), &request()).unwrap_err();
    assert!(error.to_string().len() < 400, "{error}");
}

#[test]
fn the_largest_numbers_give_an_error_or_a_figure_and_no_panic() {
    let most = Request { n_ctx: u32::MAX, n_ubatch: u32::MAX, n_outputs: u32::MAX, ..request() };
    assert!(outcome(&sound(), &most).is_err());
    let no_tokens = Request { n_ctx: 0, ..request() };
    assert_eq!(outcome(&sound(), &no_tokens), Err(MemoryError::NoContext));
}
