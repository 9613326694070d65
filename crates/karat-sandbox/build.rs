//! Compiles the part of Python's standard library that programs may use, and freezes it into the
//! binary. The sources come with a registry package.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use rustpython_compiler::{CompileOpts, Mode, compile};
use rustpython_compiler_core::frozen::{FrozenCodeObject, FrozenLib, FrozenModule};

/// Pure modules, and packages with all that is in them. What reaches outside the process is not here.
const OFFERED: &[&str] = &[
    "__future__",
    "_collections_abc",
    "_colorize",
    "_opcode_metadata",
    "_py_abc",
    "_py_warnings",
    "_pydatetime",
    "_pydecimal",
    "_strptime",
    "_weakrefset",
    "abc",
    "annotationlib",
    "ast",
    "base64",
    "bisect",
    "calendar",
    "collections",
    "colorsys",
    "contextlib",
    "contextvars",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "dis",
    "encodings",
    "enum",
    "fractions",
    "functools",
    "graphlib",
    "heapq",
    "importlib",
    "inspect",
    "json",
    "keyword",
    "linecache",
    "locale",
    "numbers",
    "opcode",
    "operator",
    "pprint",
    "random",
    "re",
    "reprlib",
    "statistics",
    "string",
    "struct",
    "textwrap",
    "token",
    "tokenize",
    "types",
    "typing",
    "warnings",
    "weakref",
];

/// Modules written for the sandbox, in place of ones that reach outside.
const OWN: &str = "src/python";

struct Module {
    name: String,
    path: PathBuf,
    is_package: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={OWN}");
    let library = Path::new(rustpython_pylib::LIB_PATH);
    let mut modules = Vec::new();
    for name in OFFERED {
        let file = library.join(format!("{name}.py"));
        if file.exists() {
            modules.push(Module { name: (*name).to_owned(), path: file, is_package: false });
        } else {
            package(&library.join(name), name, &mut modules)?;
        }
    }
    package(Path::new(OWN), "", &mut modules)?;
    let mut frozen = Vec::new();
    for Module { name, path, is_package } in &modules {
        let source = fs::read_to_string(path)?;
        let code =
            compile(&source, Mode::Exec, &format!("<frozen {name}>"), CompileOpts::default())
                .map_err(|error| format!("{}: {error}", path.display()))?;
        let code = FrozenCodeObject::encode(&code);
        frozen.push((name.as_str(), FrozenModule { code, package: *is_package }));
    }
    let library = FrozenLib::encode(frozen.iter().map(|(name, module)| {
        let code = FrozenCodeObject { bytes: &module.code.bytes };
        (*name, FrozenModule { code, package: module.package })
    }));
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("library.bin"), library.bytes)?;
    Ok(())
}

/// All modules of a folder, those of its packages too.
fn package(folder: &Path, name: &str, modules: &mut Vec<Module>) -> Result<(), Box<dyn Error>> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    entries.sort();
    for path in entries {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let inner = if name.is_empty() { stem.to_owned() } else { format!("{name}.{stem}") };
        if path.is_dir() {
            if path.join("__init__.py").exists() {
                package(&path, &inner, modules)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "py") {
            let is_package = stem == "__init__";
            let name = if is_package { name.to_owned() } else { inner };
            modules.push(Module { name, path, is_package });
        }
    }
    Ok(())
}
