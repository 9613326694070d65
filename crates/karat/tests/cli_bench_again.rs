//! The same `karat bench` again, and with something changed: what is asked, what is judged, what is
//! told. On a task of one's own, asked of the lab model and of a scripted server.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;
mod scripted_server;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
#[cfg(target_os = "linux")]
use std::{
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use cli_lab::{ORIGINAL, Place, lab};
use rusqlite::Connection;
#[cfg(target_os = "linux")]
use rustix::process::{Pid, Signal, kill_process};
use scripted_server::{Server, Step, reply, stream};
use serde_json::Value;

fn attempts(document: &Value) -> &Vec<Value> {
    document["attempts"].as_array().unwrap()
}

/// A folder with one task whose answers are scored like this.
fn own_task(place: &Place, scorer: &str) {
    let folder = place.path("tasks");
    fs::create_dir_all(&folder).unwrap();
    let file = format!(
        "name = \"mine\"\ntitle = \"One word\"\nprobes = \"talking\"\nmax_tokens = 24\n\
         instances = 1\n[scorer]\n{scorer}\n[language.en]\nprompt = \"Name a colour.\"\n"
    );
    fs::write(folder.join("mine.toml"), file).unwrap();
}

const NEVER: &str = "kind = \"text\"\naccept = [\"no such colour\"]";
const ANYTHING: &str = "kind = \"rules\"\nexample = \"red\"\nanswer = { words = { min = 1 } }\n\
                        rules = [{ name = \"a word\", words = { min = 1 } }]";

/// Outcomes in the order asked.
fn outcomes(document: &Value) -> Vec<&str> {
    attempts(document).iter().map(|one| one["outcome"].as_str().unwrap()).collect()
}

#[test]
fn an_edited_scorer_judges_anew_and_asks_nothing() {
    let place = Place::new();
    let bench = || {
        let mut command = place.karat(["bench", "--threads", "1", "--tasks", "tasks"]);
        let output = command.arg(lab(ORIGINAL)).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        said
    };
    own_task(&place, NEVER);
    bench();
    let first = place.document();
    assert_eq!(outcomes(&first), ["fail"; 2], "asked once, and once more");
    own_task(&place, ANYTHING);
    let said = bench();
    assert!(said.contains("everything was answered before, 2 answers judged anew"), "{said}");
    let second = place.document();
    assert_eq!(outcomes(&second), ["pass"; 2]);
    let tokens = |document: &Value| attempts(document)[0]["tokens"].clone();
    assert_eq!(tokens(&first), tokens(&second));
    // The first run is told as it was judged then.
    let id = first["run"]["id"].as_str().unwrap();
    let report = place.karat(["report", id, "--format", "json"]).output().unwrap().stdout;
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["estimates"], first["estimates"]);
}

/// What was cut off is judged as far as it had come, as it is where the budget was asked for.
#[test]
fn an_answer_that_is_right_so_far_passes_at_a_budget_that_cuts_it_off() {
    let place = Place::new();
    own_task(&place, ANYTHING);
    let bench = |limit: [&str; 2]| {
        let mut command = place.karat(["bench", "--threads", "1", "--tasks", "tasks", "--quiet"]);
        command.args(limit).arg(lab(ORIGINAL)).assert().success();
        place.document()
    };
    let figure = |document: &Value, metric: &str, budget: Option<&str>| {
        let rows = document["estimates"].as_array().unwrap();
        let mut rows = rows.iter().filter(|row| row["setting"]["budget"].as_str() == budget);
        rows.find(|row| row["metric"] == metric).unwrap()["value"].as_f64()
    };
    let all = bench(["--thinking-budget", "24,2"]);
    let alone = bench(["--max-tokens", "2"]);
    for (metric, value) in [("pass_rate", 1.0), ("tokens", 2.0)] {
        assert_eq!(figure(&all, metric, Some("2")), Some(value), "{metric}");
        assert_eq!(figure(&alone, metric, None), Some(value), "{metric}");
    }
    assert!(figure(&all, "tokens", Some("24")) > Some(2.0), "it was longer than that");
}

