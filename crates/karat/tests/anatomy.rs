//! What `karat inspect` finds in files: against other tools' findings, and in files that are odd or
//! hostile in one place.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod sound_model;

use karat::anatomy::{
    Anatomy, Inspection, SCHEMA_VERSION, check_data, compare, data_oddities, examine,
};
use karat::report::{PageFormat, difference, inspection};
use karat_gguf::{Array, GgmlType, Text, Value};
use proptest::prelude::*;
use sound_model::builder::File;
use sound_model::{anatomy, check, check_file, opened, said, sound, strings, text, with_tensors};

#[test]
fn a_sound_model_has_no_oddity() {
    assert_eq!(said(&anatomy(&with_tensors(&sound()))), [""; 0]);
}

#[test]
fn measures_that_no_model_has_are_told() {
    let trillion = Value::U64(1_000_000_000_000);
    check("llama.block_count", Some(trillion), "1000000000000 layers, the table of tensors has 2");
    check("llama.context_length", Some(Value::U64(0)), "the context length is 0");
    check("llama.attention.head_count_kv", Some(Value::U32(3)), "4 heads cannot share 3 KV heads");
    check("llama.attention.head_count_kv", Some(Value::U32(0)), "4 heads cannot share 0 KV heads");
    check("llama.embedding_length", Some(Value::U32(64)), "embedding length of 64, the");
    let (context, window) = ("llama.context_length", "llama.attention.sliding_window");
    for (key, most) in [(context, u64::MAX >> 32), (context, 1 << 63), (window, 1 << 31)] {
        check(key, Some(Value::U64(most)), &format!("is {most}: at most"));
    }
    check("llama.expert_count", Some(Value::U32(4_000_000_000)), "is 4000000000: at most 1024");
    let shared = "llama.attention.shared_kv_layers";
    check(shared, Some(Value::U32(1)), "1 of 2 layers are to use another one's keys and values");
    let list = Value::Array(Array::U32(vec![4, 4, 4]));
    check("llama.attention.head_count", Some(list), "`head_count` lists 3 layers, there are 2");
}

#[test]
fn a_window_of_no_tokens_is_told_where_layers_slide() {
    let mut pairs = sound();
    pairs.push(("llama.attention.sliding_window".to_owned(), Value::U32(0)));
    assert_eq!(said(&anatomy(&with_tensors(&pairs))), [""; 0], "some converters write it for none");
    let marks = Value::Array(Array::Bool(vec![true, false]));
    pairs.push(("llama.attention.sliding_window_pattern".to_owned(), marks));
    check_file(&with_tensors(&pairs), "1 layers are to see a sliding window of 0 tokens");
}

#[test]
fn tensors_of_another_width_than_the_keys_say_are_told() {
    let mut pairs = sound();
    pairs.push(("llama.attention.key_length".to_owned(), Value::U32(16)));
    let wanted = "dimensions: tensor `blk.0.attn_q.weight` has 32 rows, the header's keys make 64";
    check_file(&with_tensors(&pairs), wanted);
}

#[test]
fn keys_of_the_wrong_type_are_told() {
    check("llama.context_length", Some(text("2k")), "is STRING, it should be a whole number");
    check("llama.context_length", Some(Value::I32(-1)), "is -1, it should be a whole number");
    check(
        "llama.rope.freq_base",
        Some(Value::F32(f32::NAN)),
        "is NaN (FLOAT32), it should be a finite",
    );
    let huge = Value::Array(Array::U8(vec![1; 1 << 20]));
    check("llama.attention.head_count", Some(huge), "is UINT8[1048576], it should be whole");
}

#[test]
fn keys_that_are_missing_are_told() {
    check("llama.block_count", None, "`llama.block_count` is missing: engines refuse the model");
    check("llama.attention.head_count", None, "`llama.attention.head_count` is missing");
    check("general.architecture", None, "`general.architecture` is missing or no string");
    check("general.architecture", Some(Value::U32(7)), "`general.architecture` is missing or no");
    check("general.file_type", None, "`general.file_type` is missing");
    check("tokenizer.ggml.eos_token_id", None, "no EOS token is named");
    check("tokenizer.ggml.tokens", None, "the file holds no vocabulary");
}

