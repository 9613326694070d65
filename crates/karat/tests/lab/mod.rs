//! The lab for tests: its texts, its builds (made once, checked against the peer's), its windows and
//! its peer's figures. Owns no expectation; the tests that use it do.
#![allow(dead_code, reason = "not every test file uses every part")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use karat::backend::embedded::{Embedded, EmbeddedParams};
use karat::backend::embedded_logits::{EmbeddedLogits, Vocabulary};
use karat::backend::{Logits as _, Token};
use karat::digest::sha256_hex;
use karat::instrument::fidelity::text::Text;
use karat::instrument::fidelity::window::{Window, Windows};
use karat::settings::{Kv, RulerSpec};
use karat_llama::{Threads, Vocab};
use karat_quant::{FileTypeName, QuantizeJob, quantize};
use serde_json::Value;

/// Tokens of a window, as in every fixture.
pub const N_CTX: usize = 512;
/// The original, by its name in the fixtures.
pub const BASE: &str = "base-bf16";
/// The checkpoint of quantization-aware training before rounding.
pub const QAT: &str = "qat-bf16";
/// Builds made from the two, named `CHECKPOINT-TYPE`.
pub const BUILDS: [&str; 5] = ["base-Q8_0", "base-Q6_K", "base-Q4_K_M", "base-Q4_0", "qat-Q4_0"];

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The held-out text of that name.
pub fn text(corpus: &str) -> PathBuf {
    root().join(format!("lab/eval-{corpus}.txt"))
}

/// A file of the peer's figures.
pub fn peer(name: &str) -> Value {
    let path = root().join("crates/karat/tests/fixtures/peer").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A string in a fixture.
#[track_caller]
pub fn string<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no string `{key}` in {value}"))
}

/// A number in a fixture.
#[track_caller]
pub fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no number `{key}` in {value}"))
}

/// Whether this machine computes what the peer's did, to the bit. Where not, the test's own standard
/// error says so, past the test runner's capture.
pub fn same_arithmetic(tool: &Value) -> bool {
    // The engine builds its answer anew in one buffer of the process: tests on several threads must
    // not ask at the same time.
    static HERE: LazyLock<String> = LazyLock::new(|| karat_llama::identity().system_info);
    let (here, there) = (HERE.as_str(), string(tool, "cpu"));
    let same = features(here) == features(there);
    if !same {
        let line = format!(
            "note: this processor computes differently from the one that the peer's figures come \
             from, so they are compared loosely (here: {here}; there: {there})"
        );
        let mut stderr = std::io::stderr().lock();
        writeln!(stderr, "{line}").unwrap();
    }
    same
}

/// What the engine's own line says that can change a result: how threads wait cannot.
fn features(system_info: &str) -> BTreeSet<&str> {
    let items = system_info.trim().trim_start_matches("CPU :").split('|').map(str::trim);
    items.filter(|item| !item.is_empty() && !item.starts_with("OPENMP")).collect()
}

/// The build of that name, made where it is missing. `want_sha256` is the peer's, byte for byte.
pub fn build(name: &str, want_sha256: &str) -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let (checkpoint, file_type) = name.split_once('-').unwrap();
    let original = root().join(format!("lab/lab-{checkpoint}-bf16.gguf"));
    if file_type == "bf16" {
        return original;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab-builds");
    let path = folder.join(format!("lab-{name}.gguf"));
    let hash = || std::fs::read(&path).ok().map(sha256_hex);
    let _made_once = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if hash().as_deref() != Some(want_sha256) {
        std::fs::create_dir_all(&folder).unwrap();
        let mut job = QuantizeJob::new(original, &path, FileTypeName::parse(file_type).unwrap());
        // Another test process may have been faster; the bytes are the same.
        job.overwrite = true;
        quantize(&job).unwrap();
        assert_eq!(hash().as_deref(), Some(want_sha256), "{name} is not the build of the peer");
    }
    path
}

/// Every build in the order of `names`.
pub fn builds<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<PathBuf> {
    let runs = &peer("ppl.json")["runs"];
    let sha256 = |name: &str| string(&runs[format!("{name}.english.60")]["model"], "sha256");
    names.into_iter().map(|name| build(name, sha256(name))).collect()
}

