//! Files that are right: what the accessors give back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use karat_gguf::decode::{DecodeError, decode_row};
use karat_gguf::{Array, GgmlType, Gguf, Value};
use tempfile::TempDir;

use crate::builder::File;

fn values() -> Vec<(&'static str, Value)> {
    vec![
        ("u8", Value::U8(255)),
        ("i8", Value::I8(-1)),
        ("u16", Value::U16(65535)),
        ("i16", Value::I16(-2)),
        ("u32", Value::U32(u32::MAX)),
        ("i32", Value::I32(-3)),
        ("u64", Value::U64(u64::MAX)),
        ("i64", Value::I64(i64::MIN)),
        ("f32", Value::F32(0.1)),
        ("f64", Value::F64(0.1)),
        ("bool", Value::Bool(true)),
        ("text", Value::String("grüß".into())),
        ("raw", Value::String(vec![0xff, 0].into())),
        ("ints", Value::Array(Array::I32(vec![1, -1]))),
        ("none", Value::Array(Array::F64(vec![]))),
        ("strings", Value::Array(Array::String(["", "b", "cd"].into_iter().collect()))),
        (
            "nested",
            Value::Array(Array::Array(vec![
                Array::Bool(vec![true, false]),
                Array::Array(vec![Array::U16(vec![7])]),
            ])),
        ),
    ]
}

fn with_values(version: u32) -> File {
    let file = File { version, ..File::new() };
    values().iter().fold(file, |file, (key, value)| file.pair(key, value))
}

#[track_caller]
fn check_version(version: u32) {
    let file = with_values(version).tensor("a", GgmlType::F32, &[3], &[1; 12]).tensor(
        "b",
        GgmlType::Q4_0,
        &[32, 2],
        &[2; 36],
    );
    let header = Gguf::parse(&file.bytes()).expect("a right file");
    assert_eq!(header.version(), version);
    assert_eq!(header.alignment(), 32);
    let found: Vec<_> = header.metadata().iter().map(|(k, v)| (k, v.clone())).collect();
    assert_eq!(found, values());
    let b = header.tensor("b").expect("a tensor that was put in");
    assert_eq!((b.dims.as_slice(), b.ty, b.bytes), ([32, 2].as_slice(), GgmlType::Q4_0, 36));
    assert_eq!(file.bytes()[b.offset as usize..], [2; 36]);
    assert_eq!((b.elements(), b.rows(), b.row_len()), (64, 2, 32));
    assert_eq!(header.tensor("c"), None);
}

#[test]
fn version_2_is_read() {
    check_version(2);
}

#[test]
fn version_3_is_read() {
    check_version(3);
}

#[test]
fn getters_convert_widths_but_not_kinds() {
    let header = Gguf::parse(&with_values(3).bytes()).unwrap();
    let metadata = header.metadata();
    assert_eq!(metadata.get_u64("u8"), Some(255));
    assert_eq!(metadata.get_u64("u64"), Some(u64::MAX));
    assert_eq!(metadata.get_u64("i8"), None, "negative");
    assert_eq!(metadata.get_i64("i8"), Some(-1));
    assert_eq!(metadata.get_i64("u64"), None, "too big");
    assert_eq!(metadata.get_u64("f32"), None, "a float");
    assert_eq!(metadata.get_u64("bool"), None, "a bool");
    assert_eq!(metadata.get_f64("f32"), Some(f64::from(0.1_f32)));
    assert_eq!(metadata.get_f64("f64"), Some(0.1));
    assert_eq!(metadata.get_f64("u8"), None, "an integer");
    assert_eq!(metadata.get_bool("bool"), Some(true));
    assert_eq!(metadata.get_str("text"), Some("grüß"));
    assert_eq!(metadata.get_str("raw"), None, "not UTF-8");
    assert_eq!(metadata.get("raw").unwrap(), &Value::String(vec![0xff, 0].into()));
    let strings = metadata.get_strings("strings").unwrap();
    assert_eq!(strings.iter().collect::<Vec<_>>(), [b"".as_slice(), b"b", b"cd"]);
    assert_eq!((strings.get(2), strings.get(3)), (Some(b"cd".as_slice()), None));
    assert_eq!(metadata.get("missing"), None);
}

#[test]
fn a_file_without_tensors_needs_no_padding_and_has_no_bits_per_weight() {
    let header = Gguf::parse(&File::new().pair("k", &Value::U8(1)).bytes()).unwrap();
    assert_eq!(header.bits_per_weight(), None);
    assert_eq!(header.vocabulary(), None);
    assert_eq!(header.architecture(), None);
}