#[test]
fn an_unknown_architecture_is_told_and_its_measures_are_read() {
    let pairs = sound().into_iter().map(|(key, value)| match key.as_str() {
        "general.architecture" => (key, text("gemma9")),
        _ => (key.replace("llama.", "gemma9."), value),
    });
    let file = with_tensors(&pairs.collect::<Vec<_>>());
    check_file(&file, "architecture `gemma9` is unknown to karat's engine");
    assert_eq!(anatomy(&file).shape.layers, Some(2));
}

#[test]
fn tokens_that_do_not_fit_are_told() {
    let types = |types: &[i32]| Some(Value::Array(Array::I32(types.to_vec())));
    let key = "tokenizer.ggml.token_type";
    check(key, types(&[3, 1, 1]), "`<eos>` (1) is NORMAL");
    check(key, types(&[4, 3, 1]), "`<bos>` (0) is USER_DEFINED");
    check(key, types(&[3, 3]), "`tokenizer.ggml.token_type` has 2 entries for 3 tokens");
    check(key, Some(text("3")), "is STRING, it should be one number for each token");
    check("tokenizer.ggml.eos_token_id", Some(Value::U32(3)), "is 3, the vocabulary has 3 tokens");
}

#[test]
fn rows_that_belong_to_no_token_are_told() {
    let row = Value::U32(4);
    check("llama.vocab_size", Some(row), "`vocab_size` states 4 tokens, the vocabulary has 3");
    let mut pairs = sound();
    pairs.retain(|(key, _)| !key.ends_with("tokens") && !key.ends_with("token_type"));
    pairs.push(("tokenizer.ggml.tokens".to_owned(), strings(&["<bos>", "<eos>"])));
    check_file(&with_tensors(&pairs), "the embedding has 3 rows for 2 tokens: 1 too many");
    pairs.pop();
    let tokens = strings(&["<bos>", "<eos>", "a", "b"]);
    pairs.push(("tokenizer.ggml.tokens".to_owned(), tokens));
    check_file(&with_tensors(&pairs), "the vocabulary has 4 tokens, the embedding only 3 rows");
}

#[test]
fn a_chat_vocabulary_without_a_template_is_told() {
    let tokens = strings(&["<bos>", "<eos>", "<|im_start|>"]);
    let mut pairs = sound();
    pairs.retain(|(key, _)| !key.ends_with("tokens") && !key.ends_with("token_type"));
    pairs.push(("tokenizer.ggml.tokens".to_owned(), tokens));
    check_file(&with_tensors(&pairs), "no chat template, though the vocabulary is made for chats");
    pairs.push(("tokenizer.chat_template".to_owned(), text("{{ messages }}")));
    assert_eq!(said(&anatomy(&with_tensors(&pairs))), [""; 0]);
    check("tokenizer.chat_template", Some(text(" \n")), "the chat template is empty");
    check("tokenizer.chat_template", Some(Value::U8(1)), "is UINT8, not a UTF-8 string");
}

#[test]
fn hidden_characters_are_told() {
    let of_value = "1 value with hidden characters or invalid UTF-8, of `general.name`; shown here";
    check("general.name", Some(text("a\x1b[2Jb")), of_value);
    check("general.name", Some(text("a\u{202e}b")), of_value);
    check("general.name", Some(Value::String(Text::from(vec![0xff, 0xfe]))), of_value);
    check("x.\u{202e}y", Some(text("sound")), "1 key with hidden characters or invalid UTF-8: `x.");
}

#[test]
fn bytes_that_belong_to_no_tensor_are_told() {
    let mut bytes = with_tensors(&sound()).bytes();
    bytes.extend([7; 1000]);
    let found = said(&examine("m", &opened(&bytes), String::new()));
    assert_eq!(found, ["data_end: 1000 bytes follow the last tensor and belong to none"]);
}

