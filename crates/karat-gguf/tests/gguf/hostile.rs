//! Files that are wrong in one place: each gives one clear line.

use karat_gguf::{Array, GgmlType, Gguf, Value};
use tempfile::TempDir;

use crate::builder::{Entry, File, array_start, start, string};

// Ids of value types.
const U8: u32 = 0;
const BOOL: u32 = 7;
const STRING: u32 = 8;
const ARRAY: u32 = 9;
const U64: u32 = 10;
// Ids of tensor types.
const I8: u32 = 24;
const F64: u32 = 28;

#[track_caller]
fn check(bytes: &[u8], line: &str) {
    let error = Gguf::parse(bytes).expect_err("a wrong file");
    assert_eq!(error.to_string(), line);
}

/// A file whose only tensor has this shape and type, at the start of 64 bytes of data.
fn one_tensor(dims: &[u64], ty: u32) -> Vec<u8> {
    let file = File::new().tensor("pad", GgmlType::I8, &[64], &[0; 64]);
    file.entry(Entry { name: b"w".to_vec(), dims: dims.to_vec(), ty, offset: 0 }).bytes()
}

/// A file with two tensors of 40 bytes, the second at this offset.
fn second_tensor_at(offset: u64) -> Vec<u8> {
    let entry = Entry { name: b"second".to_vec(), dims: vec![40], ty: I8, offset };
    let data = [0; 40];
    File::new()
        .tensor("first", GgmlType::I8, &[40], &data)
        .tensor("third", GgmlType::I8, &[64], &[0; 64])
        .entry(entry)
        .bytes()
}

#[test]
fn an_empty_file_is_cut_short() {
    check(
        b"",
        "the magic needs 4 bytes at byte 0, 0 remain: the file is cut short or damaged, fetch or make it again",
    );
}

#[test]
fn every_truncation_of_a_header_is_an_error() {
    let strings = Array::String(["a", "bc"].into_iter().collect());
    let file = File::new()
        .pair("number", &Value::F64(1.0))
        .pair("strings", &Value::Array(strings))
        .tensor("a", GgmlType::I8, &[1], &[1])
        .tensor("b", GgmlType::I8, &[2], &[2; 2]);
    let bytes = file.bytes();
    assert!(Gguf::parse(&bytes).is_ok());
    for len in 0..bytes.len() {
        let line = Gguf::parse(&bytes[..len]).expect_err("a cut file").to_string();
        assert!(line.contains("cut short"), "at {len}: {line}");
    }
}

#[test]
fn another_format_is_named_by_its_magic() {
    check(
        b"PK\x03\x04....",
        "starts with `PK\\x03\\x04`, not with `GGUF`: not a GGUF file, or a damaged one",
    );
    check(
        b"tjgg\x01\0\0\0",
        "starts with `tjgg`, not with `GGUF`: a ggml file from before GGUF, make it again with a current converter",
    );
    check(
        b"version https://git-lfs.github.com/spec/v1\n",
        "starts with `vers`, not with `GGUF`: this may be a Git LFS pointer instead of the file, fetch the file itself",
    );
}

#[test]
fn a_big_endian_file_is_recognised() {
    check(
        &start(3_u32.swap_bytes(), 0, 0),
        "version 3 with its bytes swapped: a big-endian GGUF file, convert it to little-endian (gguf-convert-endian of the Python package gguf)",
    );
}

#[test]
fn versions_outside_2_and_3_are_refused() {
    let old = "GGUF version 1 is too old, versions 2 and 3 are read: make the file again";
    check(&start(1, 0, 0), old);
    let new = "GGUF version 4 is unknown, versions 2 and 3 are read: update this program";
    check(&start(4, 0, 0), new);
}

#[test]
fn counts_beyond_the_file_are_refused() {
    check(
        &start(3, 0, u64::MAX),
        "the table of keys needs more bytes than any file has at byte 24, 0 remain: the file is cut short or damaged, fetch or make it again",
    );
    check(
        &start(3, 1 << 40, 0),
        "the table of tensors needs 35184372088832 bytes at byte 24, 0 remain: the file is cut short or damaged, fetch or make it again",
    );
}

