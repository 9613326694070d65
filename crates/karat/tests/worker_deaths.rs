//! Workers that die, hang or are left behind: for real, through the whole command. The failure is
//! recorded, the rest goes on, nothing that was stored is lost, and the same command completes it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cli_lab::{ORIGINAL, Place, check_line, lab};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The long text is killed in, the short one shows that the run goes on.
const LONG: &str = "long.txt";
const SHORT: &str = "short.txt";

/// A key of the header with its type, u32; its value follows.
const HEADS: &str = "gemma4.attention.head_count\u{4}\0\0\0";

/// A started command, killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// `karat` with `args` in `place`, its output kept in files.
    fn start(place: &Place, args: &[&str]) -> Self {
        let into = |name| Stdio::from(fs::File::create(place.path(name)).unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_karat"))
            .args(args)
            .current_dir(place.path(""))
            .env("KARAT_HOME", place.home())
            .stdout(into("stdout"))
            .stderr(into("stderr"))
            .spawn();
        Self(child.unwrap())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// The worker of the moment.
    fn worker(&self) -> Pid {
        let pid = self.pid();
        until("a worker", || {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
            Pid::from_raw(children.split_whitespace().next()?.parse().ok()?)
        })
    }

    /// Waits for the end.
    fn finish(mut self, place: &Place) -> Output {
        let status = until("the end", || self.0.try_wait().unwrap());
        let read = |name| fs::read(place.path(name)).unwrap();
        Output { status, stdout: read("stdout"), stderr: read("stderr") }
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

/// Whether a process runs; a zombie that nobody has waited for yet does not.
fn runs(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some(None | Some('Z' | 'X')))
}

/// A place with both texts and two candidates, and the command that compares them.
struct Scene {
    place: Place,
    args: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        place.text(LONG, 24_000);
        place.text(SHORT, 800);
        let (q8, q4) = (place.build("Q8_0"), place.build("Q4_0"));
        Self::comparing(place, &[&q8, &q4])
    }

    fn comparing(place: Place, candidates: &[&str]) -> Self {
        let original = lab(ORIGINAL);
        let fixed = ["fidelity", "--no-noise-floor", "--ctx", "64", "--threads", "1"];
        let texts = ["--text", LONG, "--text", SHORT];
        let reference = ["--reference", original.to_str().unwrap(), "--worker-timeout", "3"];
        let all = fixed.iter().chain(&texts).chain(&reference).chain(candidates);
        Self { args: all.map(|&arg| arg.to_owned()).collect(), place }
    }

    fn start(&self) -> Running {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        Running::start(&self.place, &args)
    }

    /// Waits until `n` windows of a running command are stored. A window is stored once for each
    /// track: three models and two comparisons.
    fn wait_for_windows(&self, n: u64) {
        until("windows", || (self.place.stored("window") >= 5 * n).then_some(()));
    }

    /// Sends `signal` to the worker in the middle of the long text and checks what comes of it.
    /// `said`: what the recorded error must say.
    #[track_caller]
    fn check_death(&self, signal: Signal, said: &str) {
        let running = self.start();
        self.wait_for_windows(3);
        let worker = running.worker();
        kill_process(worker, signal).unwrap();
        let output = running.finish(&self.place);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(stderr.contains(said), "`{said}` is not in\n{stderr}");
        assert!(!runs(worker), "the worker is gone");
        let document = self.place.document();
        check_failed_step(&document, said);
        assert_eq!(document["steps"][1]["outcome"], "done", "the other text was scored");
        assert_eq!(document["run"]["outcome"], "failed");
        self.check_goes_on();
    }

    /// The same command completes what is missing, and measures nothing twice.
    #[track_caller]
    fn check_goes_on(&self) {
        let stored = self.place.stored("window");
        let output = self.start().finish(&self.place);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(stderr.contains("short: all windows were scored before"), "{stderr}");
        assert!(self.place.stored("window") > stored);
        let document = self.place.document();
        assert_eq!(outcomes(&document), ["done", "done"]);
        let windows = document["texts"][0]["windows"].as_u64().unwrap()
            + document["texts"][1]["windows"].as_u64().unwrap();
        assert_eq!(self.place.stored("window"), 5 * windows);
    }
}

fn outcomes(document: &Value) -> Vec<&str> {
    let steps = document["steps"].as_array().unwrap();
    steps.iter().map(|step| step["outcome"].as_str().unwrap()).collect()
}

/// The first step has failed, says why, and has the engine's last lines.
#[track_caller]
fn check_failed_step(document: &Value, said: &str) {
    let step = &document["steps"][0];
    assert_eq!(step["outcome"], "failed");
    let error = step["error"].as_str().unwrap();
    assert!(error.contains(said), "`{said}` is not in `{error}`");
    let log = step["engine_log"].as_array().unwrap();
    assert!(!log.is_empty() && log.len() <= 12, "{log:?}");
}

/// Candidates that have a perplexity on a text.
fn measured(document: &Value, text: &str) -> Vec<String> {
    let rows = document["estimates"].as_array().unwrap().iter();
    let ppl = rows.filter(|row| row["metric"] == "ppl" && row["scope"] == text);
    ppl.map(|row| row["candidate"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_worker_that_is_killed_is_a_recorded_failure() {
    Scene::new().check_death(
        Signal::KILL,
        "(signal 9); out of memory is the usual reason (--memory-budget limits it)",
    );
}

#[test]
fn a_worker_that_aborts_is_a_recorded_failure() {
    Scene::new().check_death(Signal::ABORT, "engine aborted (signal 6)");
}

#[test]
fn a_worker_that_hangs_is_killed_and_recorded() {
    Scene::new().check_death(Signal::STOP, "nothing heard for 3 s (--worker-timeout)");
}

/// Each setting of `karat memory` has a worker of its own, so its death costs one setting.
#[test]
fn a_worker_that_measures_memory_and_is_killed_costs_its_setting_alone() {
    let place = Place::new();
    let model = lab(ORIGINAL);
    let args = ["memory", model.to_str().unwrap(), "--ctx", "512,1k,2k", "--threads", "1"];
    let running = Running::start(&place, &args);
    // The worker before that says who the engine is, and without it there is no run.
    until("the run", || (place.stored("run") == 1).then_some(()));
    kill_process(running.worker(), Signal::KILL).unwrap();
    let output = running.finish(&place);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    let killed = place.document();
    let failed = outcomes(&killed).iter().filter(|outcome| **outcome == "failed").count();
    assert_eq!((failed, place.stored("sample")), (1, 2), "{:?}", outcomes(&killed));
    let output = Running::start(&place, &args).finish(&place);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8(output.stderr).unwrap());
    assert_eq!(place.stored("sample"), 3, "only the missing setting was measured");
}

#[test]
fn a_worker_dies_with_its_parent_and_the_run_goes_on_later() {
    let scene = Scene::new();
    let running = scene.start();
    scene.wait_for_windows(3);
    let worker = running.worker();
    kill_process(running.pid(), Signal::KILL).unwrap();
    let killed = Instant::now();
    until("the worker's end", || (!runs(worker)).then_some(()));
    assert!(killed.elapsed() < Duration::from_secs(3), "an orphan for {:?}", killed.elapsed());
    drop(running);
    let stored = scene.place.stored("window");
    assert!(stored >= 15, "what was stored is kept");
    let document = scene.place.document();
    assert_eq!(document["run"]["outcome"], "unfinished");
    let output = scene.start().finish(&scene.place);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(outcomes(&scene.place.document()), ["done", "done"]);
}

#[test]
fn a_run_that_the_user_interrupts_says_what_is_kept_and_goes_on_later() {
    let scene = Scene::new();
    let running = scene.start();
    scene.wait_for_windows(3);
    let worker = running.worker();
    kill_process(running.pid(), Signal::INT).unwrap();
    let output = running.finish(&scene.place);
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("interrupted; whatever was measured is stored"), "{stderr}");
    until("the worker's end", || (!runs(worker)).then_some(()));
    let stored = scene.place.stored("window");
    let output = scene.start().finish(&scene.place);
    assert_eq!(output.status.code(), Some(0));
    assert!(scene.place.stored("window") > stored);
    assert_eq!(outcomes(&scene.place.document()), ["done", "done"]);
}

/// A copy of the Q8_0 build whose header passes and whose run fails: `from` after `key` becomes `to`.
/// It fails alone: the other candidate is measured on both texts.
#[track_caller]
fn check_bad_candidate(key: &str, from: &[u8], to: &[u8], said: &str) {
    let place = Place::new();
    place.text(LONG, 1600);
    place.text(SHORT, 800);
    let (q8, q4) = (place.build("Q8_0"), place.build("Q4_0"));
    place.altered("bad.gguf", &place.path(&q8), (key, from, to));
    let scene = Scene::comparing(place, &["bad.gguf", &q4]);
    let output = scene.start().finish(&scene.place);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    let document = scene.place.document();
    check_failed_step(&document, &format!("bad: {said}"));
    assert_eq!(outcomes(&document), ["failed", "failed"]);
    for text in ["long", "short"] {
        assert_eq!(measured(&document, text), ["lab-base-bf16", "Q4_0"], "{text}");
    }
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains(said.split(' ').next().unwrap()), "the report tells:\n{report}");
}

#[test]
fn a_candidate_that_the_engine_refuses_fails_alone() {
    let (four, many) = (4_u32.to_le_bytes(), 1000_u32.to_le_bytes());
    check_bad_candidate(HEADS, &four, &many, "the engine cannot load `bad.gguf`");
}

#[test]
fn a_candidate_that_makes_the_engine_abort_fails_alone() {
    let key = "gemma4.attention.layer_norm_rms_epsilon\u{6}\0\0\0";
    let epsilon = 1e-6_f32.to_le_bytes();
    check_bad_candidate(
        key,
        &epsilon,
        &(-1.0_f32).to_le_bytes(),
        "engine aborted (signal 6): ops.cpp:",
    );
}

#[test]
fn a_candidate_without_a_distribution_fails_alone() {
    let key = "gemma4.final_logit_softcapping\u{6}\0\0\0";
    let nan = f32::NAN.to_le_bytes();
    check_bad_candidate(key, &30.0_f32.to_le_bytes(), &nan, "logits at position");
}

#[test]
fn a_reference_that_the_engine_refuses_fails_every_step() {
    let place = Place::new();
    place.text(LONG, 1600);
    place.text(SHORT, 800);
    let original = lab(ORIGINAL);
    let (four, many) = (4_u32.to_le_bytes(), 1000_u32.to_le_bytes());
    place.altered("bad.gguf", &original, (HEADS, &four, &many));
    let fixed = ["fidelity", "--ctx", "64", "--text", LONG, "--text", SHORT];
    let models = ["--reference", "bad.gguf", original.to_str().unwrap()];
    let args: Vec<&str> = fixed.into_iter().chain(models).collect();
    let output = Running::start(&place, &args).finish(&place);
    assert_eq!(output.status.code(), Some(3));
    let document = place.document();
    check_failed_step(&document, "bad: the engine cannot load `bad.gguf`");
    assert_eq!(outcomes(&document), ["failed", "failed"]);
    assert_eq!(document["estimates"].as_array().unwrap().len(), 0);
}

/// Starts a build that takes a while and waits until its file is begun.
fn half_made(place: &Place) -> Running {
    let original = lab(ORIGINAL);
    let args = ["quantize", original.to_str().unwrap(), "out.gguf", "--type", "IQ3_S"];
    let running = Running::start(place, &[&args[..], &["--threads", "1"]].concat());
    until("a half-made file", || {
        place.names().iter().any(|name| name.starts_with(".out.gguf.")).then_some(())
    });
    running
}

/// Nothing of the build is left.
#[track_caller]
fn check_swept(place: &Place) {
    let left = place.names();
    let outputs = ["stderr", "stdout"].map(str::to_owned);
    assert_eq!(left, outputs.into(), "nothing half-made is left");
}

#[test]
fn a_quantizer_that_is_killed_leaves_nothing() {
    let place = Place::new();
    let running = half_made(&place);
    kill_process(running.worker(), Signal::KILL).unwrap();
    let output = running.finish(&place);
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let line = stderr.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(line.ends_with("nothing was written"), "{stderr}");
    assert!(line.contains("out.gguf: worker was killed (signal 9)"), "{stderr}");
    check_swept(&place);
}

#[test]
fn a_quantizer_whose_parent_is_interrupted_leaves_nothing() {
    for signal in [Signal::INT, Signal::KILL] {
        let place = Place::new();
        let running = half_made(&place);
        let worker = running.worker();
        kill_process(running.pid(), signal).unwrap();
        until("the worker's end", || (!runs(worker)).then_some(()));
        check_swept(&place);
    }
}

#[test]
fn a_worker_that_dies_before_anything_is_planned_ends_the_command() {
    let scene = Scene::new();
    let running = scene.start();
    let worker = running.worker();
    kill_process(worker, Signal::KILL).unwrap();
    let output = running.finish(&scene.place);
    assert_eq!(output.status.code(), Some(2));
    check_line(&output, "while reading `long.txt`, `short.txt` with `");
    check_line(&output, "worker was killed (signal 9)");
    assert_eq!(scene.place.stored("run"), 0);
}
