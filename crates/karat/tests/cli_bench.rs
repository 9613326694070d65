//! `karat bench` as its users see it: tasks asked of a real model, scored, stored, told.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;
mod scripted_server;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use cli_lab::{ORIGINAL, Place, lab};
use rusqlite::Connection;
use scripted_server::{Server, Step, reply, stream};
use serde_json::Value;

const FAMILIES: [&str; 6] = [
    "code_from_spec",
    "constraint_conflict",
    "exact_arithmetic",
    "long_context_recall",
    "multilingual",
    "strict_json",
];

/// `karat bench` of the lab's original, within what it was trained for.
fn bench<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> assert_cmd::Command {
    let mut command = place.karat(["bench", "--threads", "1", "--log-tokens", "600"]);
    command.args(["--max-tokens", "200"]).arg(lab(ORIGINAL)).args(args);
    command
}

fn attempts(document: &Value) -> &Vec<Value> {
    document["attempts"].as_array().unwrap()
}

#[test]
fn the_quick_suite_is_asked_scored_stored_and_told() {
    let place = Place::new();
    let output = bench(&place, ["--repeats", "2", "--html", "page.html"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let document = place.document();
    let families: BTreeSet<&str> =
        attempts(&document).iter().map(|one| one["family"].as_str().unwrap()).collect();
    assert_eq!(families, FAMILIES.into());
    assert_eq!(attempts(&document).len(), 12, "six tasks, asked twice");
    for attempt in attempts(&document) {
        let (visible, thinking) = (&attempt["visible_tokens"], &attempt["thinking_tokens"]);
        let sum = visible.as_u64().unwrap() + thinking.as_u64().unwrap();
        assert_eq!(attempt["tokens"].as_u64(), Some(sum), "{attempt}");
        assert!(sum <= 200 && attempt["split_is_exact"] == true, "{attempt}");
        assert!(attempt["outcome"] != "error", "{attempt}");
        assert!(attempt["outcome"] == "pass" || attempt["reason"] != "", "{attempt}");
    }
    // Greedy on a processor: the second answer is the first.
    let of = |repeat: u64| -> Vec<(&Value, &Value)> {
        let some = attempts(&document).iter().filter(move |one| one["repeat"] == repeat);
        some.map(|one| (&one["instance"], &one["points"])).collect()
    };
    assert_eq!(of(0), of(1));
    let told = String::from_utf8(output.stdout).unwrap();
    for family in FAMILIES {
        assert!(told.contains(family), "{family} is not in\n{told}");
    }
    assert!(fs::read_to_string(place.path("page.html")).unwrap().ends_with("</html>\n"));
    // Again: nothing is asked or judged, the same is told.
    assert_eq!(place.stored("sample"), 24, "twelve replies and how each was judged");
    let again = bench(&place, ["--repeats", "2"]).output().unwrap();
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("everything was answered before\n"), "{said}");
    assert_eq!(place.stored("sample"), 24);
    assert_eq!(place.document()["estimates"], document["estimates"]);
}

#[test]
fn two_builds_are_compared_task_by_task() {
    let place = Place::new();
    let build = place.build("Q4_0");
    bench(&place, [build.as_str(), "--repeats", "1", "--quiet"]).assert().success();
    let document = place.document();
    let rows = document["estimates"].as_array().unwrap();
    let of = |metric: &str| rows.iter().filter(|row| row["metric"] == metric).count();
    assert!(of("pass_rate") > 0, "{rows:?}");
    let paired = rows.iter().filter(|row| row["versus"] == "lab-base-bf16");
    assert!(paired.count() > 0, "a paired comparison");
    let findings = document["findings"].to_string();
    assert!(findings.contains("what this suite can tell"), "{findings}");
}

#[test]
fn one_run_at_the_largest_budget_gives_the_smaller_ones() {
    let place = Place::new();
    let mut command =
        place.karat(["bench", "--threads", "1", "--family", "strict_json", "--quiet"]);
    command.args(["--repeats", "1", "--thinking-budget", "300,4,60"]).arg(lab(ORIGINAL));
    command.assert().success();
    let document = place.document();
    let mut at: Vec<(u64, f64)> = document["estimates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["metric"] == "pass_rate" && row["setting"]["budget"].is_string())
        .map(|row| {
            let budget = row["setting"]["budget"].as_str().unwrap().parse().unwrap();
            (budget, row["value"].as_f64().unwrap())
        })
        .collect();
    at.sort_by_key(|(budget, _)| *budget);
    assert_eq!(at.iter().map(|(budget, _)| *budget).collect::<Vec<_>>(), [4, 60, 300]);
    assert!(at.windows(2).all(|two| two[0].1 <= two[1].1), "more budget, no less: {at:?}");
    assert!(at[0].1 < f64::EPSILON, "four tokens are no JSON: {at:?}");
}

/// Asked with a budget, a build gives what cutting off its longer answer gives.
#[test]
fn a_smaller_budget_read_off_the_largest_is_what_asking_with_it_gives() {
    const METRICS: [&str; 3] = ["pass_rate", "starved_rate", "tokens"];
    let place = Place::new();
    let asked = |family: &str, limit: [&str; 2]| {
        let mut command = place.karat(["bench", "--threads", "1", "--repeats", "1", "--quiet"]);
        command.args(["--log-tokens", "600", "--family", family]).args(limit).arg(lab(ORIGINAL));
        command.assert().success();
        place.document()
    };
    for family in ["strict_json", "exact_arithmetic", "long_context_recall"] {
        let all = asked(family, ["--thinking-budget", "160,48,12"]);
        for budget in ["12", "48"] {
            let alone = asked(family, ["--max-tokens", budget]);
            for metric in METRICS {
                let read_off = figure(&all, metric, Some(budget));
                assert_eq!(read_off, figure(&alone, metric, None), "{metric} of {family}");
                assert!(read_off.is_some(), "{metric} of {family} at {budget}");
            }
        }
    }
}

/// A figure over all tasks; at a budget, or as asked.
fn figure(document: &Value, metric: &str, budget: Option<&str>) -> Option<f64> {
    let rows = document["estimates"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["metric"] == metric && row["setting"]["budget"].as_str() == budget)?;
    row["value"].as_f64()
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
const ANYTHING: &str =
    "kind = \"rules\"\nexample = \"red\"\nrules = [{ name = \"a word\", words = { min = 1 } }]";

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

#[test]
fn answers_that_are_drawn_are_asked_anew_and_have_a_ruler_of_their_own() {
    let place = Place::new();
    own_task(&place, ANYTHING);
    let bench = |sampling| {
        let mut command = place.karat(["bench", "--threads", "1", "--tasks", "tasks", "--quiet"]);
        command.args(["--sampling", sampling]).arg(lab(ORIGINAL)).assert().success();
        place.document()
    };
    bench("greedy");
    let before = place.stored("sample");
    let drawn = bench("recommended");
    assert_eq!(place.stored("sample"), 2 * before, "as many again");
    let rows = drawn["estimates"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["setting"]["sampling"] == "recommended"), "{rows:?}");
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
    store.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    let count = format!("SELECT count(*) FROM sample WHERE data LIKE '%\"{key}\"%'");
    store.query_row(&count, [], |row| row.get::<_, i64>(0)).unwrap() as u64
}

#[test]
fn a_dry_run_shows_the_tasks_and_asks_nothing() {
    let place = Place::new();
    let output = bench(&place, ["--dry-run"]).output().unwrap();
    let plan = String::from_utf8(output.stdout).unwrap();
    for family in FAMILIES {
        assert!(plan.contains(&format!("  {family}/")), "{plan}");
    }
    assert!(plan.contains("18 answers to ask"), "{plan}");
    // The lab was trained for 2048 tokens; without --log-tokens the log has about 12,000.
    let mut command = place.karat(["bench", "--threads", "1", "--dry-run"]);
    let plan = String::from_utf8(command.arg(lab(ORIGINAL)).output().unwrap().stdout).unwrap();
    assert!(plan.contains("15 answers to ask") && plan.contains("not asked, because"), "{plan}");
    assert_eq!((place.stored("run"), place.stored("sample")), (0, 0));
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let place = Place::new();
    let bench = |args: &[&str]| {
        let mut command = place.karat(["bench", "--threads", "1"]);
        command.arg(lab(ORIGINAL)).args(args);
        command
    };
    // The lab was trained for 2048 tokens; the log has about 12,000.
    let only = ["--family", "long_context_recall"];
    place.check_refused(&mut bench(&only), "has no room for long_context_recall/");
    place.check_refused(&mut bench(&["--family", "telepathy"]), "telepathy");
    place.check_refused(&mut bench(&["--tasks", "no-folder"]), "no-folder");
    place.check_refused(&mut bench(&["--thinking-budget", "0"]), "'0' for '--thinking-budget");
    let both = ["--thinking-budget", "100", "--max-tokens", "50"];
    place.check_refused(&mut bench(&both), "both limit an answer");
    let sampled = ["--thinking-budget", "100", "--sampling", "recommended"];
    place.check_refused(&mut bench(&sampled), "leave one of them out");
    place.check_refused(&mut bench(&["http://localhost:1/v1"]), "names no model");
    fs::create_dir(place.path("tasks")).unwrap();
    fs::write(place.path("tasks/mine.toml"), "name = \"mine\"\nteapot = 1\n").unwrap();
    place.check_refused(&mut bench(&["--tasks", "tasks"]), "mine.toml");
}

#[test]
fn a_server_that_is_not_there_is_a_failed_step_and_no_attempt() {
    let place = Place::new();
    let mut command = place.karat(["bench", "--family", "strict_json", "--answer-timeout", "2"]);
    // Port 9 is discard; nobody listens.
    let output = command.arg("http://127.0.0.1:9/v1#m").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("127.0.0.1:9"), "{said}");
    assert_eq!(place.stored("sample"), 0);
}
