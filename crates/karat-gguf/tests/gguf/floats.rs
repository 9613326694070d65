//! Where blocks keep their floats, against the Python package gguf: a block decodes to a NaN or an
//! infinity exactly where one of its floats is none but finite.

use std::path::Path;

use karat_gguf::{FloatClass, GgmlType};
use serde_json::Value as Json;

fn fixture() -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/floats.json");
    let text = std::fs::read_to_string(path).expect("the fixture is part of the repository");
    serde_json::from_str(&text).expect("the fixture is JSON")
}

/// The bytes that `make_floats.py` decoded.
fn splitmix64(seed: u64, n_bytes: usize) -> Vec<u8> {
    let mut state = seed;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    });
    words.flat_map(u64::to_le_bytes).take(n_bytes).collect()
}

fn is_broken(ty: GgmlType, block: &[u8]) -> bool {
    ty.floats().iter().any(|float| {
        let class = float.format.classify(&block[float.offset..]).expect("inside the block");
        matches!(class, FloatClass::Nan | FloatClass::Infinite)
    })
}

#[test]
fn blocks_are_broken_where_the_peer_decodes_no_number() {
    let fixture = fixture();
    let n_blocks = fixture["n_blocks"].as_u64().expect("a count") as usize;
    let cases = fixture["cases"].as_array().expect("a list");
    assert!(cases.len() >= 25, "{}", cases.len());
    for case in cases {
        let ty = GgmlType::from_name(case["type"].as_str().expect("a name")).expect("known");
        let want: Vec<usize> = case["broken"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|idx| idx.as_u64().expect("an index") as usize)
            .collect();
        assert!(!want.is_empty() && want.len() < n_blocks, "{ty}: the case tells something");
        let block_bytes = ty.block_bytes() as usize;
        let bytes = splitmix64(ty.id().into(), n_blocks * block_bytes);
        let blocks = bytes.chunks_exact(block_bytes).enumerate();
        let found: Vec<usize> =
            blocks.filter(|(_, block)| is_broken(ty, block)).map(|(idx, _)| idx).collect();
        assert_eq!(found, want, "{ty}");
    }
}
