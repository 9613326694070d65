//! `karat probe` from end to end: on the lab, with lengths of a few tokens; stopped and continued; with
//! a worker that dies; with input that makes no sense.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cli_lab::{ORIGINAL, Place, lab};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A key of the header with its type, u32; its value follows.
const HEADS: &str = "gemma4.attention.head_count\u{4}\0\0\0";
const CONTEXT: &str = "gemma4.context_length\u{4}\0\0\0";

/// `karat probe` of a few tokens on one thread.
fn probe<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> assert_cmd::Command {
    let fixed = ["probe", "--pp", "16", "--tg", "4", "--reps", "1", "--threads", "1"];
    let mut command = place.karat(fixed);
    command.args(args);
    command
}

#[track_caller]
fn check_exit(command: &mut assert_cmd::Command, code: i32) -> (String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    (stdout, stderr)
}

fn rows<'d>(document: &'d Value, metric: &str) -> Vec<&'d Value> {
    let all = document["estimates"].as_array().unwrap().iter();
    all.filter(|row| row["metric"] == metric).collect()
}

#[test]
fn models_are_timed_in_blocks_and_reported_in_every_form() {
    let place = Place::new();
    let (q8, q4) = (place.build("Q8_0"), place.build("Q4_0"));
    let args = [q4.as_str(), &q8, "--depth", "0,40", "--kv", "q8_0"];
    let (text, said) = check_exit(&mut probe(&place, args), 0);
    assert!(said.contains("speed: 24 measurements in "), "{said}");
    for part in ["2 models", "Speed, pp16", "Speed, tg4 at depth 40", "noise floor: Q4_0 against"] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    assert_eq!(place.stored("sample"), 24 + 1, "and one sweep over memory");
    let document = place.document();
    for (metric, n_rows) in [("pp_rate", 4), ("tg_rate", 4), ("pp_rate_ratio", 2)] {
        let rows = rows(&document, metric);
        assert_eq!(rows.len(), n_rows, "{metric}");
        for row in rows {
            assert!(row["lo"].as_f64().unwrap() <= row["value"].as_f64().unwrap(), "{row}");
            assert_eq!((&row["n"], &row["setting"]["kv"]), (&8.into(), &"q8_0".into()));
        }
    }
    assert_eq!(rows(&document, "noise_floor_tg_rate_ratio").len(), 2);
    assert_eq!(rows(&document, "memory_bandwidth").len(), 1);
    // The lab fits into every cache, so its share of the bandwidth means nothing.
    assert!(rows(&document, "bandwidth_share").is_empty());
    let findings = document["findings"].to_string();
    assert!(findings.contains("share of the memory bandwidth is not shown"), "{findings}");
    for claim in document["claims"].as_array().unwrap() {
        for row in claim["estimates"].as_array().unwrap() {
            let row = &document["estimates"][row.as_u64().unwrap() as usize];
            assert_eq!((&row["instrument"], &row["versus"]), (&"speed".into(), &"Q4_0".into()));
        }
    }
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/schema/run.schema.json")).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&document));
    let markdown = check_exit(&mut place.karat(["report", "--format", "markdown"]), 0).0;
    assert!(markdown.contains("## Speed, tg4") && markdown.contains("| ---"), "{markdown}");
}

#[test]
fn a_complete_run_is_measured_anew_and_a_dry_run_measures_nothing() {
    let place = Place::new();
    let original = lab(ORIGINAL);
    let args = [original.to_str().unwrap()];
    let (plan, _) = check_exit(probe(&place, args).arg("--dry-run"), 0);
    for part in ["8 blocks", "pp16, tg4", "16 measurements; 16 to make", "(a guess, "] {
        assert!(plan.contains(part), "`{part}` is not in\n{plan}");
    }
    assert_eq!((place.stored("run"), place.stored("sample")), (0, 0));
    check_exit(&mut probe(&place, args), 0);
    let (plan, _) = check_exit(probe(&place, args).arg("--dry-run"), 0);
    assert!(plan.contains("16 to make") && plan.contains("from earlier measurements"), "{plan}");
    check_exit(&mut probe(&place, args), 0);
    assert_eq!((place.stored("run"), place.stored("sample")), (2, 2 * 17));
}

/// A started command, killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is there.
#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_mins(2), "waited in vain for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// `karat probe` as [`probe`] has it, in the background.
fn start(place: &Place, args: &[&str]) -> Running {
    start_with(place, &["--pp", "16", "--tg", "4", "--reps", "1"], args)
}