#[test]
fn a_larger_alignment_moves_the_data() {
    let file = File { alignment: 128, ..File::new() }
        .pair("general.alignment", &Value::U32(128))
        .tensor("a", GgmlType::I8, &[1], &[1])
        .tensor("b", GgmlType::I8, &[1], &[2]);
    let header = Gguf::parse(&file.bytes()).unwrap();
    assert_eq!(header.alignment(), 128);
    let offsets: Vec<_> = header.tensors().iter().map(|t| t.offset).collect();
    assert_eq!(offsets[0] % 128, 0);
    assert_eq!(offsets[1], offsets[0] + 128);
}

#[test]
fn tensors_are_summed_up_by_type_and_size() {
    let file = File::new()
        .tensor("a", GgmlType::F32, &[32], &[0; 128])
        .tensor("b", GgmlType::Q4_0, &[32, 2], &[0; 36])
        .tensor("c", GgmlType::Q4_0, &[32], &[0; 18]);
    let header = Gguf::parse(&file.bytes()).unwrap();
    let counts = BTreeMap::from([(GgmlType::F32, 1), (GgmlType::Q4_0, 2)]);
    assert_eq!(header.type_counts(), counts);
    assert_eq!(header.bits_per_weight(), Some((128.0 + 54.0) * 8.0 / 128.0));
}

#[test]
fn vocabularies_that_join_to_the_same_text_differ_in_their_digest() {
    let digest_of = |tokens: &[&str]| {
        let strings = Array::String(tokens.iter().collect());
        let file = File::new().pair("tokenizer.ggml.tokens", &Value::Array(strings));
        let header = Gguf::parse(&file.bytes()).unwrap();
        let vocabulary = header.vocabulary().unwrap();
        assert_eq!(vocabulary.len(), tokens.len());
        let mut fed = Vec::new();
        vocabulary.feed_digest(|bytes| fed.extend_from_slice(bytes));
        fed
    };
    assert_eq!(digest_of(&["a"]), [1, 0, 0, 0, 0, 0, 0, 0, b'a']);
    assert_ne!(digest_of(&["ab", "c"]), digest_of(&["a", "bc"]));
}

#[test]
fn an_opened_file_hands_out_its_data() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.gguf");
    let file = File::new().tensor("a", GgmlType::F16, &[2], &[1, 2, 3, 4]);
    std::fs::write(&path, file.bytes()).unwrap();
    let gguf = Gguf::open(&path).unwrap();
    assert_eq!(gguf.tensor_data(gguf.tensor("a").unwrap()), [1, 2, 3, 4]);
    assert_eq!(gguf.parts(), [path]);
    assert_eq!(gguf.file_bytes(), file.bytes().len() as u64);
}

#[test]
fn types_without_a_decoder_are_refused_by_name() {
    let refused = decode_row(GgmlType::Q6_K, &[0; 210], &mut [0.0; 256]).unwrap_err();
    assert_eq!(refused, DecodeError::Unsupported { ty: GgmlType::Q6_K });
    assert_eq!(
        refused.to_string(),
        "rows of type Q6_K are not decoded here: they go through the engine"
    );
}

#[test]
fn a_row_that_does_not_fit_its_output_is_refused() {
    let (bytes, mut out) = ([0; 18], [0.0; 31]);
    let refused = decode_row(GgmlType::Q4_0, &bytes, &mut out).unwrap_err();
    assert_eq!(refused, DecodeError::Length { ty: GgmlType::Q4_0, elements: 31, bytes: 18 });
}

/// A header as large as the largest in use parses at once; one allocation per token would not
/// show here, a quadratic step would.
#[test]
fn a_vocabulary_of_262144_tokens_parses_fast() {
    let tokens: Vec<String> = (0..262_144).map(|id| format!("token-{id}")).collect();
    let merges: Vec<String> = tokens.iter().map(|token| format!("{token} {token}")).collect();
    let bytes = File::new()
        .pair("tokenizer.ggml.tokens", &Value::Array(Array::String(tokens.iter().collect())))
        .pair("tokenizer.ggml.merges", &Value::Array(Array::String(merges.iter().collect())))
        .pair("tokenizer.ggml.scores", &Value::Array(Array::F32(vec![0.0; tokens.len()])))
        .bytes();
    let started = Instant::now();
    let header = Gguf::parse(&bytes).unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(header.vocabulary().unwrap().get(262_143), Some(b"token-262143".as_slice()));
}