#[test]
fn layers_that_are_missing_are_told() {
    let row = vec![0; 128];
    let file = with_tensors(&sound()).tensor("blk.4.attn_q.weight", GgmlType::F32, &[32], &row);
    let found = said(&anatomy(&file));
    let wanted = "layers: 2 layers below layer 4 have no tensor: 2, 3";
    assert!(found.iter().any(|line| line == wanted), "{found:#?}");
}

#[test]
fn an_odd_alignment_is_told() {
    let pairs: Vec<_> = sound();
    let mut file = pairs.iter().fold(File::new(), |file, (key, value)| file.pair(key, value));
    file = file.pair("general.alignment", &Value::U32(8));
    file.alignment = 8;
    let file = file
        .tensor("token_embd.weight", GgmlType::F32, &[32, 3], &[0; 384])
        .tensor("blk.1.attn_q.weight", GgmlType::F32, &[32, 32], &[0; 4096])
        .tensor("blk.0.attn_q.weight", GgmlType::F32, &[32, 32], &[0; 4096]);
    check_file(&file, "tensor data are aligned to 8 bytes");
}

#[test]
fn a_tensor_number_beyond_all_counts_is_no_overflow() {
    let row = vec![0; 128];
    for name in ["blk.18446744073709551615.attn_q.weight", "blk.18446744073709551614.x.weight"] {
        let file = with_tensors(&sound()).tensor(name, GgmlType::F32, &[32], &row);
        let found = said(&anatomy(&file));
        assert!(found.iter().any(|line| line.starts_with("layers:")), "{found:#?}");
    }
}

#[test]
fn huge_and_hostile_strings_are_cut_and_made_visible() {
    let mut pairs = sound();
    pairs.push(("general.name".to_owned(), text(&"\x1b]0;x\x07\u{202e}".repeat(1 << 20))));
    pairs.push(("general.base_model.0.name".to_owned(), text(&"n".repeat(10 << 20))));
    let anatomy = anatomy(&with_tensors(&pairs));
    for format in [PageFormat::Text, PageFormat::Markdown, PageFormat::Json] {
        check_harmless(&shown(anatomy.clone(), format));
    }
}

fn shown(anatomy: Anatomy, format: PageFormat) -> String {
    let models = vec![anatomy];
    let document = Inspection { schema_version: SCHEMA_VERSION, karat_version: "0", models };
    String::from_utf8(inspection(&document, format, false).unwrap()).unwrap()
}

#[track_caller]
fn check_harmless(page: &str) {
    assert!(page.len() < 20_000, "{} bytes", page.len());
    let hidden: Vec<char> =
        page.chars().filter(|&c| c != '\n' && karat::visible::is_hidden(c)).collect();
    assert!(hidden.is_empty(), "{hidden:?} in {page}");
}

/// Any value, of any type, small or huge.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u8>().prop_map(Value::U8),
        any::<i8>().prop_map(Value::I8),
        any::<u32>().prop_map(Value::U32),
        any::<i32>().prop_map(Value::I32),
        any::<u64>().prop_map(Value::U64),
        any::<i64>().prop_map(Value::I64),
        prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(1_000_000_000_000)].prop_map(Value::U64),
        any::<f32>().prop_map(Value::F32),
        any::<f64>().prop_map(Value::F64),
        any::<bool>().prop_map(Value::Bool),
        any::<String>().prop_map(|text| Value::String(text.as_str().into())),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(|raw| Value::String(raw.into())),
        proptest::collection::vec(any::<u64>(), 0..20).prop_map(|v| Value::Array(Array::U64(v))),
        proptest::collection::vec(any::<i32>(), 0..20).prop_map(|v| Value::Array(Array::I32(v))),
        proptest::collection::vec(any::<f32>(), 0..5).prop_map(|v| Value::Array(Array::F32(v))),
        proptest::collection::vec(any::<bool>(), 0..5).prop_map(|v| Value::Array(Array::Bool(v))),
        proptest::collection::vec(any::<String>(), 0..6)
            .prop_map(|v| Value::Array(Array::String(v.iter().collect()))),
    ]
}

