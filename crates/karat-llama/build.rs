//! Names the engine: the version of the crate that carries it and a hash of its vendored sources.
//! The crate records no llama.cpp commit, so the hash is what tells two engines apart. Compiles the
//! one C++ file, against the headers of the same sources.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// Folders of the vendored tree whose contents decide what the engine computes.
const HASHED: [&str; 3] = ["include", "src", "ggml"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.toml");
    let (version, root) = engine_package()?;
    println!("cargo::rustc-env=KARAT_ENGINE_CRATE=llama-cpp-sys-2 {version}");
    let tree = root.join("llama.cpp");
    println!("cargo::rustc-env=KARAT_ENGINE_TREE={}", tree_hash(&tree)?);
    println!("cargo::rerun-if-changed=src/breakdown.cpp");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .file("src/breakdown.cpp")
        .includes(["src", "include", "ggml/include"].map(|folder| tree.join(folder)))
        .compile("karat_llama_breakdown");
    Ok(())
}

/// Version and source folder of `llama-cpp-sys-2` as this build resolves it.
fn engine_package() -> Result<(String, PathBuf), Box<dyn Error>> {
    let cargo = std::env::var("CARGO")?;
    let output = Command::new(cargo)
        .args(["metadata", "--offline", "--format-version", "1"])
        // Packages of other platforms need not have been downloaded.
        .args(["--filter-platform", &std::env::var("TARGET")?])
        .current_dir(std::env::var("CARGO_MANIFEST_DIR")?)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let package = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "llama-cpp-sys-2")
        .ok_or("cargo metadata lists no llama-cpp-sys-2")?;
    let field = |name: &str| package[name].as_str().ok_or("cargo metadata lacks a field");
    let manifest = PathBuf::from(field("manifest_path")?);
    let root = manifest.parent().ok_or("manifest has no folder")?.to_path_buf();
    Ok((field("version")?.to_owned(), root))
}

/// SHA-256 over relative path, length and bytes of every hashed file, in path order.
fn tree_hash(tree: &Path) -> Result<String, Box<dyn Error>> {
    let mut files = Vec::new();
    for folder in HASHED {
        collect(&tree.join(folder), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let bytes = fs::read(&file)?;
        let name = file.strip_prefix(tree)?.to_string_lossy().replace('\\', "/");
        hash.update(format!("{name}\0{}\0", bytes.len()));
        hash.update(&bytes);
    }
    let digest = hash.finalize();
    Ok(digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
