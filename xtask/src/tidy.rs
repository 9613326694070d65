//! The checks that neither rustfmt nor clippy makes: file headers, file lengths, unfinished
//! work, layering, and code that is confined to few places. The rules are data, in `rules`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::note;
use crate::rules::{ANY, CONFINED, CRATES, LONG_FILES, MAX_LINES, MODULES, Module, UNFINISHED};
use crate::source::{code_only, crate_items, line_of, whole_words, without_tests};

/// Folders with the project's own Rust code.
const SOURCE_FOLDERS: &[&str] = &["crates", "xtask", "fuzz"];

/// Where the layered modules live.
const JUDGE: &str = "crates/karat/src/";

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    message: String,
}

/// Checks every file; names each finding on stderr. True when there is none.
pub fn run(root: &Path) -> Result<bool> {
    let mut findings = Vec::new();
    let mut n_files = 0_usize;
    for file in files(root)? {
        let path = relative(root, &file);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {path}"))?;
        if is_rust(&path) {
            n_files += 1;
            findings.extend(rust_file(&path, &text));
        } else {
            findings.extend(manifest(&path, &text));
        }
    }
    anyhow::ensure!(n_files > 0, "no Rust file under {}", root.display());
    for Finding { path, line, message } in &findings {
        note(&format!("{path}:{line}: {message}"));
    }
    note(&format!("tidy: {n_files} files, {} findings", findings.len()));
    Ok(findings.is_empty())
}

/// Rust files and crate manifests of the project, sorted; build outputs and hidden folders apart.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = SOURCE_FOLDERS.iter().map(|name| root.join(name)).collect();
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if entry.file_type().context("cannot tell a file's type")?.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    folders.push(entry.path());
                }
            } else if is_rust(&name) || name == "Cargo.toml" {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Tests may open the database, read files and print.
fn is_test_file(path: &str) -> bool {
    path.contains("/tests/")
        || path.contains("/benches/")
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// The path from `root` to `file`, with `/` on every system.
fn relative(root: &Path, file: &Path) -> String {
    let path = file.strip_prefix(root).unwrap_or(file);
    path.to_string_lossy().replace('\\', "/")
}

fn rust_file(path: &str, text: &str) -> Vec<Finding> {
    let code = code_only(text);
    let code = without_tests(&code);
    let mut findings = Vec::new();
    let mut add = |line: usize, message: String| {
        findings.push(Finding { path: path.to_owned(), line, message });
    };
    if !text.starts_with("//!") {
        add(1, "no `//!` header: say what this file owns and what it never does".to_owned());
    }
    let n_lines = code.lines().count();
    if n_lines > MAX_LINES && !LONG_FILES.iter().any(|(long, _)| *long == path) {
        add(
            MAX_LINES,
            format!(
                "{n_lines} lines before the tests, more than {MAX_LINES}: split the file, or list it with a reason in xtask/src/rules.rs"
            ),
        );
    }
    for mark in UNFINISHED {
        for at in whole_words(text, mark) {
            add(line_of(text, at), format!("unfinished work: `{mark}`"));
        }
    }
    if is_test_file(path) {
        return findings;
    }
    for rule in CONFINED {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
        if !starts(rule.within) || starts(rule.allowed) {
            continue;
        }
        for needle in rule.needles {
            for at in whole_words(code, needle) {
                add(line_of(code, at), format!("`{needle}` here: {}", rule.why));
            }
        }
    }
    layering(path, code, &mut add);
    findings
}

/// Modules of the judge name only what the table allows.
fn layering(path: &str, code: &str, add: &mut impl FnMut(usize, String)) {
    let Some(inside) = path.strip_prefix(JUDGE) else { return };
    let steps: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
    let Some((&own, below)) = steps.split_first() else { return };
    if matches!(own, "lib" | "main") {
        return;
    }
    let Some(module) = module(own) else {
        add(1, format!("module `{own}` has no place in MODULES of xtask/src/rules.rs"));
        return;
    };
    let depth = 1 + below.iter().filter(|step| **step != "mod").count();
    for (at, name) in crate_items(code, depth) {
        // What is no module of the table is an item or a macro of the crate's root.
        let known = module_names().any(|other| other == name);
        let allowed =
            name == own || module.may_name.iter().any(|&other| other == name || other == ANY);
        if known && !allowed {
            add(line_of(code, at), format!("`{own}` may not name `crate::{name}`"));
        }
    }
}

fn module(name: &str) -> Option<&'static Module> {
    MODULES.iter().find(|module| module.name == name)
}

fn module_names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|module| module.name)
}

