//! Names the engine: the version of the crate that carries it and a hash of its vendored sources.
//! The crate records no llama.cpp commit, so the hash is what tells two engines apart. Compiles the
//! one C++ file, against the headers of the same sources.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

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

/// Version and source folder of `llama-cpp-sys-2` as this build resolved it: its build script tells
/// where it put its cmake package, and cmake's own cache beside that tells from where it was built.
/// (`cargo metadata` would want every crate of the workspace downloaded, also those of the tests.)
fn engine_package() -> Result<(String, PathBuf), Box<dyn Error>> {
    let package = PathBuf::from(std::env::var("DEP_LLAMA_GGML_CMAKE_DIR")?);
    let out = package.ancestors().nth(2).ok_or("the engine's cmake package has no folder above")?;
    let cache = fs::read_to_string(out.join("build/CMakeCache.txt"))?;
    let source = cache
        .lines()
        .find_map(|line| line.strip_prefix("CMAKE_HOME_DIRECTORY:INTERNAL="))
        .ok_or("cmake's cache does not tell the engine's source folder")?;
    let root = Path::new(source).parent().ok_or("the engine's sources have no folder above")?;
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .ok_or("the manifest of llama-cpp-sys-2 has no version")?;
    Ok((version.to_owned(), root.to_path_buf()))
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
