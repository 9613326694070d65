//! `karat bench` as its users see it: tasks asked of a real model, scored, stored, told.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;

use std::collections::BTreeSet;
use std::fs;

use cli_lab::{ORIGINAL, Place, lab};
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
    let output = bench(&place, [build.as_str(), "--repeats", "1"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let can_tell = said.find("what this suite can tell: 6 tasks find a difference of 57 points");
    assert!(can_tell < said.find("behaviour: ") && can_tell.is_some(), "{said}");
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
