//! The reader against the Python package gguf: its findings on the lab files, its table of
//! types, its decoders. `tests/fixtures/README.md` names versions and command.

use std::path::Path;

use karat_gguf::decode::decode_row;
use karat_gguf::{GgmlType, Gguf, Tensor, Value};
use serde_json::{Value as Json, json};

use crate::builder::{array_bytes, array_start};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn fixture() -> Json {
    let path = Path::new(ROOT).join("tests/fixtures/peer.json");
    let text = std::fs::read_to_string(path).expect("the fixture is part of the repository");
    serde_json::from_str(&text).expect("the fixture is JSON")
}

fn list<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json[key].as_array().expect("a list of the fixture")
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().expect("a text of the fixture")
}

/// 64-bit FNV-1a, as in `make_fixtures.py`.
fn fnv1a(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |state, &byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// A key with its value as the fixture writes them.
fn pair_json(key: &str, value: &Value) -> Json {
    let value_json = match value {
        Value::Array(array) => {
            let start = array_start(0, 0).len();
            return json!({
                "key": key,
                "type": "ARRAY",
                "element_type": array.element_type().name(),
                "count": array.len(),
                "fnv1a": fnv1a(&array_bytes(array)[start..]),
            });
        }
        Value::String(text) => json!(text.as_str().expect("the lab's strings are UTF-8")),
        Value::Bool(flag) => json!(flag),
        number => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(n), ..) => json!(n),
            (_, Some(n), _) => json!(n),
            (.., x) => json!(x),
        },
    };
    json!({ "key": key, "type": value.value_type().name(), "value": value_json })
}

fn tensor_json(gguf: &Gguf, tensor: &Tensor) -> Json {
    let data = gguf.tensor_data(tensor);
    json!({
        "name": tensor.name,
        "dims": tensor.dims,
        "type": tensor.ty.name(),
        "offset": tensor.offset,
        "bytes": tensor.bytes,
        "first_256_fnv1a": fnv1a(&data[..data.len().min(256)]),
    })
}

#[track_caller]
fn check_lab_file(want: &Json) {
    let path = Path::new(ROOT).join("../../lab").join(text(want, "file"));
    let gguf = Gguf::open(&path).expect("the lab is part of the repository");
    assert_eq!(json!(gguf.version()), want["version"]);
    assert_eq!(json!(gguf.alignment()), want["alignment"]);
    let pairs: Vec<_> = gguf.metadata().iter().map(|(k, v)| pair_json(k, v)).collect();
    assert_eq!(pairs, list(want, "metadata"));
    let tensors: Vec<_> = gguf.tensors().iter().map(|t| tensor_json(&gguf, t)).collect();
    assert_eq!(tensors, list(want, "tensors"));
}

#[test]
fn the_lab_files_read_as_the_peer_reads_them() {
    let fixture = fixture();
    assert_eq!(list(&fixture, "files").len(), 2);
    list(&fixture, "files").iter().for_each(check_lab_file);
}

#[test]
fn types_have_the_peers_ids_and_sizes() {
    let fixture = fixture();
    let peers = list(&fixture, "types");
    // The peer's version may lack the newest types, and must not know one that is missing here.
    assert!(peers.len() > 30);
    for peer in peers {
        let ty = GgmlType::from_name(text(peer, "name")).expect("a type that the peer knows");
        // The peer still counts Q8_1's scale and sum as F32; the engine stores both as F16.
        let peers_surplus = if ty == GgmlType::Q8_1 { 4 } else { 0 };
        let sizes = json!({
            "id": ty.id(),
            "name": ty.name(),
            "block_len": ty.block_len(),
            "block_bytes": ty.block_bytes() + peers_surplus,
        });
        assert_eq!(sizes, *peer);
    }
}

fn decoded(ty: GgmlType, bytes: &[u8]) -> Vec<u8> {
    let n_elements = bytes.len() as u64 / ty.block_bytes() * ty.block_len();
    let mut out = vec![0.0; n_elements as usize];
    decode_row(ty, bytes, &mut out).expect("a type that is decoded here");
    out.iter().flat_map(|x: &f32| x.to_le_bytes()).collect()
}

/// Every 16-bit pattern up to infinity of either sign, ascending: all but the NaNs.
fn all_numbers(infinity: u16) -> Vec<u8> {
    (0..=u16::MAX).filter(|bits| bits & 0x7fff <= infinity).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn every_16_bit_float_decodes_as_the_peers() {
    let fixture = fixture();
    for (want, ty, infinity) in [(0, GgmlType::F16, 0x7c00), (1, GgmlType::BF16, 0x7f80)] {
        let want = &list(&fixture["decoders"], "all_numbers")[want];
        assert_eq!(text(want, "type"), ty.name());
        assert_eq!(fnv1a(&decoded(ty, &all_numbers(infinity))), text(want, "f32_fnv1a"), "{ty}");
    }
}

#[test]
fn blocks_decode_as_the_peers_to_the_bit() {
    let fixture = fixture();
    let cases = list(&fixture["decoders"], "blocks");
    assert_eq!(cases.len(), 2);
    for case in cases {
        let ty = GgmlType::from_name(text(case, "type")).expect("a known type");
        assert_eq!(decoded(ty, &unhex(text(case, "bytes"))), unhex(text(case, "f32")), "{ty}");
    }
}

#[test]
fn a_signalling_nan_keeps_its_bits_in_bf16() {
    assert_eq!(decoded(GgmlType::BF16, &[0x81, 0x7f]), [0, 0, 0x81, 0x7f]);
}

#[test]
fn f32_rows_are_taken_as_they_are() {
    let bytes = [1.5_f32, -0.0, f32::MIN_POSITIVE / 2.0].map(f32::to_le_bytes).concat();
    assert_eq!(decoded(GgmlType::F32, &bytes), bytes);
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).expect("ASCII"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
}
