//! Files in several parts: opened as one, refused where the parts do not belong together.

use std::fs;
use std::path::{Path, PathBuf};

use karat_gguf::{GgmlType, Gguf, Value};
use tempfile::TempDir;

use crate::builder::File;

/// A part as llama-gguf-split writes it: U16 for the numbers, I32 for the total of tensors.
fn part(index: u16, count: u16, tensor: &str) -> File {
    File::new()
        .pair("split.no", &Value::U16(index))
        .pair("split.count", &Value::U16(count))
        .pair("split.tensors.count", &Value::I32(i32::from(count)))
        .tensor(tensor, GgmlType::I8, &[3], &[index as u8; 3])
}

fn path(folder: &TempDir, number: usize, count: usize) -> PathBuf {
    folder.path().join(format!("model-{number:05}-of-{count:05}.gguf"))
}

/// Writes the parts of one file into a new folder, in order.
fn written(parts: &[File]) -> TempDir {
    let folder = TempDir::new().expect("a folder for the parts");
    for (i, part) in parts.iter().enumerate() {
        fs::write(path(&folder, i + 1, parts.len()), part.bytes()).expect("room for a part");
    }
    folder
}

#[track_caller]
fn check(path: &Path, line: &str) {
    assert_eq!(Gguf::open(path).expect_err("parts that are wrong").to_string(), line);
}

#[test]
fn the_tensors_of_all_parts_are_one_table() {
    let parts = [part(0, 3, "a"), part(1, 3, "c"), part(2, 3, "b")];
    let folder = written(&parts);
    let gguf = Gguf::open(&path(&folder, 1, 3)).unwrap();
    let names: Vec<_> = gguf.tensors().iter().map(|t| (t.name.as_str(), t.part)).collect();
    assert_eq!(names, [("a", 0), ("c", 1), ("b", 2)]);
    for (name, index) in [("a", 0), ("c", 1), ("b", 2)] {
        assert_eq!(gguf.tensor_data(gguf.tensor(name).unwrap()), [index; 3]);
    }
    assert_eq!(gguf.parts(), [1, 2, 3].map(|number| path(&folder, number, 3)));
    let bytes: usize = parts.iter().map(|part| part.bytes().len()).sum();
    assert_eq!(gguf.file_bytes(), bytes as u64);
}

#[test]
fn a_split_of_one_is_a_whole_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("any-name.gguf");
    fs::write(&path, part(0, 1, "a").bytes()).unwrap();
    assert_eq!(Gguf::open(&path).unwrap().tensors().len(), 1);
}

#[test]
fn a_later_part_names_the_first() {
    let folder = written(&[part(0, 2, "a"), part(1, 2, "b")]);
    let (first, second) = (path(&folder, 1, 2), path(&folder, 2, 2));
    let line = format!(
        "`{}` is part 2 of 2: give the first part, `{}`",
        second.display(),
        first.display()
    );
    check(&second, &line);
    let renamed = folder.path().join("renamed.gguf");
    fs::rename(&second, &renamed).unwrap();
    check(&renamed, &format!("`{}` is part 2 of 2: give the first part", renamed.display()));
}

#[test]
fn a_renamed_first_part_is_refused() {
    let folder = written(&[part(0, 2, "a"), part(1, 2, "b")]);
    let renamed = folder.path().join("renamed.gguf");
    fs::rename(path(&folder, 1, 2), &renamed).unwrap();
    check(
        &renamed,
        &format!(
            "`{}` is the first of 2 parts, but its name does not end in `-00001-of-00002.gguf`, so that the others cannot be found: give the parts their names back",
            renamed.display()
        ),
    );
}

#[test]
fn a_missing_part_is_named() {
    let folder = written(&[part(0, 3, "a"), part(1, 3, "b"), part(2, 3, "c")]);
    fs::remove_file(path(&folder, 2, 3)).unwrap();
    let missing = path(&folder, 2, 3);
    check(
        &path(&folder, 1, 3),
        &format!("part 2 of 3 is missing: there is no `{}`, fetch it", missing.display()),
    );
}

#[test]
fn a_damaged_part_is_named() {
    let folder = written(&[part(0, 2, "a"), part(1, 2, "b")]);
    fs::write(path(&folder, 2, 2), b"oops").unwrap();
    let line = Gguf::open(&path(&folder, 1, 2)).unwrap_err().to_string();
    assert!(line.starts_with(&format!("`{}`: starts with `oops`", path(&folder, 2, 2).display())));
}

#[test]
fn parts_that_are_mixed_up_are_refused() {
    let mixed = "its parts are damaged or mixed up";
    let check_second = |second: &File, complaint: &str| {
        let folder = written(&[part(0, 2, "a"), second.clone()]);
        let line = format!("`{}`: {complaint}: {mixed}", path(&folder, 2, 2).display());
        check(&path(&folder, 1, 2), &line);
    };
    check_second(&part(0, 2, "b"), "split.no is 0, expected 1");
    check_second(&part(1, 3, "b"), "split.count is 3, expected 2");
    check_second(&File::new(), "split.no is missing, expected 1");
}

#[test]
fn a_total_that_the_parts_do_not_reach_is_refused() {
    let second = part(1, 2, "b").tensor("c", GgmlType::I8, &[1], &[1]);
    let folder = written(&[part(0, 2, "a"), second]);
    let first = path(&folder, 1, 2);
    check(
        &first,
        &format!(
            "`{}`: split.tensors.count is 2, expected 3: its parts are damaged or mixed up",
            first.display()
        ),
    );
}

#[test]
fn a_tensor_in_two_parts_is_refused() {
    let folder = written(&[part(0, 2, "a"), part(1, 2, "a")]);
    check(
        &path(&folder, 1, 2),
        &format!(
            "`{}`: tensor `a` is also in an earlier part: the parts are mixed up",
            path(&folder, 2, 2).display()
        ),
    );
}

#[test]
fn a_count_that_is_no_number_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.gguf");
    let file = File::new().pair("split.count", &Value::String("two".into()));
    fs::write(&path, file.bytes()).unwrap();
    check(
        &path,
        &format!(
            "`{}`: split.count is `two`, expected a number that is not negative: its parts are damaged or mixed up",
            path.display()
        ),
    );
}

#[test]
fn a_first_part_without_a_number_is_refused() {
    let folder = written(&[File::new().pair("split.count", &Value::U16(2)), part(1, 2, "a")]);
    let first = path(&folder, 1, 2);
    let line = "split.no is missing, expected 0: its parts are damaged or mixed up";
    check(&first, &format!("`{}`: {line}", first.display()));
}
