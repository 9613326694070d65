//! The supervisor against scripted workers: every way a worker can end becomes the right value.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::fs;
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use karat::settings::RulerSpec;
use karat::worker::{Failure, FailureKind, Job, Message, Supervisor, SurveyJob, WorkerError};
use tempfile::TempDir;

const HELLO: &str = r#"echo '{"hello":{"protocol":4}}'"#;

/// A shell that reads its request and does the script that the request names as its model.
const WORKER: &str = "#!/bin/sh
read -r request
script=${request#*'\"model\":\"'}
. \"${script%%'\"'*}\"
";

/// One that never reads it.
const DEAF: &str = "#!/bin/sh
exec sleep 60
";

/// The program files. The same for all tests, and written before any starts a process: a file that
/// another process has open for writing, if only between fork and exec, cannot be started.
static PROGRAMS: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    for (name, script) in [("worker", WORKER), ("deaf", DEAF)] {
        let program = folder.path().join(name);
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
});

fn ruler() -> RulerSpec {
    RulerSpec { n_ctx: 512, n_ubatch: 512, gpu_layers: Some(0), chat: false, parse_special: false }
}

fn supervisor() -> Supervisor {
    Supervisor { program: PROGRAMS.path().join("worker"), silence: Duration::from_secs(1) }
}

/// A job that does this script.
fn job(folder: &TempDir, script: &str) -> Job {
    let model = folder.path().join("script");
    fs::write(&model, format!("{script}\n")).unwrap();
    Job::Survey(SurveyJob { model, texts: Vec::new(), ruler: ruler(), most_windows: None })
}

/// What a script ends with, and the messages that were handed on.
fn run(script: &str) -> (Result<Option<u64>, WorkerError<String>>, Vec<Message>) {
    let folder = tempfile::tempdir().unwrap();
    let mut messages = Vec::new();
    let outcome = supervisor().run(&job(&folder, script), |message| {
        messages.push(message);
        Ok(())
    });
    (outcome, messages)
}

#[track_caller]
fn failure(script: &str) -> Failure {
    match run(script).0 {
        Err(WorkerError::Failed(failure)) => failure,
        other => panic!("no failure: {other:?}"),
    }
}

#[track_caller]
fn check(script: &str, kind: &FailureKind, model: Option<usize>, said: &str) {
    let failure = failure(script);
    assert_eq!((&failure.kind, failure.model), (kind, model));
    assert_eq!(failure.kind.to_string(), said);
}

#[test]
fn a_worker_gets_its_request_and_ends_well() {
    let script = format!(
        r#"{HELLO}
        case $request in *'"protocol":4'*'"parse_special":false'*) ;; *) exit 9 ;; esac
        echo '"alive"'
        echo '{{"progress":{{"done":1,"total":2}}}}'
        echo '{{"done":{{"peak_memory_bytes":42}}}}'"#
    );
    let (outcome, messages) = run(&script);
    assert_eq!(outcome.unwrap(), Some(42));
    assert_eq!(messages, [Message::Progress { done: 1, total: 2 }]);
}

