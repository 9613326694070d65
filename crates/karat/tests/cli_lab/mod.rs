//! The lab model for whole-command tests: a folder and a home for each test, builds made in it, and
//! damaged copies. Checks what every refusal has in common.

#![allow(dead_code, reason = "each test file that includes this uses a part of it")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use rusqlite::Connection;
use tempfile::TempDir;

/// Name of the full-precision original in the lab.
pub const ORIGINAL: &str = "lab-base-bf16.gguf";

/// A file of the bundled lab.
pub fn lab(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab").join(name).canonicalize().unwrap()
}

/// A folder with a home of its own, gone when dropped.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// karat in this folder with this home, and nothing of the tester's own environment.
    pub fn karat<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::cargo_bin("karat").unwrap();
        command
            .current_dir(self.folder.path())
            .env("KARAT_HOME", self.home())
            .env_remove("NO_COLOR")
            .args(args);
        command
    }

    /// `karat fidelity` of the original and `args`, on one thread and short windows.
    pub fn fidelity<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.karat(["fidelity", "--ctx", "64", "--threads", "1", "--reference"]);
        command.arg(lab(ORIGINAL)).args(args);
        command
    }

    /// Makes a build of the original and gives its name.
    pub fn build(&self, file_type: &str) -> String {
        let name = format!("{file_type}.gguf");
        let original = lab(ORIGINAL);
        let args = ["quantize", original.to_str().unwrap(), &name, "--type", file_type, "--quiet"];
        self.karat(args).assert().success().stdout("").stderr("");
        name
    }

    /// Writes the first `n_bytes` of a text of the lab, cut at a character.
    pub fn text(&self, name: &str, n_bytes: usize) {
        let text = fs::read_to_string(lab("eval-english.txt")).unwrap();
        fs::write(self.path(name), &text[..text.floor_char_boundary(n_bytes)]).unwrap();
    }

    /// Writes `model` (a file here or of the lab) with `from` replaced by `to` where it first
    /// follows `after`.
    pub fn altered(&self, name: &str, model: &Path, (after, from, to): (&str, &[u8], &[u8])) {
        assert_eq!(from.len(), to.len(), "the file keeps its layout");
        let mut bytes = fs::read(model).unwrap();
        let after = find(&bytes, after.as_bytes()) + after.len();
        let at = after + find(&bytes[after..], from);
        bytes[at..at + to.len()].copy_from_slice(to);
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Names in the folder, the home not counted.
    pub fn names(&self) -> BTreeSet<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "home").collect()
    }

    /// Rows of a table in the store; none where there is no store.
    pub fn stored(&self, table: &str) -> u64 {
        let path = self.home().join("karat.db");
        if !path.exists() {
            return 0;
        }
        let store = Connection::open(path).unwrap();
        store.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        let count = format!("SELECT count(*) FROM {table}");
        // The table is missing while another process makes it.
        store.query_row(&count, [], |row| row.get::<_, i64>(0)).unwrap_or(0) as u64
    }

    /// The newest run as JSON.
    pub fn document(&self) -> serde_json::Value {
        let output = self.karat(["report", "--format", "json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command that must be refused: exit code 2, nothing on standard output, one line that
    /// says `what` on standard error, no new file, no run stored.
    #[track_caller]
    pub fn check_refused(&self, command: &mut Command, what: &str) {
        let (names, runs) = (self.names(), self.stored("run"));
        let output = command.output().unwrap();
        check_line(&output, what);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(self.names(), names, "nothing is left half-written");
        assert_eq!(self.stored("run"), runs, "no run begins");
    }
}

/// Checks that all a command said is one error line with `what` in it.
#[track_caller]
pub fn check_line(output: &Output, what: &str) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "nothing is said on standard output");
    let line = said.strip_prefix("error: ").unwrap_or_else(|| panic!("no error line:\n{said}"));
    let line = line.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "more than one line:\n{said}");
    assert!(line.contains(what), "`{what}` is not in:\n{said}");
    let mut clauses = line.rsplit(": ");
    assert_ne!(clauses.next(), clauses.next(), "a cause is told once:\n{said}");
}

/// Where `wanted` begins; nothing begins at the start.
#[track_caller]
fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    if wanted.is_empty() {
        return 0;
    }
    bytes.windows(wanted.len()).position(|window| window == wanted).unwrap()
}