#[test]
fn answers_that_are_drawn_are_asked_anew_and_have_a_ruler_of_their_own() {
    let place = Place::new();
    own_task(&place, ANYTHING);
    let bench = |args: &[&str]| {
        let mut command = place.karat(["bench", "--threads", "1", "--tasks", "tasks", "--quiet"]);
        command.args(args).arg(lab(ORIGINAL)).assert().success();
        place.document()
    };
    bench(&["--sampling", "greedy"]);
    let before = place.stored("sample");
    let drawn = [
        (2, ["--sampling", "recommended"].as_slice(), "recommended"),
        (3, &["--temperature", "0.7", "--top-p", "0.9"], "given"),
    ];
    for (times, args, setting) in drawn {
        let drawn = bench(args);
        assert_eq!(place.stored("sample"), times * before, "as many again");
        let rows = drawn["estimates"].as_array().unwrap();
        assert!(rows.iter().all(|row| row["setting"]["sampling"] == setting), "{rows:?}");
        let told =
            drawn["findings"].to_string().contains("is sampled as its file recommends: temp");
        assert_eq!(told, setting == "recommended", "{}", drawn["findings"]);
    }
}

#[test]
fn a_copy_and_a_task_that_nobody_can_pass_are_told_before_anything_is_asked() {
    let place = Place::new();
    own_task(&place, ANYTHING);
    fs::copy(lab(ORIGINAL), place.path("copy.gguf")).unwrap();
    let bench = || {
        let mut command = place.karat(["bench", "--threads", "1", "--tasks", "tasks", "--dry-run"]);
        command.arg(lab(ORIGINAL)).arg("copy.gguf");
        command
    };
    let output = bench().output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("lab-base-bf16 and copy are the same file by their contents"), "{told}");
    own_task(
        &place,
        "kind = \"code\"\nfunction = \"f\"\nsolution = \"def f(): return 1\"\n\
                      cases = [{ name = \"one\", args = [], returns = 2 }]",
    );
    place.check_refused(
        &mut bench(),
        "mine.toml: `scorer` of en: its own right answer does not pass: hidden case: one: returned `1` \
         instead of `2`",
    );
}

#[test]
fn margins_are_declared_with_the_run_and_kept() {
    let place = Place::new();
    own_task(&place, ANYTHING);
    let mut command = place.karat(["bench", "--threads", "1", "--tasks", "tasks", "--quiet"]);
    command.args(["--margin-tasks", "2.5"]).arg(lab(ORIGINAL)).assert().success();
    let rate = |document: &Value| document["margins"]["pass_rate"].as_f64();
    let declared = place.document();
    assert_eq!(rate(&declared), Some(0.025));
    let given = "given to this report, after the data were seen";
    assert!(!declared["findings"].to_string().contains(given));
    let report = ["report", "--format", "json", "--margin-tasks", "10", "--margin-ppl", "0.02"];
    let report = place.karat(report).output().unwrap().stdout;
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!((rate(&report), report["margins"]["ln_ppl"].as_f64()), (Some(0.1), Some(0.02)));
    assert!(report["findings"].to_string().contains(given), "{}", report["findings"]);
    let refused = |margin| {
        let mut command = place.karat(["bench", "--threads", "1"]);
        command.arg(lab(ORIGINAL)).args(["--margin-tasks", margin]);
        command
    };
    place.check_refused(&mut refused("0"), "give points between 0 and 100");
    place.check_refused(&mut refused("NaN"), "give points between 0 and 100");
}

const ANSWER: [&str; 4] = [
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"red\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}\n\n",
    "data: [DONE]\n\n",
];

