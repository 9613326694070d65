//! The verbs as a user meets them: help, what goes to which stream, runs and their reports.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use cli_lab::{ORIGINAL, Place, lab};
use karat_gguf::Gguf;
use serde_json::Value;

const TEXT: &str = "text.txt";
const ESC: char = '\u{1b}';

/// A place with a short text and a run of the original and a Q4_0 build on it.
fn measured() -> Place {
    let place = Place::new();
    place.text(TEXT, 1200);
    let q4 = place.build("Q4_0");
    let original = lab(ORIGINAL);
    let args = [original.to_str().unwrap(), &q4, "--text", TEXT, "--quiet"];
    place.fidelity(args).assert().success().stderr("");
    place
}

#[track_caller]
fn stdout(command: &mut assert_cmd::Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn stderr(command: &mut assert_cmd::Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    stderr
}

#[test]
fn every_verb_explains_itself() {
    let place = Place::new();
    let verbs = [
        "", "compare", "bench", "fidelity", "memory", "fit", "probe", "inspect", "diff",
        "quantize", "twin", "report", "runs", "demo",
    ];
    for verb in verbs {
        let args = [verb, "--help"].into_iter().filter(|arg| !arg.is_empty());
        let help = stdout(place.karat(args).env("COLUMNS", "100"));
        let name = if verb.is_empty() { "karat" } else { verb };
        insta::assert_snapshot!(format!("help_{name}"), help);
    }
}

#[test]
fn help_names_every_exit_code() {
    let help = stdout(&mut Place::new().karat(["--help"]));
    let (_, codes) = help.split_once("Exit codes:").unwrap();
    for code in [0, 2, 3] {
        assert!(codes.contains(&format!("\n  {code}  ")), "{codes}");
    }
}

#[test]
fn the_examples_of_the_help_are_taken() {
    let place = Place::new();
    for verb in ["compare", "fidelity", "probe", "inspect", "diff", "quantize", "twin", "report"] {
        let help = stdout(&mut place.karat([verb, "--help"])).replace("\\\n", " ");
        let (_, examples) = help.split_once("\nExample").unwrap();
        let examples = examples.lines().filter_map(|line| line.trim().strip_prefix("karat "));
        let mut n_examples = 0;
        for example in examples {
            n_examples += 1;
            let words = example.split_whitespace().map(|word| word.trim_matches('\''));
            // Who has these models is not asked.
            let dry_run = example.contains("ollama:").then_some("--dry-run");
            let output = place.karat(words.chain(dry_run)).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            // The files are not there; the arguments must be understood.
            let understood =
                ["cannot open `m-", "cannot read text `", "the store holds no runs", "no run `"];
            let is_understood = understood.iter().any(|part| said.contains(part));
            assert!(is_understood || output.status.success(), "{example}\n{said}");
        }
        assert!(n_examples > 0, "{verb} has an example");
    }
}

#[test]
fn a_stored_run_prints_again_in_every_form() {
    let place = measured();
    let form = |name| stdout(&mut place.karat(["report", "--format", name]));
    let document: Value = serde_json::from_str(&form("json")).unwrap();
    let id = document["run"]["id"].as_str().unwrap();
    let n_rows = document["estimates"].as_array().unwrap().len();
    assert!(n_rows > 20);
    assert_eq!(csv::Reader::from_reader(form("csv").as_bytes()).records().count(), n_rows);
    for name in ["text", "markdown"] {
        let report = form(name);
        assert!(report.contains(id) && report.contains("Q4_0"), "{report}");
    }
    assert!(form("markdown").contains("|---") || form("markdown").contains("| ---"));
    // By its id, by the beginning of it, and as the latest.
    for run in [id, &id[..id.len() - 1], "latest"] {
        assert_eq!(stdout(&mut place.karat(["report", run])), form("text"), "{run}");
    }
}

#[test]
fn json_follows_the_published_schema() {
    let place = measured();
    let schema = include_str!("../../../docs/schema/run.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let document = place.document();
    let errors: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn a_model_against_itself_moves_by_nothing() {
    let document = measured().document();
    let rows = document["estimates"].as_array().unwrap().iter();
    let own = rows.filter(|row| row["candidate"] == "lab-base-bf16#2" && row["versus"].is_null());
    let values: BTreeMap<&str, f64> =
        own.filter_map(|row| Some((row["metric"].as_str()?, row["value"].as_f64()?))).collect();
    for metric in ["kld_mean", "kld_max", "ln_ppl_ratio", "delta_p_rms"] {
        assert!(values[metric].abs() < f64::MIN_POSITIVE, "{metric} {}", values[metric]);
    }
    assert!((values["same_top_p"] - 1.0).abs() < f64::EPSILON);
}

/// Bins are counted apart from the quantile rows, from the same tokens: half of them lie on each side
/// of the median.
#[test]
fn distributions_count_the_tokens_that_the_rows_are_made_from() {
    let document = measured().document();
    let median = |candidate: &Value| {
        let rows = document["estimates"].as_array().unwrap();
        let is_it = |row: &&Value| row["metric"] == "kld_median" && row["candidate"] == *candidate;
        rows.iter().find(is_it).unwrap()["value"].as_f64().unwrap()
    };
    let distributions = document["distributions"].as_array().unwrap();
    assert_eq!(distributions.len(), 2, "two comparisons on one text");
    for spread in distributions {
        let number = |key: &str| spread[key].as_f64().unwrap();
        let counts: Vec<f64> =
            spread["counts"].as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect();
        let outside = number("zero") + number("below") + number("above");
        assert!((counts.iter().sum::<f64>() + outside - number("n")).abs() < 0.5);
        if spread["candidate"] == "lab-base-bf16#2" {
            assert_eq!(spread["zero"], spread["n"], "the original itself");
            continue;
        }
        let bin = (median(&spread["candidate"]) / number("lowest")).log10();
        let bin = (bin * number("bins_per_decade")).floor() as usize;
        let under = number("zero") + number("below") + counts[..bin].iter().sum::<f64>();
        let half = number("n") / 2.0;
        assert!(under <= half && half <= under + counts[bin] + 1.0, "{under} {half}");
    }
}

#[test]
fn a_report_in_a_file_is_the_one_on_standard_output() {
    let place = measured();
    let shown = stdout(&mut place.karat(["report", "--format", "csv"]));
    let to = |path| place.karat(["report", "--format", "csv", "--output", path]);
    assert_eq!(stderr(&mut to("run.csv")), "wrote run.csv\n");
    assert_eq!(fs::read_to_string(place.path("run.csv")).unwrap(), shown);
    place.check_refused(&mut to("no/run.csv"), "cannot write `no/run.csv`: No such file");
    place.check_refused(&mut to("."), "cannot write `.`");
    #[cfg(target_os = "linux")]
    place.check_refused(&mut to("/dev/full"), "cannot write `/dev/full`: No space left");
}

#[test]
fn the_report_for_a_browser_is_one_page_about_this_run() {
    let place = measured();
    let page = stdout(&mut place.karat(["report", "--format", "html"]));
    let id = place.document()["run"]["id"].as_str().unwrap().to_owned();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
    for part in [&id, "<section id=\"size\"", "<section id=\"spread\"", "Q4_0"] {
        assert!(page.contains(part), "`{part}` is not in\n{page}");
    }
}

#[cfg(unix)]
#[test]
fn a_report_to_a_device_or_through_a_link_leaves_both_there() {
    use std::os::unix::fs::FileTypeExt;
    let place = measured();
    let to = |path| place.karat(["report", "--format", "csv", "--quiet", "--output", path]);
    stdout(&mut to("/dev/null"));
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    fs::write(place.path("target.csv"), "").unwrap();
    std::os::unix::fs::symlink("target.csv", place.path("link.csv")).unwrap();
    stdout(&mut to("link.csv"));
    assert!(fs::symlink_metadata(place.path("link.csv")).unwrap().is_symlink());
    assert!(fs::metadata(place.path("target.csv")).unwrap().len() > 0);
}

#[test]
fn runs_lists_what_is_stored() {
    let place = Place::new();
    assert_eq!(stdout(&mut place.karat(["runs"])), "");
    assert!(stderr(&mut place.karat(["runs"])).contains("no run is stored yet"));
    assert!(!place.home().exists(), "a question makes no folder");
    let place = measured();
    let list = stdout(&mut place.karat(["runs"]));
    let id = place.document()["run"]["id"].as_str().unwrap().to_owned();
    for part in [&id, "done", "1/1", "karat fidelity --ctx 64"] {
        assert!(list.contains(part), "`{part}` is not in\n{list}");
    }
}

#[test]
fn a_dry_run_prints_the_plan_and_measures_nothing() {
    let place = Place::new();
    place.text(TEXT, 1200);
    let original = lab(ORIGINAL);
    let args = [original.to_str().unwrap(), "--text", TEXT];
    let plan = stdout(&mut place.fidelity(args.into_iter().chain(["--dry-run"])));
    for part in ["fidelity on text: ", "2 models", "expected time", "expected memory"] {
        assert!(plan.contains(part), "`{part}` is not in\n{plan}");
    }
    assert!(!plan.contains("; 0 to score"), "{plan}");
    let proxy = place.build("Q4_0");
    let of_proxy = ["fidelity", "--dry-run", "--ctx", "64", "--text", TEXT, "--reference"];
    let plan = stdout(place.karat(of_proxy).args([&proxy, &proxy]));
    assert!(plan.contains("  warning: Q4_0 is itself quantized"), "{plan}");
    assert_eq!((place.stored("run"), place.stored("window")), (0, 0));
    place.fidelity(args).assert().success();
    let plan = stdout(&mut place.fidelity(args.into_iter().chain(["--dry-run"])));
    assert!(plan.contains("; 0 to score"), "{plan}");
    assert_eq!(place.stored("run"), 1);
}

#[test]
fn compare_reports_what_fidelity_stored() {
    let place = measured();
    let original = lab(ORIGINAL);
    let original = original.to_str().unwrap();
    let fixed = ["compare", original, "Q4_0.gguf", "--reference", original, "--text", TEXT];
    let windows = place.stored("window");
    let compared = stdout(place.karat(fixed).args([
        "--ctx",
        "64",
        "--instruments",
        "fidelity",
        "--format",
        "csv",
        "--quiet",
    ]));
    assert_eq!(compared, stdout(&mut place.karat(["report", "--format", "csv"])));
    assert_eq!(place.stored("window"), windows, "nothing is measured twice");
}

#[test]
fn progress_goes_to_standard_error_and_data_to_standard_output() {
    let place = Place::new();
    place.text(TEXT, 1200);
    let original = lab(ORIGINAL);
    let mut command = place.fidelity([original.to_str().unwrap(), "--text", TEXT]);
    let output = command.args(["--format", "json"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    let n_windows = document["texts"][0]["windows"].as_u64().unwrap();
    assert!(lines[0].starts_with(&format!("text: {n_windows} windows in ")), "{said}");
    let id = document["run"]["id"].as_str().unwrap();
    let closing = format!("stored as run {id}; `karat report {id}` prints it again");
    assert_eq!(lines[1..], [closing]);
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let place = measured();
    let colored = |args: &[&str], no_color| {
        let mut command = place.karat(["report"].iter().chain(args).copied());
        if no_color {
            command.env("NO_COLOR", "1");
        }
        stdout(&mut command).contains(ESC)
    };
    assert!(!colored(&[], false), "a pipe is no terminal");
    assert!(colored(&["--color", "always"], false));
    assert!(colored(&["--color", "always"], true), "a flag is newer than the environment");
    assert!(!colored(&["--color", "never"], false));
    assert!(!colored(&["--color", "auto"], true));
    assert!(!colored(&["--color", "always", "--format", "csv"], false), "data have no colour");
    let error = place.karat(["report", "nosuch", "--color", "always"]).output().unwrap();
    assert!(error.stderr.starts_with(b"\x1b["));
}

/// A command whose reader is gone ends well and says nothing.
#[track_caller]
fn check_closed(place: &Place, args: &[&str]) {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_karat"))
        .args(args)
        .env("KARAT_HOME", place.home())
        .stdout(Stdio::from(writer))
        .output()
        .unwrap();
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]), "{args:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = measured();
    for args in [&["report"][..], &["report", "--format", "json"], &["runs"], &["--help"]] {
        check_closed(&place, args);
    }
}

#[test]
fn a_build_is_told_in_one_line() {
    let place = Place::new();
    let original = lab(ORIGINAL);
    let args = ["quantize", original.to_str().unwrap(), "out.gguf", "--type", "Q4_K_M"];
    let said = stderr(&mut place.karat(args));
    let wanted = "out.gguf: 3.56 MB, 5.60 bits per weight (30 F32, ";
    assert!(said.starts_with(wanted) && said.contains(" Q4_K, "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(stderr(place.karat(args).args(["--overwrite", "--quiet"])), "");
}

/// Type of every tensor.
fn types(path: &Path) -> BTreeMap<String, String> {
    let file = Gguf::open(path).unwrap();
    file.tensors().iter().map(|tensor| (tensor.name.clone(), tensor.ty.to_string())).collect()
}

#[test]
fn a_twin_has_the_other_build_s_types() {
    let place = Place::new();
    let like = place.build("Q4_K_M");
    let original = lab(ORIGINAL);
    let args = ["twin", "--like", &like, original.to_str().unwrap(), "twin.gguf"];
    let said = stderr(&mut place.karat(args));
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("twin.gguf: 3.56 MB, "), "{said}");
    assert_eq!(lines[1..], ["  59 of 59 tensors have the wanted type"]);
    assert_eq!(types(&place.path("twin.gguf")), types(&place.path(&like)));
    place.check_refused(&mut place.karat(args), "exists: give another name");
}

#[test]
fn builds_that_compute_otherwise_are_pointed_out() {
    let place = Place::new();
    place.text(TEXT, 1200);
    let key = "gemma4.attention.sliding_window\u{4}\0\0\0";
    let change = (key, &256_u32.to_le_bytes()[..], &32_u32.to_le_bytes()[..]);
    place.altered("other.gguf", &lab(ORIGINAL), change);
    let said = stderr(&mut place.fidelity(["other.gguf", "--text", TEXT]));
    let wanted = "warning: other and lab-base-bf16 differ in `gemma4.attention.sliding_window`";
    assert!(said.contains(wanted), "{said}");
    assert_eq!(place.document()["findings"][0]["severity"], "warning");
}
