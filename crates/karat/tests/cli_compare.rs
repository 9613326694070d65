//! `karat compare` and `karat demo`: several instruments in one run, told once.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;

use std::collections::BTreeSet;
use std::fs;

use cli_lab::{ORIGINAL, Place, lab};
use serde_json::Value;

/// A place with two builds, and `karat compare` of them on one short text and one thread.
fn compare<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> assert_cmd::Command {
    let args: Vec<&str> = args.into_iter().collect();
    place.text("text.txt", 3000);
    let builds = ["Q8_0.gguf", "Q4_0.gguf"];
    for build in builds {
        if !place.path(build).exists() {
            place.build(build.trim_end_matches(".gguf"));
        }
    }
    let mut command = place.karat(["compare", "--threads", "1", "--chunks", "3"]);
    command.args(["--log-tokens", "300", "--max-tokens", "32", "--repeats", "1"]);
    if !args.contains(&"--ctx") {
        command.args(["--ctx", "64"]);
    }
    command.args(builds).args(["--text", "text.txt", "--reference"]).arg(lab(ORIGINAL)).args(args);
    command
}

fn instruments(document: &Value) -> BTreeSet<String> {
    let rows = document["estimates"].as_array().unwrap().iter();
    rows.map(|row| row["instrument"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_instrument_takes_part_in_one_run() {
    let place = Place::new();
    let output = compare(&place, ["--html", "page.html"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.stored("run"), 1);
    let document = place.document();
    let measured = instruments(&document);
    assert_eq!(measured, ["behaviour", "fidelity", "memory", "speed"].map(str::to_owned).into());
    let answers = document["answers"].as_array().unwrap();
    for question in ["recipe", "budget", "ceiling"] {
        assert!(answers.iter().any(|answer| answer["question"] == question), "{answers:?}");
    }
    let names: Vec<&str> = document["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["lab-base-bf16", "Q8_0", "Q4_0"], "each model once, whoever measured it");
    for metric in ["KLD", "pp512", "tg128", "KV cache"] {
        assert!(told.contains(metric), "{metric} is not in\n{told}");
    }
    let page = fs::read_to_string(place.path("page.html")).unwrap();
    for section in ["id=\"size\"", "id=\"speed\"", "id=\"memory\""] {
        assert!(page.contains(section), "{section} is not in the page");
    }
    // The rows of one instrument alone are those of the whole.
    compare(&place, ["--instruments", "fidelity", "--quiet"]).assert().success();
    let alone = place.document();
    let fidelity = |document: &Value| -> Vec<Value> {
        let rows = document["estimates"].as_array().unwrap().iter();
        rows.filter(|row| row["instrument"] == "fidelity").cloned().collect()
    };
    assert_eq!(fidelity(&alone), fidelity(&document));
    assert_eq!(instruments(&alone), ["fidelity".to_owned()].into());
}

#[test]
fn a_dry_run_plans_what_is_asked_for_and_stores_nothing() {
    let place = Place::new();
    let plan = |args: &[&str]| {
        let output = compare(&place, args.iter().copied()).arg("--dry-run").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let all = plan(&[]);
    for word in ["windows", "to measure", "blocks", "answers to ask"] {
        assert!(all.contains(word), "`{word}` is not in\n{all}");
    }
    let memory = plan(&["--instruments", "memory"]);
    assert!(!memory.contains("windows") && memory.contains("to measure"), "{memory}");
    assert_eq!((place.stored("run"), place.stored("sample"), place.stored("window")), (0, 0, 0));
}

#[test]
fn a_page_that_could_not_be_written_is_told_before_anything_is_measured() {
    let place = Place::new();
    let compare = |path| compare(&place, ["--html", path]);
    place.check_refused(&mut compare("no/page.html"), "cannot write `no/page.html`: No such file");
    place.check_refused(&mut compare("."), "cannot write `.`");
    let mut demo = place.karat(["demo", "--html", "no/page.html", "--lab"]);
    demo.arg(lab("."));
    place.check_refused(&mut demo, "cannot write `no/page.html`: No such file");
    assert!(!place.home().join("demo").exists(), "no builds are made");
}

#[test]
fn a_window_longer_than_the_text_names_the_other_contexts() {
    let place = Place::new();
    let mut command = compare(&place, ["--vram", "8GiB", "--ctx", "32k"]);
    place.check_refused(&mut command, "of memory it is --ctx-memory");
}

#[test]
fn an_instrument_that_does_not_exist_is_refused() {
    let place = Place::new();
    let mut command = compare(&place, ["--instruments", "telepathy"]);
    place.check_refused(&mut command, "'telepathy' for '--instruments <NAME,...>'");
}

/// The demo on two windows a text: five builds made, judged with every instrument, written as a page.
#[test]
fn the_demo_ends_with_a_report_and_a_page() {
    let place = Place::new();
    let mut demo = place.karat(["demo", "--chunks", "2", "--threads", "1", "--lab"]);
    let output = demo.arg(lab(".")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    for part in ["lab-qat-Q4_0", "D(R0‖", "pp256", "tg64"] {
        assert!(told.contains(part), "`{part}` is not in\n{told}");
    }
    assert!(fs::read_to_string(place.path("karat-report.html")).unwrap().ends_with("</html>\n"));
    let measured = instruments(&place.document());
    assert_eq!(measured, ["behaviour", "fidelity", "memory", "speed"].map(str::to_owned).into());
    let last = told.lines().rev().take(30).collect::<Vec<_>>().join("\n");
    for question in ["recipe:", "budget:", "ceiling:"] {
        assert!(last.contains(question), "{question} is not at the end of\n{told}");
    }
}
