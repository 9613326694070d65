//! A small model without an oddity, and what `karat inspect` finds once a key of it is another.
#![allow(dead_code, reason = "each test binary uses a part of it")]

#[path = "../../../karat-gguf/tests/gguf/builder.rs"]
pub mod builder;

use builder::File;
use karat::anatomy::{Anatomy, examine};
use karat_gguf::{Array, GgmlType, Gguf, Value};

pub fn text(text: &str) -> Value {
    Value::String(text.into())
}

pub fn strings(items: &[&str]) -> Value {
    Value::Array(Array::String(items.iter().copied().collect()))
}

/// A whole small model without an oddity: two layers, three tokens.
pub fn sound() -> Vec<(String, Value)> {
    let pairs = [
        ("general.architecture", text("llama")),
        ("general.file_type", Value::U32(0)),
        ("llama.block_count", Value::U32(2)),
        ("llama.context_length", Value::U32(512)),
        ("llama.embedding_length", Value::U32(32)),
        ("llama.feed_forward_length", Value::U32(64)),
        ("llama.attention.head_count", Value::U32(4)),
        ("llama.attention.head_count_kv", Value::U32(2)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-6)),
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.tokens", strings(&["<bos>", "<eos>", "a"])),
        ("tokenizer.ggml.token_type", Value::Array(Array::I32(vec![3, 3, 1]))),
        ("tokenizer.ggml.bos_token_id", Value::U32(0)),
        ("tokenizer.ggml.eos_token_id", Value::U32(1)),
    ];
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}

pub fn with_tensors(pairs: &[(String, Value)]) -> File {
    let file = pairs.iter().fold(File::new(), |file, (key, value)| file.pair(key, value));
    file.tensor("token_embd.weight", GgmlType::F32, &[32, 3], &[0; 384])
        .tensor("blk.0.attn_q.weight", GgmlType::F32, &[32, 32], &[0; 4096])
        .tensor("blk.1.attn_q.weight", GgmlType::F32, &[32, 32], &[0; 4096])
}

pub fn opened(bytes: &[u8]) -> Gguf {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    std::fs::write(&path, bytes).unwrap();
    Gguf::open(&path).unwrap()
}

pub fn anatomy(file: &File) -> Anatomy {
    examine("m", &opened(&file.bytes()), "0".repeat(64))
}

pub fn said(anatomy: &Anatomy) -> Vec<String> {
    anatomy.oddities.iter().map(|oddity| format!("{}: {}", oddity.id, oddity.message)).collect()
}

/// The sound model with `key` set to `value`, or taken away, has just this oddity.
#[track_caller]
pub fn check(key: &str, value: Option<Value>, want: &str) {
    let mut pairs = sound();
    pairs.retain(|(known, _)| known != key);
    pairs.extend(value.map(|value| (key.to_owned(), value)));
    check_file(&with_tensors(&pairs), want);
}

/// What makes a header unloadable is told beside what is odd about the measure: it has tests of its own.
#[track_caller]
pub fn check_file(file: &File, want: &str) {
    let mut said = said(&anatomy(file));
    if said.len() > 1 {
        said.retain(|said| !said.starts_with("unloadable: "));
    }
    assert!(said.len() == 1 && said[0].contains(want), "wanted `{want}`, got {said:#?}");
}