#[test]
fn death_while_a_model_loads_is_blamed_on_it() {
    let script = format!(r#"{HELLO}; echo '{{"working":{{"model":2}}}}'; kill -KILL $$"#);
    let said = "worker was killed (signal 9); out of memory is the usual reason";
    check(&script, &FailureKind::Killed { signal: 9 }, Some(2), said);
}

#[test]
fn an_abort_before_any_model_is_blamed_on_none() {
    let script = format!("{HELLO}; kill -ABRT $$");
    check(&script, &FailureKind::Killed { signal: 6 }, None, "engine aborted (signal 6)");
    let script = format!("{HELLO}; kill -SEGV $$");
    check(&script, &FailureKind::Killed { signal: 11 }, None, "worker was ended by signal 11");
}

#[test]
fn an_abort_repeats_the_assertion_that_failed() {
    let script = format!(
        r"{HELLO}
        echo 'load: 1 of 2' >&2
        echo '/build/src/a.cpp:12: GGML_ASSERT(rows / heads > 2) failed' >&2
        kill -ABRT $$"
    );
    let said = "engine aborted (signal 6): a.cpp:12: GGML_ASSERT(rows / heads > 2) failed";
    assert_eq!(failure(&script).to_string(), said);
}

#[test]
fn an_assertion_is_made_visible_and_cut() {
    let long = "x".repeat(10_000);
    let script =
        format!(r"{HELLO}; printf 'a.cpp:1: GGML_ASSERT(\033[2J{long})\n' >&2; kill -ABRT $$");
    let said = failure(&script).to_string();
    assert!(said.contains(r"GGML_ASSERT(\u{1b}[2Jxxx") && said.ends_with("xxx…"), "{said}");
    assert!(said.len() < 300, "{} bytes", said.len());
}

#[test]
fn the_model_at_work_last_is_blamed() {
    let script =
        r#"for model in 0 1 2 1; do echo "{\"working\":{\"model\":$model}}"; done; exit 7"#;
    let said = "worker ended without a result (exit code 7)";
    check(script, &FailureKind::Exited { code: Some(7) }, Some(1), said);
}

#[test]
fn a_failure_that_the_worker_reports_names_its_own_culprit() {
    let script = r#"echo '{"working":{"model":0}}'
        echo '{"failed":{"error":"no row","model":1,"bad_input":true}}'; exit 2"#;
    let kind = FailureKind::Reported { error: "no row".to_owned(), bad_input: true };
    check(script, &kind, Some(1), "no row");
}

#[test]
fn an_end_without_a_word_is_a_failure() {
    let said = "worker ended without a result (exit code 0)";
    check("exit 0", &FailureKind::Exited { code: Some(0) }, None, said);
}

#[test]
fn silence_is_a_failure_and_signs_of_life_are_none() {
    let silence = Duration::from_secs(1);
    let said = "worker hung: nothing heard for 1 s (--worker-timeout)";
    let script = r#"echo '{"working":{"model":3}}'; exec sleep 60"#;
    let begun = Instant::now();
    check(script, &FailureKind::Silent { silence }, Some(3), said);
    assert!(begun.elapsed() < Duration::from_secs(30), "nobody waits for its end");
    let script = r#"for i in $(seq 15); do sleep 0.1; echo '"alive"'; done
        echo '{"done":{"peak_memory_bytes":null}}'"#;
    assert_eq!(run(script).0.unwrap(), None);
}

#[test]
fn a_worker_that_never_reads_a_long_request_is_found_out() {
    // Longer than any pipe holds.
    let texts = vec!["text.txt".into(); 1 << 17];
    let model = "m.gguf".into();
    let job = Job::Survey(SurveyJob { model, texts, ruler: ruler(), most_windows: None });
    let deaf = Supervisor { program: PROGRAMS.path().join("deaf"), ..supervisor() };
    let outcome = deaf.run(&job, |_| Ok::<(), String>(()));
    let is_silent = |failure: &Failure| matches!(failure.kind, FailureKind::Silent { .. });
    assert!(matches!(&outcome, Err(WorkerError::Failed(f)) if is_silent(f)), "{outcome:?}");
}

#[test]
fn the_last_lines_of_log_and_standard_error_are_kept() {
    let logged = |n: u32| {
        format!(r#"for i in $(seq {n}); do echo "{{\"log\":{{\"line\":\"log $i\"}}}}"; done"#)
    };
    let said = |n: u32| format!("for i in $(seq {n}); do echo \"said $i\" >&2; done");
    let lines = |script: &str| failure(&format!("{script}; kill -ABRT $$")).log;
    let expected = |log: RangeInclusive<u32>, said: RangeInclusive<u32>| {
        let log = log.map(|i| format!("log {i}"));
        log.chain(said.map(|i| format!("said {i}"))).collect::<Vec<_>>()
    };
    // What is said first must not be lost behind a long log, nor the log behind a long tale.
    assert_eq!(lines(&[said(1), logged(20)].join(";")), expected(10..=20, 1..=1));
    assert_eq!(lines(&[logged(20), said(20)].join(";")), expected(15..=20, 15..=20));
    assert_eq!(lines(&[logged(2), said(20)].join(";")), expected(1..=2, 11..=20));
}

#[test]
fn what_is_no_message_is_kept_as_log() {
    let log = failure("echo 'printed by a library'; printf '\\377\\n'; echo; exit 1").log;
    assert_eq!(log, ["printed by a library", "\u{fffd}"]);
}

#[test]
fn a_caller_who_cannot_go_on_stops_the_worker() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"echo '{"progress":{"done":1,"total":2}}'; exec sleep 60"#;
    let supervisor = Supervisor { silence: Duration::from_mins(1), ..supervisor() };
    let begun = Instant::now();
    let outcome = supervisor.run(&job(&folder, script), |_| Err("the store is full"));
    assert!(matches!(outcome, Err(WorkerError::Caller("the store is full"))), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "the worker is not waited for");
}

#[test]
fn a_program_that_is_not_there_cannot_be_started() {
    let supervisor =
        Supervisor { program: "/nonexistent/karat".into(), silence: Duration::from_secs(1) };
    let folder = tempfile::tempdir().unwrap();
    let outcome = supervisor.run(&job(&folder, ""), |_| Ok::<(), String>(()));
    assert!(matches!(outcome, Err(WorkerError::Spawn(_))), "{outcome:?}");
}