#[test]
fn lengths_beyond_the_file_are_refused() {
    let value = |ty, bytes: &[u8]| File::new().raw_pair(b"k", ty, bytes).bytes();
    let cut = "remain: the file is cut short or damaged, fetch or make it again";
    let place = "the value of key `k`";
    check(
        &value(STRING, &[u64::MAX.to_le_bytes().as_slice(), b"abc"].concat()),
        &format!("{place} needs more bytes than any file has at byte 45, 3 {cut}"),
    );
    check(
        &value(ARRAY, &array_start(U64, u64::MAX / 4)),
        &format!("{place} needs more bytes than any file has at byte 49, 0 {cut}"),
    );
    check(
        &value(ARRAY, &[array_start(STRING, 2), string(b"")].concat()),
        &format!("{place} needs 16 bytes at byte 49, 8 {cut}"),
    );
    check(
        &value(ARRAY, &[array_start(ARRAY, 2), array_start(U8, 0)].concat()),
        &format!("{place} needs 24 bytes at byte 49, 12 {cut}"),
    );
}

/// Such a length would have the reader copy weights as if they were metadata. The file is
/// sparse, so that the test needs no disk.
#[test]
fn a_length_that_swallows_the_weights_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.gguf");
    let bytes = File::new().raw_pair(b"k", ARRAY, &array_start(U8, 300 << 20)).bytes();
    std::fs::write(&path, bytes).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(400 << 20).unwrap();
    assert_eq!(
        Gguf::open(&path).unwrap_err().to_string(),
        format!(
            "`{}`: the value of key `k` needs 314572800 bytes at byte 49, which ends beyond the 268435456 bytes a header may have: a length in the file is damaged, fetch or make it again",
            path.display()
        )
    );
}

#[test]
fn arrays_nested_without_end_are_refused() {
    let nested = array_start(ARRAY, 1).repeat(1000);
    check(
        &File::new().raw_pair(b"k", ARRAY, &nested).bytes(),
        "the value of key `k` nests arrays more than 8 deep: no known writer does, the file is damaged",
    );
}

#[test]
fn unknown_value_types_are_refused() {
    check(
        &File::new().raw_pair(b"k", 13, &[0; 8]).bytes(),
        "the value of key `k` has value type 13, known are 0 to 12: the file is damaged, or newer than this program",
    );
}

#[test]
fn a_bool_is_0_or_1() {
    check(
        &File::new().raw_pair(b"k", BOOL, &[2]).bytes(),
        "the value of key `k` holds a bool of 2, neither 0 nor 1: the file is damaged",
    );
}

#[test]
fn keys_are_unique_and_readable() {
    let one = Value::U8(1);
    check(
        &File::new().pair("k", &one).pair("l", &one).pair("k", &one).bytes(),
        "key `k` is there twice: the program that wrote the file is at fault",
    );
    check(
        &File::new().pair("", &Value::U32(1)).bytes(),
        "key 0 is empty: the file is damaged, fetch or make it again",
    );
    check(
        &File::new().raw_pair(b"\xff", U8, &[1]).bytes(),
        "key 0 is `\u{fffd}`, not valid UTF-8: the file is damaged, fetch or make it again",
    );
}

#[test]
fn text_of_the_file_stays_on_one_short_line() {
    let key = format!("new\nline\u{1b}[31m{}", "x".repeat(1000));
    let file = File::new().pair(&key, &Value::U8(1)).pair(&key, &Value::U8(1));
    let line = Gguf::parse(&file.bytes()).unwrap_err().to_string();
    assert!(line.starts_with("key `new\\nline\\u{1b}[31mxxx"), "{line}");
    assert!(line.len() < 200, "{line}");
}

#[test]
fn the_alignment_is_a_power_of_two() {
    let ask =
        "it must be a UINT32 that is a power of two: the file is damaged, or its writer at fault";
    let aligned = |value: &Value| File::new().pair("general.alignment", value).bytes();
    check(&aligned(&Value::U32(0)), &format!("general.alignment is 0, {ask}"));
    check(&aligned(&Value::U32(48)), &format!("general.alignment is 48, {ask}"));
    check(&aligned(&Value::U64(32)), &format!("general.alignment is of type UINT64, {ask}"));
}

#[test]
fn tensors_have_one_to_four_dimensions() {
    let line =
        |n| format!("tensor `w` has {n} dimensions, 1 to 4 are possible: the file is damaged");
    check(&one_tensor(&[], I8), &line(0));
    check(&one_tensor(&[1; 5], I8), &line(5));
}