/// A server that plays `script` for each chat, counted from 0, the warm-up included.
fn chat_server(mut script: impl FnMut(usize) -> Vec<Step> + Send + 'static) -> Server {
    let mut n_chats = 0;
    Server::start(move |request| match request.path.as_str() {
        "/v1/models" => reply(200, "{\"data\":[{\"id\":\"m\"}]}"),
        "/v1/chat/completions" => {
            n_chats += 1;
            script(n_chats - 1)
        }
        _ => reply(404, "{}"),
    })
}

fn ask_server(place: &Place, server: &Server, args: &[&str]) -> Value {
    let mut command = place.karat(["bench", "--tasks", "tasks", "--repeats", "3", "--quiet"]);
    command.args(args).arg(format!("{}/v1#m", server.base)).assert().success();
    place.document()
}

#[test]
fn a_question_without_an_answer_is_asked_again_by_the_same_command() {
    let place = Place::new();
    own_task(&place, ANYTHING);
    let n_chats = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&n_chats);
    // The first is the warm-up.
    let server = chat_server(move |chat| {
        counter.fetch_add(1, Ordering::SeqCst);
        if chat == 2 { reply(500, "{\"error\":\"out of paper\"}") } else { stream(ANSWER) }
    });
    let first = ask_server(&place, &server, &[]);
    assert_eq!(outcomes(&first), ["pass", "error", "pass"]);
    assert_eq!(n_chats.swap(0, Ordering::SeqCst), 4);
    let second = ask_server(&place, &server, &[]);
    assert_eq!(outcomes(&second), ["pass"; 3]);
    assert_eq!(n_chats.swap(0, Ordering::SeqCst), 2, "the warm-up, and what had failed");
    assert_eq!(place.stored("sample"), 8, "the failure is kept beside the answers");
    // What is complete is another series' the next time.
    ask_server(&place, &server, &[]);
    assert_eq!(n_chats.swap(0, Ordering::SeqCst), 4);
}

#[test]
fn fresh_asks_a_server_everything() {
    let place = Place::new();
    own_task(&place, ANYTHING);
    let n_chats = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&n_chats);
    let server = chat_server(move |chat| {
        counter.fetch_add(1, Ordering::SeqCst);
        if chat == 2 { reply(500, "{\"error\":\"out of paper\"}") } else { stream(ANSWER) }
    });
    ask_server(&place, &server, &[]);
    n_chats.store(0, Ordering::SeqCst);
    ask_server(&place, &server, &["--fresh"]);
    assert_eq!(n_chats.load(Ordering::SeqCst), 4);
}

#[test]
fn nothing_is_judged_while_answers_are_timed() {
    let place = Place::new();
    own_task(&place, ANYTHING);
    let (kept, most) = (place.home().join("karat.db"), Arc::new(AtomicU64::new(0)));
    let seen = Arc::clone(&most);
    let n_replies = Arc::new(AtomicU64::new(0));
    let stored = Arc::clone(&n_replies);
    let server = chat_server(move |_| {
        seen.fetch_max(samples_with(&kept, "checks"), Ordering::SeqCst);
        stored.fetch_max(samples_with(&kept, "deltas"), Ordering::SeqCst);
        stream(ANSWER)
    });
    ask_server(&place, &server, &[]);
    assert_eq!(n_replies.load(Ordering::SeqCst), 2, "replies are stored as they come");
    assert_eq!(most.load(Ordering::SeqCst), 0, "scores are not there before the last answer");
    assert_eq!(samples_with(&place.home().join("karat.db"), "checks"), 3);
}

/// Stored samples that have this key.
fn samples_with(store: &Path, key: &str) -> u64 {
    let store = Connection::open(store).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    let count = format!("SELECT count(*) FROM sample WHERE data LIKE '%\"{key}\"%'");
    store.query_row(&count, [], |row| row.get::<_, i64>(0)).unwrap() as u64
}

