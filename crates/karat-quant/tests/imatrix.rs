//! Importance matrices: both formats of one matrix say the same, and no file does harm.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use std::path::Path;

use karat_quant::{Imatrix, ImatrixChoice};
use lab::{IMATRIX, IMATRIX_LEGACY};
use proptest::collection::vec;
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Result<Imatrix, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("imatrix");
    std::fs::write(&path, bytes).unwrap();
    Imatrix::read(&path).map_err(|error| error.to_string())
}

#[test]
fn both_formats_hold_the_same_matrix() {
    lab::enter_root();
    let gguf = Imatrix::read(Path::new(IMATRIX)).unwrap();
    let legacy = Imatrix::read(Path::new(IMATRIX_LEGACY)).unwrap();
    assert_eq!(gguf.n_chunks, 80);
    assert_eq!(gguf.dataset.as_deref(), Some("lab/calib.txt"));
    assert_eq!((legacy.n_chunks, &legacy.dataset), (gguf.n_chunks, &gguf.dataset));
    assert_eq!(gguf.entries.len(), 28);
    assert_eq!(gguf.entries["blk.0.attn_q.weight"].len(), 256);
    for (name, values) in &gguf.entries {
        assert!(values.iter().all(|&value| value > 0.0), "{name}");
        // The legacy format stores another rounding of the same means.
        for (a, b) in values.iter().zip(&legacy.entries[name]) {
            assert!((a - b).abs() <= 1e-5 * a, "{name}: {a} and {b}");
        }
    }
}

#[test]
fn entries_are_chosen_by_parts_of_their_names() {
    lab::enter_root();
    let choice = |include: &[&str], exclude: &[&str]| {
        let list = |parts: &[&str]| parts.iter().map(ToString::to_string).collect();
        let choice = ImatrixChoice {
            include: list(include),
            exclude: list(exclude),
            ..ImatrixChoice::new(IMATRIX)
        };
        choice.read().map(|imatrix| imatrix.entries.into_keys().collect::<Vec<_>>())
    };
    let names = choice(&["attn_q", "attn_k"], &["blk.0", "blk.1", "blk.2"]).unwrap();
    assert_eq!(names, ["blk.3.attn_k.weight", "blk.3.attn_q.weight"]);
    assert!(choice(&["nothing"], &[]).is_err());
}

/// A legacy file of one entry: name, calls, values, and the bytes after it.
fn legacy(name: &[u8], calls: i32, values: &[f32], tail: &[u8]) -> Vec<u8> {
    let mut bytes = 1_i32.to_le_bytes().to_vec();
    bytes.extend((name.len() as i32).to_le_bytes());
    bytes.extend(name);
    bytes.extend(calls.to_le_bytes());
    bytes.extend((values.len() as i32).to_le_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend(tail);
    bytes
}

#[test]
fn legacy_sums_are_divided_by_their_calls() {
    let imatrix = read(&legacy(b"a.weight", 4, &[2.0, 6.0], b"")).unwrap();
    assert_eq!(imatrix.entries["a.weight"], [0.5, 1.5]);
    assert_eq!((imatrix.n_chunks, imatrix.dataset), (0, None));
    let imatrix = read(&legacy(b"a.weight", 0, &[2.0], b"\x05\0\0\0\x02\0\0\0hi")).unwrap();
    assert_eq!(imatrix.entries["a.weight"], [2.0]);
    assert_eq!((imatrix.n_chunks, imatrix.dataset.as_deref()), (5, Some("hi")));
}

#[track_caller]
fn check(bytes: &[u8], want: &str) {
    let line = read(bytes).unwrap_err();
    assert!(line.contains(want), "{line}");
    assert!(!line.contains('\n'), "{line}");
}

#[test]
fn damage_is_named_where_it_is() {
    check(b"", "the number of entries needs 4 bytes at byte 0, 0 remain");
    check(&[0; 4], "the number of entries is 0");
    check(b"\xff\xff\xff\x7f\xff\xff\xff\x7f", "the name of entry 1 needs 2147483647 bytes");
    check(&legacy(b"\xff\xfe", 1, &[1.0], b""), "the name of entry 1 is not valid UTF-8");
    check(&legacy(b"a", 1, &[], b""), "the number of values of entry 1 is 0");
    check(&legacy(b"a\nb", 1, &[f32::NAN], b""), "`a\\nb` holds a value");
    check(&legacy(b"a", 1, &[f32::NAN], b""), "`a` holds a value that is no finite number");
    check(&legacy(b"a", 1, &[1.0], b"\0\0\0\0\x09\0\0\0hi"), "the dataset's name needs 9 bytes");
    check(b"GGUF\x03\0\0\0", "bytes at byte 8, 0 remain");
}

#[test]
fn a_folder_is_no_imatrix() {
    let folder = tempfile::tempdir().unwrap();
    let line = Imatrix::read(folder.path()).unwrap_err().to_string();
    assert!(line.contains("no regular file"), "{line}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes are read or refused; what is read is finite and no bigger than its file.
    #[test]
    fn hostile_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(imatrix) = read(&bytes) {
            let n_values: usize = imatrix.entries.values().map(Vec::len).sum();
            prop_assert!(4 * n_values < bytes.len());
        }
    }

    /// So are the real files, cut short or with bytes changed anywhere.
    #[test]
    fn damaged_files_do_no_harm(
        is_legacy: bool,
        cut in 0.0..=1.0_f64,
        changes in vec((0.0..1.0_f64, any::<u8>()), 0..8),
        near_start: bool,
    ) {
        lab::enter_root();
        let mut bytes = std::fs::read(if is_legacy { IMATRIX_LEGACY } else { IMATRIX }).unwrap();
        let reach = if near_start { 3000.0 } else { bytes.len() as f64 };
        for (at, byte) in changes {
            bytes[(at * reach) as usize] = byte;
        }
        bytes.truncate((cut.sqrt() * bytes.len() as f64) as usize);
        match read(&bytes) {
            Ok(imatrix) => {
                prop_assert!(imatrix.entries.values().flatten().all(|value| value.is_finite()));
            }
            Err(line) => prop_assert!(!line.contains('\n'), "{line}"),
        }
    }
}