/// A crate depends on the ones below it only; what tests use is its own affair.
fn manifest(path: &str, text: &str) -> Vec<Finding> {
    let Some(own) = path.strip_prefix("crates/").and_then(|rest| rest.strip_suffix("/Cargo.toml"))
    else {
        return Vec::new();
    };
    let finding = |line, message| Finding { path: path.to_owned(), line, message };
    let Some((_, allowed)) = CRATES.iter().find(|(name, _)| *name == own) else {
        return vec![finding(
            1,
            format!("crate `{own}` has no place in CRATES of xtask/src/rules.rs"),
        )];
    };
    let mut in_dependencies = false;
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            in_dependencies = line.contains("dependencies]") && !line.contains("dev-dependencies]");
        }
        let key = line.split(['.', '=', ' ']).next().unwrap_or_default();
        let internal = CRATES.iter().any(|(name, _)| *name == key);
        if in_dependencies && internal && !allowed.contains(&key) {
            findings.push(finding(index + 1, format!("`{own}` may not depend on `{key}`")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `want`: the finding's line and a part of its message; nothing for a clean file.
    #[track_caller]
    fn check(path: &str, text: &str, want: Option<(usize, &str)>) {
        let findings = if is_rust(path) { rust_file(path, text) } else { manifest(path, text) };
        match (findings.as_slice(), want) {
            ([], None) => {}
            ([found], Some((line, part))) => {
                assert_eq!(found.line, line, "{found:?}");
                assert!(found.message.contains(part), "{found:?}");
            }
            (found, want) => panic!("want {want:?}, found {found:?}"),
        }
    }

    #[test]
    fn a_file_begins_with_its_header() {
        check("crates/karat/src/units.rs", "//! Units.\n", None);
        check("crates/karat/src/units.rs", "// Units.\n", Some((1, "no `//!` header")));
    }

    #[test]
    fn long_files_are_found_and_their_tests_do_not_count() {
        let filler = "const A: u8 = 1;\n".repeat(MAX_LINES);
        check(
            "crates/karat/src/units.rs",
            &format!("//! Units.\n{filler}"),
            Some((MAX_LINES, "401 lines")),
        );
        let tested = format!("//! Units.\n#[cfg(test)]\nmod tests {{\n{filler}}}\n");
        check("crates/karat/src/units.rs", &tested, None);
    }

    #[test]
    fn unfinished_work_is_found_in_comments_too() {
        for mark in UNFINISHED {
            check("xtask/src/a.rs", &format!("//! A.\n// {mark} later\n"), Some((2, "unfinished")));
        }
    }

    #[test]
    fn a_metric_may_not_name_the_store() {
        check(
            "crates/karat/src/metric/kld.rs",
            "//! K.\nuse crate::store::Store;\n",
            Some((2, "`metric` may not name")),
        );
        check(
            "crates/karat/src/metric/kld.rs",
            "//! K.\nuse super::super::store;\n",
            Some((2, "`metric` may not name")),
        );
        check(
            "crates/karat/src/metric/mod.rs",
            "//! K.\nuse super::store;\n",
            Some((2, "`metric` may not name")),
        );
    }

    #[test]
    fn a_store_knows_rows_but_no_metrics() {
        check(
            "crates/karat/src/store/mod.rs",
            "//! S.\nuse crate::{record::Row, store::run};\n",
            None,
        );
        check(
            "crates/karat/src/store/mod.rs",
            "//! S.\nuse crate::{record, metric};\n",
            Some((2, "crate::metric")),
        );
    }

    #[test]
    fn links_in_comments_and_uses_in_tests_are_free() {
        let text =
            "//! M, see [`crate::store`].\n#[cfg(test)]\nmod tests {\n use crate::store;\n}\n";
        check("crates/karat/src/metric/kld.rs", text, None);
    }

    #[test]
    fn commands_name_every_module() {
        check("crates/karat/src/command/run.rs", "//! R.\nuse crate::{metric, store, ui};\n", None);
    }

    #[test]
    fn a_module_without_a_place_is_refused() {
        check("crates/karat/src/utils.rs", "//! U.\n", Some((1, "no place")));
    }

    #[test]
    fn confined_code_is_found_outside_its_place() {
        let cases = [
            ("crates/karat/src/report/csv.rs", "unsafe {}", "unsafe code lives"),
            ("crates/karat/src/report/csv.rs", "use rusqlite::Row;", "only store/"),
            ("crates/karat/src/worker/mod.rs", "std::env::var(NAME)", "only settings/"),
            ("crates/karat/src/worker/mod.rs", "Instant::now()", "only clock.rs"),
            ("crates/karat/src/worker/mod.rs", "println!()", "only ui/"),
            ("crates/karat/src/stats/mod.rs", "use std::fs;", "no I/O"),
            ("crates/karat-quant/src/lib.rs", "llama_cpp_sys_2::x()", "only karat-llama"),
        ];
        for (path, code, part) in cases {
            check(path, &format!("//! A.\n{code}\n"), Some((2, part)));
        }
    }

    #[test]
    fn confined_code_is_fine_in_its_place() {
        let cases = [
            ("crates/karat-llama/src/model.rs", "unsafe {}"),
            ("crates/karat/src/store/run.rs", "use rusqlite::Row;"),
            ("crates/karat/src/settings/mod.rs", "std::env::var(NAME)"),
            ("crates/karat/src/clock.rs", "Instant::now()"),
        ];
        for (path, code) in cases {
            check(path, &format!("//! A.\n{code}\n"), None);
        }
    }

    #[test]
    fn test_files_are_free_but_keep_their_header() {
        check("crates/karat/tests/store.rs", "//! T.\nuse rusqlite::Row;\n", None);
        check("crates/karat/src/stats/oracle_tests.rs", "//! T.\nuse std::fs;\n", None);
        check("crates/karat/src/metric/kernel/tests.rs", "use super::*;\n", Some((1, "header")));
    }

    #[test]
    fn nothing_depends_on_the_judge() {
        let text = "[package]\nname = \"karat-gguf\"\n[dependencies]\nkarat.workspace = true\n";
        check("crates/karat-gguf/Cargo.toml", text, Some((4, "may not depend on `karat`")));
        let tests_only = text.replace("[dep", "[dev-dep");
        check("crates/karat-gguf/Cargo.toml", &tests_only, None);
    }

    #[test]
    fn every_name_in_the_module_table_is_a_module_of_it() {
        for module in MODULES {
            for name in module.may_name {
                assert!(*name == ANY || module_names().any(|other| other == *name), "{name}");
            }
        }
    }
}
