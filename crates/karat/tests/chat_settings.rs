//! Conversations under the settings that texts have: taking turns, going on, stopping when decided.
//! What holds for windows of text holds for conversations.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use std::path::Path;

use lab::BASE;
use serde_json::Value;

/// A report on the lab's conversations.
fn report(home: &Path, builds: &[&str], args: &[&str]) -> Value {
    let mut command = lab::karat(home);
    command.args(["--quiet", "fidelity", "--format", "json", "--threads", "1"]).args(args);
    command.arg("--chat").arg(lab::root().join("lab/chat-messages.jsonl"));
    command.arg("--reference").arg(&lab::builds([BASE])[0]);
    lab::json(command.args(lab::builds(builds.iter().copied())))
}

fn afresh(builds: &[&str], args: &[&str]) -> Value {
    report(tempfile::tempdir().unwrap().path(), builds, args)
}

#[test]
fn taking_turns_and_going_on_change_no_figure() {
    let builds = ["base-Q8_0", "base-Q4_0"];
    let at_once = afresh(&builds, &["--chunks", "12"]);
    let rows = at_once["estimates"].as_array().unwrap();
    assert!(rows.len() > 20 && rows.iter().all(|row| row["setting"]["text"] == "chat"));
    let in_turns = afresh(&builds, &["--chunks", "12", "--memory-budget", "120MB"]);
    assert_eq!(in_turns["estimates"], at_once["estimates"]);
    let home = tempfile::tempdir().unwrap();
    let part = report(home.path(), &builds[..1], &["--chunks", "5"]);
    assert_eq!(part["texts"][0]["windows"], 5);
    // What is said to be scored are the tokens of these five.
    let findings = part["findings"].to_string();
    assert!(findings.contains("5 of 210 conversations rendered"), "{findings}");
    assert!(findings.contains("of 5 turns by the assistant"), "{findings}");
    let rest = report(home.path(), &builds, &["--chunks", "12"]);
    assert_eq!(rest["estimates"], at_once["estimates"]);
}

#[test]
fn a_run_over_conversations_stops_when_it_knows() {
    let builds = ["base-Q8_0", "base-Q4_0"];
    let report = afresh(&builds, &["--until", "decided", "--no-noise-floor"]);
    let text = &report["texts"][0];
    let scored = text["windows"].as_u64().unwrap();
    assert!((2..105).contains(&scored), "{scored} of 210 conversations");
    let findings = report["findings"].to_string();
    assert!(findings.contains(&format!("after {scored} of 210 conversations")), "{findings}");
    let claims = report["claims"].to_string();
    let order = format!("{} is nearer", lab::short_name(builds[0]));
    assert!(claims.contains(&order), "{claims}");
}
