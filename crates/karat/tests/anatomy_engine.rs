//! What `karat inspect` says of headers that the engine refuses or misuses.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod sound_model;

use karat_gguf::{Array, Value};
use sound_model::builder::File;
use sound_model::{anatomy, check, check_file, said, sound, text, with_tensors};

/// The sound model with `key` set to `value`, or taken away, is told to be unloadable.
#[track_caller]
fn check_unloadable(key: &str, value: Option<Value>, want: &str) {
    let mut pairs = sound();
    pairs.retain(|(known, _)| known != key);
    pairs.extend(value.map(|value| (key.to_owned(), value)));
    let said = said(&anatomy(&with_tensors(&pairs)));
    let told = said.iter().filter(|said| said.starts_with("unloadable: "));
    let told: Vec<_> = told.collect();
    assert!(told.len() == 1 && told[0].contains(want), "wanted `{want}`, got {said:#?}");
}

#[test]
fn what_other_verbs_refuse_is_told() {
    let width = "llama.feed_forward_length";
    check_unloadable(width, None, "lacks `llama.feed_forward_length`");
    check_unloadable(width, Some(Value::U32(1 << 31)), "`llama.feed_forward_length` = 2147483648");
    let heads = Value::Array(Array::U32(vec![2, 0]));
    check_unloadable("llama.attention.head_count_kv", Some(heads), "head_count_kv` = 0; between");
    check_unloadable("llama.block_count", Some(Value::U32(0)), "the engine cannot load the file");
    check_unloadable("llama.expert_count", Some(Value::U32(8)), "expert_used_count` = 0; between");
    let nothing = sound().iter().fold(File::new(), |file, (key, value)| file.pair(key, value));
    check_file(&nothing, "the file holds no tensor");
}

#[test]
fn experts_of_which_none_or_too_many_are_used_are_told() {
    for (n_used, want) in
        [(0, "none of 8 experts is to be used"), (9, "9 experts are to be used of 8")]
    {
        let mut pairs = sound();
        pairs.push(("llama.expert_count".to_owned(), Value::U32(8)));
        pairs.push(("llama.expert_used_count".to_owned(), Value::U32(n_used)));
        check_file(&with_tensors(&pairs), want);
    }
}

#[test]
fn norms_without_a_positive_epsilon_are_told() {
    let epsilon = "llama.attention.layer_norm_rms_epsilon";
    check(epsilon, None, "layer_norm_rms_epsilon` is missing: engines refuse the model");
    check(epsilon, Some(Value::F32(0.0)), "norms are to add 0 to a variance");
    check(epsilon, Some(Value::F32(-1.0)), "norms are to add -1 to a variance");
    check(epsilon, Some(Value::F32(f32::NAN)), "layer_norm_rms_epsilon` is NaN (FLOAT32)");
}

#[test]
fn a_tokenizer_without_a_model_is_told() {
    check("tokenizer.ggml.model", None, "`tokenizer.ggml.model` is missing");
}

#[test]
fn a_file_type_of_another_type_is_told_as_that() {
    check(
        "general.file_type",
        Some(text("Q4_0")),
        "`general.file_type` is of type STRING, it should",
    );
    check("general.file_type", None, "`general.file_type` is missing");
}