/// Two files that differ in their templates and in their types, and no more in what they were trained to.
#[test]
fn builds_with_other_templates_and_types_change_two_things_at_once() {
    let place = Place::new();
    own_task(&place, ANYTHING);
    let q8 = place.build("Q8_0");
    let template = ("tokenizer.chat_template", b"own text".as_slice(), b"our text".as_slice());
    place.altered("altered.gguf", &lab(ORIGINAL), template);
    let mut command = place.karat(["bench", "--threads", "1", "--tasks", "tasks", "altered.gguf"]);
    let output = command.arg(&q8).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap().replace("\n          ", " ");
    let known = told.find("To know when reading this").unwrap();
    let figures = told.find("Behaviour, all tasks").unwrap();
    for warning in [
        "altered and Q8_0 have different chat templates",
        "changed at once: Q8_0 differs from altered in tensor types and chat template",
    ] {
        let at = told.find(warning).unwrap_or_else(|| panic!("`{warning}` is not in\n{told}"));
        assert!(known < at && at < figures, "{told}");
    }
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("have different chat templates"),
        "told before anything is asked: {said}"
    );
}

/// A bench of many answers of the lab model in the background, of which some are stored.
#[cfg(target_os = "linux")]
fn under_way(place: &Place) -> Child {
    let bench = Command::new(env!("CARGO_BIN_EXE_karat"))
        .args(["bench", "--threads", "1", "--tasks", "tasks", "--repeats", "40", "--quiet"])
        .arg(lab(ORIGINAL))
        .current_dir(place.path(""))
        .env("KARAT_HOME", place.home())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    until("three replies", || (place.stored("sample") >= 3).then_some(()));
    bench.unwrap()
}

/// What `find` gives, as soon as it gives something.
#[cfg(target_os = "linux")]
#[track_caller]
fn until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_mins(2) {
        if let Some(found) = find() {
            return found;
        }
        thread::sleep(Duration::from_millis(2));
    }
    panic!("{what} did not come");
}

/// The same command to its end.
#[cfg(target_os = "linux")]
fn to_the_end(place: &Place) -> Value {
    let mut command = place.karat(["bench", "--threads", "1", "--tasks", "tasks", "--quiet"]);
    command.args(["--repeats", "40"]).arg(lab(ORIGINAL)).assert().success();
    place.document()
}

#[cfg(target_os = "linux")]
#[test]
fn a_question_at_which_the_worker_was_killed_is_asked_again() {
    let place = Place::new();
    own_task(&place, ANYTHING);
    let mut bench = under_way(&place);
    let pid = Pid::from_child(&bench);
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let worker = children.split_whitespace().next().and_then(|pid| pid.parse().ok());
    kill_process(worker.and_then(Pid::from_raw).unwrap(), Signal::KILL).unwrap();
    assert_eq!(bench.wait().unwrap().code(), Some(3));
    let errors = |document: &Value| {
        let outcomes = outcomes(document);
        assert_eq!(outcomes.len(), 40);
        outcomes.iter().filter(|outcome| **outcome == "error").count()
    };
    let first = place.document();
    assert_eq!(errors(&first), 1, "the others were asked all the same");
    assert!(first["findings"].to_string().contains("killed"), "{}", first["findings"]);
    assert!(first["steps"].to_string().contains("killed"), "{}", first["steps"]);
    assert_eq!(errors(&to_the_end(&place)), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn replies_of_a_run_that_was_killed_are_kept_and_judged_by_the_next() {
    let place = Place::new();
    own_task(&place, ANYTHING);
    let mut bench = under_way(&place);
    bench.kill().unwrap();
    bench.wait().unwrap();
    let stopped = place.document();
    assert!(attempts(&stopped).is_empty(), "a report does not judge");
    let findings = stopped["findings"].to_string();
    assert!(findings.contains("not judged yet and left out"), "{findings}");
    let kept = place.stored("sample");
    assert_eq!(outcomes(&to_the_end(&place)), ["pass"; 40]);
    assert_eq!(place.stored("sample"), 80, "{kept} of 40 replies were there, none is asked twice");
}
