//! The lab's files, from the repository root: outputs name the path of their importance matrix as
//! it was given.
#![allow(dead_code, reason = "not every test file uses every part")]

use std::path::{Path, PathBuf};

/// The base checkpoint.
pub const BASE: &str = "lab/lab-base-bf16.gguf";
/// The checkpoint of quantization-aware training; same architecture, names and shapes.
pub const QAT: &str = "lab/lab-qat-bf16.gguf";
/// An importance matrix of the base.
pub const IMATRIX: &str = "crates/karat-quant/tests/fixtures/imatrix/lab-base.gguf";
/// The same in the legacy format.
pub const IMATRIX_LEGACY: &str = "crates/karat-quant/tests/fixtures/imatrix/lab-base.dat";

/// Makes the repository root the working directory; every test of a file asks for the same one.
pub fn enter_root() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::set_current_dir(root).unwrap();
}

/// Names in a folder, hidden ones too.
pub fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort();
    names
}

/// A copy of `source` in `folder` with the one occurrence of `from` replaced by `to`.
pub fn patched(source: &str, folder: &Path, from: &[u8], to: &[u8]) -> PathBuf {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(source).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    let path = folder.join("patched.gguf");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Where the type id of tensor `name` stands in the bytes of a GGUF file; its dimensions are the
/// 8 bytes each before.
pub fn type_at(bytes: &[u8], name: &str, n_dims: usize) -> usize {
    let at = bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
    at + name.len() + 4 + 8 * n_dims
}
