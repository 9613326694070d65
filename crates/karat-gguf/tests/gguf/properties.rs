//! Properties over many files: nothing panics, and what was written is what is read.

use karat_gguf::{Array, GgmlType, Gguf, Value};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::builder::File;

fn array() -> impl Strategy<Value = Array> {
    let flat = prop_oneof![
        vec(any::<u8>(), 0..5).prop_map(Array::U8),
        vec(any::<i8>(), 0..5).prop_map(Array::I8),
        vec(any::<u16>(), 0..5).prop_map(Array::U16),
        vec(any::<i16>(), 0..5).prop_map(Array::I16),
        vec(any::<u32>(), 0..5).prop_map(Array::U32),
        vec(any::<i32>(), 0..5).prop_map(Array::I32),
        vec(any::<f32>(), 0..5).prop_map(Array::F32),
        vec(any::<bool>(), 0..5).prop_map(Array::Bool),
        vec(vec(any::<u8>(), 0..5), 0..5).prop_map(|v| Array::String(v.iter().collect())),
        vec(any::<u64>(), 0..5).prop_map(Array::U64),
        vec(any::<i64>(), 0..5).prop_map(Array::I64),
        vec(any::<f64>(), 0..5).prop_map(Array::F64),
    ];
    flat.prop_recursive(3, 20, 4, |inner| vec(inner, 0..4).prop_map(Array::Array))
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u8>().prop_map(Value::U8),
        any::<i8>().prop_map(Value::I8),
        any::<u16>().prop_map(Value::U16),
        any::<i16>().prop_map(Value::I16),
        any::<u32>().prop_map(Value::U32),
        any::<i32>().prop_map(Value::I32),
        any::<f32>().prop_map(Value::F32),
        any::<bool>().prop_map(Value::Bool),
        vec(any::<u8>(), 0..20).prop_map(|bytes| Value::String(bytes.into())),
        array().prop_map(Value::Array),
        any::<u64>().prop_map(Value::U64),
        any::<i64>().prop_map(Value::I64),
        any::<f64>().prop_map(Value::F64),
    ]
}

/// Type and dimensions of a small tensor: rows of one or two blocks.
fn shape() -> impl Strategy<Value = (GgmlType, Vec<u64>)> {
    let ty = proptest::sample::select(GgmlType::ALL);
    (ty, 1..3_u64, vec(1..3_u64, 0..4))
        .prop_map(|(ty, n_blocks, outer)| (ty, [vec![n_blocks * ty.block_len()], outer].concat()))
}

type Parts = (u32, Vec<(String, Value)>, Vec<(String, GgmlType, Vec<u64>)>);

fn parts() -> impl Strategy<Value = Parts> {
    let pairs = btree_map("[a-z.]{1,12}", value(), 0..6).prop_map(|map| map.into_iter().collect());
    let tensors = btree_map("\\PC{0,8}", shape(), 0..5)
        .prop_map(|map| map.into_iter().map(|(name, (ty, dims))| (name, ty, dims)).collect());
    (2..=3_u32, pairs, tensors)
}

fn built((version, pairs, tensors): &Parts) -> Vec<u8> {
    let mut file = File { version: *version, ..File::new() };
    for (key, value) in pairs {
        file = file.pair(key, value);
    }
    for (i, (name, ty, dims)) in tensors.iter().enumerate() {
        let rows: u64 = dims[1..].iter().product();
        let row_bytes = ty.row_bytes(dims[0]).expect("rows of whole blocks");
        file = file.tensor(name, *ty, dims, &vec![i as u8; (rows * row_bytes) as usize]);
    }
    file.bytes()
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Gguf::parse(&bytes);
    }

    #[test]
    fn arbitrary_bytes_behind_a_good_start_never_panic(
        n_tensors in 0..4_u64,
        n_pairs in 0..4_u64,
        bytes in vec(prop_oneof![0..13_u8, any::<u8>()], 0..300),
    ) {
        let start = crate::builder::start(3, n_tensors, n_pairs);
        let _ = Gguf::parse(&[start, bytes].concat());
    }

    #[test]
    fn mutated_files_never_panic_and_stay_consistent(
        parts in parts(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = built(&parts);
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(header) = Gguf::parse(&bytes) {
            for tensor in header.tensors() {
                prop_assert!(tensor.offset + tensor.bytes <= bytes.len() as u64);
                prop_assert_eq!(header.tensor(&tensor.name), Some(tensor));
            }
        }
    }

    #[test]
    fn what_was_written_is_what_is_read(parts in parts()) {
        let bytes = built(&parts);
        let (version, pairs, tensors) = parts;
        let header = Gguf::parse(&bytes).unwrap();
        prop_assert_eq!(header.version(), version);
        let read: Vec<_> =
            header.metadata().iter().map(|(k, v)| (k.to_owned(), v.clone())).collect();
        prop_assert_eq!(read, pairs);
        prop_assert_eq!(header.tensors().len(), tensors.len());
        for (i, (found, (name, ty, dims))) in header.tensors().iter().zip(&tensors).enumerate() {
            prop_assert_eq!((&found.name, found.ty, &found.dims), (name, *ty, dims));
            let data = &bytes[found.offset as usize..][..found.bytes as usize];
            prop_assert!(data.iter().all(|&byte| byte == i as u8));
        }
    }
}
