//! `karat fit` as its users see it.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;
mod sparse;

use cli_lab::{ORIGINAL, Place, lab};
use karat_gguf::GgmlType;
use serde_json::{Value, json};
use sparse::{Published, SparseFile};

/// A model of the shape of Llama 3 8B, with holes instead of weights.
fn llama(place: &Place, name: &str, ty: GgmlType) {
    let shape = Published {
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
    shape.file_with_tokens(ty, GgmlType::Q6_K).write(&place.path(name));
}

fn fit(place: &Place, args: &[&str]) -> Value {
    let all = ["fit", "--format", "json"].into_iter().chain(args.iter().copied());
    let output = place.karat(all).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_largest_build_that_fits_is_named() {
    let place = Place::new();
    llama(&place, "m-Q8_0.gguf", GgmlType::Q8_0);
    llama(&place, "m-Q4_0.gguf", GgmlType::Q4_0);
    let answer = fit(&place, &["--vram", "8GiB", "--ctx", "8k", "m-Q8_0.gguf", "m-Q4_0.gguf"]);
    let sentence = answer["answer"].as_str().unwrap();
    assert!(sentence.contains("is m-Q4_0 with KV f16"), "{sentence}");
    let rows = answer["rows"].as_array().unwrap();
    let q8 = &rows[0];
    assert_eq!((q8["model"].as_str(), q8["fits"].as_bool()), (Some("m-Q8_0"), Some(false)));
    assert!(q8["gpu_layers"].as_u64().unwrap() < q8["n_layers"].as_u64().unwrap());
    // 32 layers, K and V of 8 heads of 128, f16, 8192 tokens.
    assert_eq!(q8["kv_bytes"], 32 * 2 * 8 * 128 * 2 * 8192_u64);
}

#[test]
fn the_longest_context_is_the_last_that_fits() {
    let place = Place::new();
    llama(&place, "m.gguf", GgmlType::Q4_0);
    let at = |ctx: u64| {
        fit(&place, &["--vram", "8GiB", "--kv", "f16", "--ctx", &ctx.to_string(), "m.gguf"])
    };
    let most = at(4096)["rows"][0]["largest_ctx"].as_u64().unwrap();
    assert_eq!(most % 256, 0);
    assert_eq!(at(most)["rows"][0]["fits"], true);
    assert_eq!(at(most + 256)["rows"][0]["fits"], false);
}

#[test]
fn what_fits_is_said_in_words_and_in_markdown() {
    let place = Place::new();
    llama(&place, "m.gguf", GgmlType::Q4_0);
    for format in ["text", "markdown"] {
        let args = ["fit", "--vram", "2GiB", "--format", format, "m.gguf"];
        let output = place.karat(args).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("No build fits 2.00 GiB, whatever the context"), "{said}");
    }
}

#[test]
fn a_card_may_be_given_whole() {
    let place = Place::new();
    llama(&place, "m.gguf", GgmlType::Q4_0);
    let answer = fit(&place, &["--vram", "8GiB", "--reserve", "0", "m.gguf"]);
    assert_eq!(answer["reserve_bytes"], 0);
}

/// A row of eight heads of 80 is whole blocks of q8_0, a head is not, and the engine asks the head.
#[test]
fn a_kv_type_that_the_engine_refuses_is_promised_nowhere() {
    let place = Place::new();
    let with_heads = tiny("llama").number("attention.key_length", 40);
    with_heads.number("attention.value_length", 40).write(&place.path("m.gguf"));
    let output = place.karat(["fit", "--vram", "8GiB", "--ctx", "512", "m.gguf"]).output().unwrap();
    let (told, said) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(said.contains("a key head of layer 0 has 40"), "{said}");
    assert!(told.contains("f16") && !told.contains("q8_0  "), "{told}");
    place.check_refused(
        &mut place.karat(["memory", "--predict-only", "--kv", "q8_0", "m.gguf"]),
        "a key head of layer 0 has 40",
    );
}

/// What memory there is does not matter beyond the trained length.
#[test]
fn a_context_beyond_the_trained_one_fits_nowhere_and_the_reason_is_told() {
    let place = Place::new();
    let original = lab(ORIGINAL);
    let original = original.to_str().unwrap();
    for format in ["text", "markdown"] {
        let args = ["fit", "-q", "--vram", "8GiB", "--ctx", "32k", "--format", format, original];
        let told = String::from_utf8(place.karat(args).output().unwrap().stdout).unwrap();
        assert!(told.contains("No build was trained for 32768 tokens; "), "{told}");
        assert!(told.contains("trained for 2048"), "{told}");
    }
    let answer = fit(&place, &["--vram", "8GiB", "--ctx", "32k", original]);
    let row = &answer["rows"][0];
    assert_eq!((&row["fits"], &row["reason"]), (&json!(false), &json!("trained_length")));
    assert_eq!(row["n_ctx_train"], 2048);
    let answer = fit(&place, &["--vram", "8GiB", "--ctx", "2k", original]);
    assert_eq!(answer["rows"][0]["reason"], Value::Null);
}

/// One build was trained for too little, the other takes too much: both stand in the way.
#[test]
fn several_reasons_why_nothing_fits_are_told_together() {
    let place = Place::new();
    llama(&place, "m.gguf", GgmlType::Q8_0);
    let original = lab(ORIGINAL);
    let args = ["--vram", "2GiB", "--ctx", "32k", "m.gguf", original.to_str().unwrap()];
    let sentence = fit(&place, &args)["answer"].as_str().unwrap().to_owned();
    assert!(sentence.contains("No build that was trained for 32768 tokens fits"), "{sentence}");
}

/// A header that says 0 does not say what a model was trained for.
#[test]
fn a_trained_length_of_zero_is_none() {
    let place = Place::new();
    tiny("llama").number("context_length", 0).write(&place.path("m.gguf"));
    let answer = fit(&place, &["--vram", "8GiB", "m.gguf"]);
    let row = &answer["rows"][0];
    assert_eq!((&row["fits"], &row["n_ctx_train"]), (&json!(true), &Value::Null));
    assert_eq!(row["is_trained_length"], false);
    let output = place.karat(["memory", "--predict-only", "m.gguf"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !told.contains("trained for"), "{told}");
}

/// Two layers that the engine could load, but for the lengths and counts that a test adds.
fn tiny(architecture: &str) -> SparseFile {
    SparseFile::new(architecture)
        .with_tokens(10)
        .number("block_count", 2)
        .number("embedding_length", 64)
        .number("feed_forward_length", 128)
        .number("attention.head_count", 4)
        .float("attention.layer_norm_rms_epsilon", 1e-6)
        .tensor("token_embd.weight", GgmlType::F16, &[64, 10])
}