/// What reports call the build of that name.
pub fn short_name(name: &str) -> String {
    format!("lab-{name}")
}

/// Models on the embedded engine with all that the engine itself does to logits: what a fidelity run
/// scores is measured against these.
pub fn load(paths: &[PathBuf], n_threads: u32) -> Vec<Embedded> {
    let threads = Threads::new(n_threads).unwrap();
    paths.iter().map(|path| Embedded::load(path, &params(), &threads, || ()).unwrap()).collect()
}

/// Models as a fidelity run loads them.
pub fn load_to_score(paths: &[PathBuf], n_threads: u32) -> Vec<EmbeddedLogits> {
    let threads = Threads::new(n_threads).unwrap();
    let load = |path| EmbeddedLogits::load(path, &params(), &threads, Vocabulary::Whole, || ());
    paths.iter().map(|path| load(path).unwrap()).collect()
}

/// The settings of a fidelity run.
pub fn params() -> EmbeddedParams {
    EmbeddedParams {
        n_ctx: N_CTX as u32,
        n_batch: N_CTX as u32,
        n_ubatch: N_CTX as u32,
        kv: Kv::F16,
        gpu_layers: Some(0),
    }
}

/// The program, with a home folder of its own.
pub fn karat(home: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_karat"));
    command.arg("--home").arg(home);
    command
}

/// What the program prints as JSON; `--format json` is up to the caller.
#[track_caller]
pub fn json(command: &mut assert_cmd::Command) -> Value {
    let output = command.assert().success().get_output().clone();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The value of a metric of one candidate against one reference (or of a model by itself) in a report.
#[track_caller]
pub fn estimate<'a>(
    report: &'a Value,
    metric: &str,
    candidate: &str,
    reference: Option<&str>,
    corpus: &str,
) -> &'a Value {
    let scope = format!("eval-{corpus}");
    let wanted = |row: &&Value| {
        row["metric"] == metric
            && row["candidate"] == candidate
            && row["reference"].as_str() == reference
            && row["versus"].is_null()
            && row["setting"]["position"].is_null()
            && row["scope"] == scope.as_str()
    };
    let mut found = report["estimates"].as_array().unwrap().iter().filter(wanted);
    let row = found.next().unwrap_or_else(|| panic!("no {metric} of {candidate} on {corpus}"));
    assert!(found.next().is_none(), "two rows of {metric} of {candidate} on {corpus}");
    row
}

/// A text as a model reads it.
pub struct Tokens {
    /// All of it, BOS in front.
    pub tokens: Vec<Token>,
    bos: Option<Token>,
}

impl Tokens {
    /// Reads the held-out text of that name.
    pub fn read(model: &Embedded, corpus: &str) -> Self {
        Self::read_with(model.vocab(), corpus)
    }

    /// The same with a vocabulary.
    pub fn read_with(vocab: &Vocab, corpus: &str) -> Self {
        let n_ctx = N_CTX as u32;
        let ruler = RulerSpec {
            n_ctx,
            n_ubatch: n_ctx,
            gpu_layers: Some(0),
            chat: false,
            parse_special: false,
        };
        let path = text(corpus);
        match Text::read(vocab, &path, &path, &ruler).unwrap() {
            Text::Raw { tokens, bos, .. } => Self { tokens, bos },
            Text::Chat(_) => unreachable!("raw text was asked for"),
        }
    }

    /// The first `count` windows.
    pub fn windows(&self, count: usize) -> impl Iterator<Item = Window<'_>> {
        let windows = Windows::new(&self.tokens, N_CTX, self.bos);
        (0..count).map(move |window_idx| windows.get(window_idx).unwrap())
    }
}

/// The logits of every scored position of a window, one row of `n_vocab` each, with its target.
pub fn scored_rows(model: &mut Embedded, window: &Window<'_>) -> Vec<(Vec<f32>, u32)> {
    model.restart();
    let rows = model.advance(&window.input, window.scored()).unwrap();
    let targets = window.scored().iter().map(|&position| window.target(position) as u32);
    targets.enumerate().map(|(row, target)| (rows.row(row).to_vec(), target)).collect()
}
