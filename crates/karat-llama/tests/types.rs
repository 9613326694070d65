//! karat-gguf's table of types and its row decoders say what the engine says, to the bit.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::path::PathBuf;

use karat_gguf::decode::decode_row;
use karat_gguf::{GgmlType, Gguf};
use karat_llama::{
    FileType, QuantizeParams, quantize, row_to_f32, type_block_len, type_name, type_size,
};

#[test]
fn sizes_and_names_of_all_types_are_the_engines() {
    for &ty in GgmlType::ALL {
        assert_eq!(type_block_len(ty.id()), Some(ty.block_len()), "{ty}");
        assert_eq!(type_size(ty.id()), Some(ty.block_bytes()), "{ty}");
        let name = type_name(ty.id()).unwrap();
        assert!(name.eq_ignore_ascii_case(ty.name()), "{ty} is the engine's {name}");
    }
}

#[test]
fn no_type_of_the_engine_is_missing() {
    for id in 0..1000 {
        let known = type_block_len(id).is_some();
        assert_eq!(known, GgmlType::from_id(id).is_ok(), "id {id}: {:?}", type_name(id));
    }
}

/// The types that are decoded without the engine.
const DECODED: [GgmlType; 5] =
    [GgmlType::F32, GgmlType::F16, GgmlType::BF16, GgmlType::Q4_0, GgmlType::Q8_0];

/// Both decoders give the same bits; every NaN counts as every other, because the two may differ
/// in whether they keep a NaN's payload.
#[track_caller]
fn check(ty: GgmlType, bytes: &[u8]) {
    let n = (bytes.len() as u64 / ty.block_bytes() * ty.block_len()) as usize;
    let (mut ours, mut engines) = (vec![0.0; n], vec![0.0; n]);
    decode_row(ty, bytes, &mut ours).unwrap();
    row_to_f32(ty.id(), bytes, &mut engines).unwrap();
    for (i, (a, b)) in ours.iter().zip(&engines).enumerate() {
        let same = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(same, "{ty} element {i}: {a:e} and {b:e}");
    }
}

/// Pseudo-random bytes (xorshift64*), the same in every run.
fn random_bytes(n: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    (0..n.div_ceil(8)).flat_map(|_| next().to_le_bytes()).take(n).collect()
}

#[test]
fn random_bytes_decode_as_the_engine_decodes_them() {
    for ty in DECODED {
        check(ty, &random_bytes(4096 * ty.block_bytes() as usize));
    }
}

#[test]
fn every_16_bit_pattern_decodes_as_the_engine_decodes_it() {
    let all: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    check(GgmlType::F16, &all);
    check(GgmlType::BF16, &all);
    // As a scale, before codes that take every value.
    for (ty, n_codes) in [(GgmlType::Q4_0, 16), (GgmlType::Q8_0, 32)] {
        let blocks: Vec<u8> = all
            .as_chunks::<2>()
            .0
            .iter()
            .enumerate()
            .flat_map(|(i, &scale)| {
                let code = move |j: usize| (i * 7 + j * 17) as u8;
                scale.into_iter().chain((0..n_codes).map(code))
            })
            .collect();
        check(ty, &blocks);
    }
}

#[test]
fn rows_of_real_builds_decode_as_the_engine_decodes_them() {
    let lab = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../lab/lab-base-bf16.gguf");
    let folder = std::env::temp_dir().join(format!("karat-types-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    // F32, F16, Q4_0 and Q8_0, by `llama_ftype`; the lab itself is BF16.
    for (file_type, ty) in
        [(0, GgmlType::F32), (1, GgmlType::F16), (2, GgmlType::Q4_0), (7, GgmlType::Q8_0)]
    {
        let build = folder.join(format!("{ty}.gguf"));
        let params = QuantizeParams { pure: true, ..QuantizeParams::new(FileType(file_type)) };
        quantize(&lab, &build, &params).unwrap();
        check_file(&Gguf::open(&build).unwrap(), ty);
    }
    check_file(&Gguf::open(&lab).unwrap(), GgmlType::BF16);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[track_caller]
fn check_file(file: &Gguf, ty: GgmlType) {
    let tensors: Vec<_> = file.tensors().iter().filter(|tensor| tensor.ty == ty).collect();
    assert!(tensors.len() >= 29, "{ty}: {}", tensors.len());
    for tensor in tensors {
        check(ty, file.tensor_data(tensor));
    }
}