#[test]
fn no_dimension_is_zero() {
    check(
        &one_tensor(&[0, 32], I8),
        "tensor `w` has shape [0, 32], with a dimension of 0: the file is damaged, or its writer at fault",
    );
}

#[test]
fn shapes_that_overflow_are_refused() {
    let line = |shape| {
        format!("tensor `w` has shape {shape}, too big to be addressed: the file is damaged")
    };
    check(&one_tensor(&[1 << 32, 1 << 32], I8), &line("[4294967296, 4294967296]"));
    check(&one_tensor(&[1 << 32, 1 << 31], I8), &line("[4294967296, 2147483648]"));
    check(&one_tensor(&[1 << 62], F64), &line("[4611686018427387904]"));
}

#[test]
fn types_that_ggml_removed_are_named() {
    let name = |id| match id {
        4 => "Q4_2",
        5 => "Q4_3",
        31 => "Q4_0_4_4",
        32 => "Q4_0_4_8",
        33 => "Q4_0_8_8",
        36 => "IQ4_NL_4_4",
        37 => "IQ4_NL_4_8",
        _ => "IQ4_NL_8_8",
    };
    for id in [4, 5, 31, 32, 33, 36, 37, 38] {
        let name = name(id);
        check(
            &one_tensor(&[32], id),
            &format!(
                "tensor `w`: type id {id} ({name}) was removed from ggml: make the file again with a current type"
            ),
        );
    }
}

#[test]
fn types_never_known_are_refused() {
    check(
        &one_tensor(&[32], 43),
        "tensor `w`: type id 43 is unknown: the file is damaged, or newer than this program",
    );
}

#[test]
fn rows_are_whole_blocks() {
    check(
        &one_tensor(&[48], GgmlType::Q4_0.id()),
        "tensor `w` has rows of 48 elements, no multiple of the 32 in a block of Q4_0: the file is damaged, or its writer at fault",
    );
}

#[test]
fn tensor_data_is_aligned() {
    check(
        &second_tensor_at(41),
        "tensor `second` starts at 41 in the data, no multiple of the alignment 32: the file is damaged, or its writer at fault",
    );
}

#[test]
fn tensor_data_lies_inside_the_file() {
    // Header of 24 bytes, three entries of 37, 37 and 38 bytes: the data starts at 160.
    let cut = "the file ends at 288: it is cut short or damaged, fetch or make it again";
    check(&second_tensor_at(96), &format!("tensor `second` takes 40 bytes at byte 256, {cut}"));
    check(
        &second_tensor_at(u64::MAX - 31),
        &format!("tensor `second` takes 40 bytes at byte 18446744073709551615, {cut}"),
    );
}

#[test]
fn tensors_do_not_overlap() {
    check(
        &second_tensor_at(0),
        "tensors `first` and `second` overlap at byte 160: the file is damaged",
    );
    check(
        &second_tensor_at(32),
        "tensors `first` and `second` overlap at byte 192: the file is damaged",
    );
}

#[test]
fn tensor_names_are_unique_and_readable() {
    let entry = |name: &[u8]| Entry { name: name.to_vec(), dims: vec![1], ty: I8, offset: 0 };
    check(
        &File::new().entry(entry(b"w")).entry(entry(b"w")).bytes(),
        "tensor `w` is there twice: the program that wrote the file is at fault",
    );
    check(
        &File::new().entry(entry(b"\xc3(")).bytes(),
        "the name of tensor 0 is `\u{fffd}(`, not valid UTF-8: the file is damaged, fetch or make it again",
    );
}

#[test]
fn paths_that_are_no_files_are_refused() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing.gguf");
    let line = Gguf::open(&missing).unwrap_err().to_string();
    assert!(line.starts_with(&format!("cannot open `{}`: ", missing.display())), "{line}");
    let line = Gguf::open(folder.path()).unwrap_err().to_string();
    let shown = folder.path().display();
    assert_eq!(line, format!("`{shown}` is no regular file: give the path of a .gguf file"));
}

#[test]
fn an_empty_file_on_disk_gives_the_same_line_as_empty_bytes() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("empty.gguf");
    std::fs::write(&path, b"").unwrap();
    let line = Gguf::open(&path).unwrap_err().to_string();
    assert!(line.contains("the magic needs 4 bytes at byte 0, 0 remain"), "{line}");
}