fn key() -> impl Strategy<Value = String> {
    let known = [
        "general.architecture",
        "general.type",
        "general.file_type",
        "general.name",
        "general.base_model.count",
        "quantize.imatrix.file",
        "llama.block_count",
        "llama.context_length",
        "llama.embedding_length",
        "llama.feed_forward_length",
        "llama.attention.head_count",
        "llama.attention.head_count_kv",
        "llama.attention.key_length",
        "llama.attention.key_length_swa",
        "llama.attention.sliding_window",
        "llama.attention.sliding_window_pattern",
        "llama.expert_count",
        "llama.expert_used_count",
        "llama.vocab_size",
        "llama.rope.freq_base",
        "tokenizer.ggml.tokens",
        "tokenizer.ggml.token_type",
        "tokenizer.ggml.scores",
        "tokenizer.ggml.merges",
        "tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.bos_token_id",
        "tokenizer.chat_template",
        "tokenizer.chat_template.tool",
    ];
    let known = proptest::sample::select(known.to_vec()).prop_map(str::to_owned);
    prop_oneof![9 => known, 1 => "\\PC{1,12}"]
}

fn changed(changes: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let mut pairs = sound();
    for (key, value) in changes {
        pairs.retain(|(known, _)| *known != key);
        pairs.push((key, value));
    }
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_value_of_any_key_breaks_an_inspection(
        changes in proptest::collection::vec((key(), value()), 1..4)
    ) {
        let pairs = changed(changes);
        // A file's own alignment must be right, or it is no GGUF file at all.
        prop_assume!(!pairs.iter().any(|(key, _)| key == "general.alignment"));
        let gguf = opened(&with_tensors(&pairs).bytes());
        let mut anatomy = examine("m", &gguf, String::new());
        anatomy.data = Some(check_data(&gguf, |_| {}));
        for format in [PageFormat::Text, PageFormat::Markdown] {
            check_harmless(&shown(anatomy.clone(), format));
        }
        let json: serde_json::Value =
            serde_json::from_str(&shown(anatomy, PageFormat::Json)).unwrap();
        prop_assert_eq!(&json["schema_version"], &serde_json::json!(SCHEMA_VERSION));
    }

    #[test]
    fn no_two_values_of_any_key_break_a_difference(
        first in proptest::collection::vec((key(), value()), 0..3),
        second in proptest::collection::vec((key(), value()), 0..3)
    ) {
        let [first, second] = [first, second].map(changed);
        prop_assume!(!first.iter().chain(&second).any(|(key, _)| key == "general.alignment"));
        let files = [&first, &second].map(|pairs| opened(&with_tensors(pairs).bytes()));
        let document = compare(("a", &files[0]), ("b", &files[1]));
        for format in [PageFormat::Text, PageFormat::Markdown] {
            let page = String::from_utf8(difference(&document, format, false).unwrap()).unwrap();
            check_harmless(&page);
        }
        let against_itself = compare(("a", &files[0]), ("b", &files[0]));
        prop_assert!(against_itself.is_empty());
        let other_way = compare(("b", &files[1]), ("a", &files[0]));
        prop_assert_eq!(document.is_empty(), other_way.is_empty());
        prop_assert_eq!(document.metadata.only_in_first, other_way.metadata.only_in_second);
    }
}

#[test]
fn broken_weights_are_told_with_their_place() {
    let mut data = vec![0; 4096];
    data[40..44].copy_from_slice(&f32::NAN.to_le_bytes());
    data[400..404].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let file =
        with_tensors(&sound()).tensor("blk.1.ffn_up.weight", GgmlType::F32, &[32, 32], &data);
    let gguf = opened(&file.bytes());
    let mut read = 0;
    let check = check_data(&gguf, |bytes| read += bytes);
    assert_eq!(read, gguf.tensors().iter().map(|tensor| tensor.bytes).sum::<u64>());
    let found = &check.found[..];
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].nan, found[0].infinite, found[0].first_weight), (1, 1, Some(10)));
    let said = data_oddities(&check, None);
    assert_eq!(said.len(), 1);
    assert!(said[0].message.starts_with("1 tensor with NaN or infinite numbers"), "{said:?}");
}