fn start_with(place: &Place, lengths: &[&str], args: &[&str]) -> Running {
    let fixed = ["probe", "--threads", "1", "--quiet"];
    let child = Command::new(env!("CARGO_BIN_EXE_karat"))
        .args(fixed)
        .args(lengths)
        .args(args)
        .current_dir(place.path(""))
        .env("KARAT_HOME", place.home())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Running(child.unwrap())
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_stopped() {
    let place = Place::new();
    let original = lab(ORIGINAL);
    let args = [original.to_str().unwrap()];
    let running = start(&place, &args);
    until("three samples", || (place.stored("sample") >= 4).then_some(()));
    kill_process(Pid::from_child(&running.0), Signal::KILL).unwrap();
    drop(running);
    let before = place.stored("sample");
    assert!((4..17).contains(&before), "{before}");
    let (plan, _) = check_exit(probe(&place, args).arg("--dry-run"), 0);
    assert!(plan.contains(&format!("16 measurements; {} to make", 17 - before)), "{plan}");
    let (_, said) = check_exit(&mut probe(&place, args), 0);
    assert!(said.contains(&format!("speed: {} measurements in ", 17 - before)), "{said}");
    assert_eq!(place.stored("sample"), 17);
    assert_eq!(rows(&place.document(), "tg_rate")[0]["n"], 8);
    // The killed run itself has what it has, and can still be reported.
    check_exit(&mut place.karat(["runs"]), 0);
}

#[test]
fn fresh_leaves_an_unfinished_run_alone() {
    let place = Place::new();
    let original = lab(ORIGINAL);
    let args = [original.to_str().unwrap()];
    let running = start(&place, &args);
    until("a sample", || (place.stored("sample") >= 2).then_some(()));
    drop(running);
    let (_, said) = check_exit(probe(&place, args).arg("--fresh"), 0);
    assert!(said.contains("speed: 16 measurements in "), "{said}");
}

#[test]
fn a_model_that_aborts_the_engine_fails_alone() {
    let place = Place::new();
    let original = lab(ORIGINAL);
    // Three heads do not divide into what the tensors hold.
    let change = (HEADS, &4_u32.to_le_bytes()[..], &3_u32.to_le_bytes()[..]);
    place.altered("broken.gguf", &original, change);
    let (text, said) =
        check_exit(&mut probe(&place, [original.to_str().unwrap(), "broken.gguf"]), 3);
    assert!(said.contains("warning: speed of broken"), "{said}");
    // Twice is enough, and once to say it.
    assert!(said.contains("block 1, block 2: "), "{said}");
    assert!(said.contains("; not tried again"), "{said}");
    assert_eq!(said.matches("broken.gguf").count(), 1, "{said}");
    assert!(text.contains("broken: 0 of 8 blocks"), "{text}");
    let document = place.document();
    let named: BTreeSet<&str> =
        rows(&document, "tg_rate").iter().map(|row| row["candidate"].as_str().unwrap()).collect();
    assert_eq!(named, BTreeSet::from(["lab-base-bf16"]));
    let outcomes: Vec<&str> = document["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["done", "failed", "done", "done"]);
}

#[test]
fn a_model_that_cannot_be_loaded_is_given_up_in_its_first_block() {
    let place = Place::new();
    let change = (HEADS, &4_u32.to_le_bytes()[..], &3_u32.to_le_bytes()[..]);
    place.altered("broken.gguf", &lab(ORIGINAL), change);
    let (_, said) = check_exit(&mut probe(&place, ["broken.gguf"]), 3);
    assert_eq!(said.matches("warning: speed of").count(), 1, "{said}");
    for step in &place.document()["steps"].as_array().unwrap()[..2] {
        let error = step["error"].as_str().unwrap();
        assert!(error.starts_with("block 1: ") && error.ends_with("not tried again"), "{error}");
    }
}

#[test]
fn a_worker_that_is_killed_costs_its_block_and_no_more() {
    let place = Place::new();
    let original = lab(ORIGINAL);
    // Long enough to be caught at work.
    let lengths = ["--tg", "0", "--pp", "128", "--reps", "6"];
    let mut running = start_with(&place, &lengths, &[original.to_str().unwrap()]);
    until("two samples", || (place.stored("sample") >= 2).then_some(()));
    let pid = Pid::from_child(&running.0);
    let children = format!("/proc/{pid}/task/{pid}/children");
    let worker = until("a worker", || {
        Pid::from_raw(fs::read_to_string(&children).ok()?.split_whitespace().next()?.parse().ok()?)
    });
    kill_process(worker, Signal::KILL).unwrap();
    let status = until("the end", || running.0.try_wait().unwrap());
    assert_eq!(status.code(), Some(3));
    let document = place.document();
    let errors = document["steps"].to_string();
    assert!(errors.contains("worker was killed (signal 9)"), "{errors}");
    assert!(place.stored("sample") >= 15, "of 16");
}

/// `karat probe` with these arguments is refused with a line that says `what`.
#[track_caller]
fn check_refused(args: &[&str], what: &str) {
    let (place, original) = (Place::new(), lab(ORIGINAL));
    let mut command = place.karat(["probe", original.to_str().unwrap()]);
    place.check_refused(command.args(args), what);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    check_refused(&["--blocks", "0"], "--blocks 0 is too few");
    check_refused(&["--blocks", "9"], "--blocks 9 is odd");
    check_refused(
        &["--blocks", "4294967294"],
        "--blocks 4294967294 is more than anybody waits for",
    );
    check_refused(&["--reps", "0"], "--reps 0 times nothing");
    check_refused(&["--reps", "4294967295"], "--reps 4294967295 is more than anybody waits for");
    check_refused(&["--pp", "0", "--tg", "0"], "nothing to time");
    check_refused(&["--pp", "x"], "invalid value 'x'");
    check_refused(&["--pp", "-1"], "-1");
    check_refused(&["--pp", "4294967295"], "--pp 4294967295 tokens is beyond every context");
    check_refused(&["--level", "1"], "--level 1 is not between 0 and 1");
    check_refused(&["--threads", "0"], "0 is not in 1..=512");
    check_refused(&["--kv", "q3"], "no KV cache type is called that");
    check_refused(&["--worker-timeout", "0"], "positive number of seconds");
    check_refused(&["--worker-timeout", "1e20"], "that is too long");
    check_refused(&["--qat", "other.gguf"], "--qat other.gguf is not among the models");
    check_refused(&["--twin", "other.gguf"], "--twin other.gguf is not among the models");
}

#[test]
fn a_control_needs_what_it_controls_for() {
    let original = lab(ORIGINAL);
    let name = original.to_str().unwrap();
    check_refused(&["--twin", name], "--twin goes with --qat");
    check_refused(&["--twin", name, "--qat", name], "--qat and --twin name the same file");
}

#[test]
fn a_depth_beyond_the_context_is_refused() {
    check_refused(&["--depth", "0,2048"], "pp512 at depth 2048 needs 2560 tokens of context");
    check_refused(&["--pp", "4096"], "lab-base-bf16 was made for 2048");
}

#[test]
fn a_cache_that_does_not_fit_the_memory_is_refused() {
    let place = Place::new();
    let change = (CONTEXT, &2048_u32.to_le_bytes()[..], &u32::MAX.to_le_bytes()[..]);
    place.altered("long.gguf", &lab(ORIGINAL), change);
    let mut command = place.karat(["probe", "long.gguf", "--depth", "1073741824"]);
    place.check_refused(&mut command, "long needs 1099.");
}

#[test]
fn a_prompt_is_part_of_what_was_measured() {
    let place = Place::new();
    place.text("prompt.txt", 400);
    let original = lab(ORIGINAL);
    let args = [original.to_str().unwrap(), "--prompt", "prompt.txt"];
    let (text, _) = check_exit(&mut probe(&place, args), 0);
    assert!(text.contains("tokens of prompt"), "{text}");
    let document = place.document();
    assert_eq!(rows(&document, "tg_rate")[0]["setting"]["prompt"], "prompt");
    fs::write(place.path("short.txt"), "two words").unwrap();
    let short = [original.to_str().unwrap(), "--prompt", "short.txt"];
    place.check_refused(&mut probe(&place, short), "--prompt `short.txt` has ");
    let missing = [original.to_str().unwrap(), "--prompt", "nosuch.txt"];
    place.check_refused(&mut probe(&place, missing), "cannot read text `nosuch.txt`");
}

#[test]
fn files_that_are_no_models_are_refused() {
    let place = Place::new();
    fs::write(place.path("text.gguf"), "no model").unwrap();
    place.check_refused(&mut probe(&place, ["nosuch.gguf"]), "cannot open `nosuch.gguf`");
    place.check_refused(&mut probe(&place, ["text.gguf"]), "not with `GGUF`");
}
