//! What a run with tasks looks like in the reports. The attempts are made up.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod behaviour_sample;
mod report_sample;

use behaviour_sample::{asked, attempt, failure, family, model, with_cost};
use karat::instrument::behaviour::{Asked, summarize};
use karat::record::{Claim, Estimate, Lineage, ModelRole, RunDocument, Unit};
use karat::report::{ReportOptions, formats, json};
use karat::task::{Attempt, Outcome, Reply};
use karat::verdict::{VerdictSettings, answers};
use report_sample::estimate;

const FAMILIES: [&str; 6] = [
    "code_from_spec",
    "strict_json",
    "multilingual",
    "constraint_conflict",
    "exact_arithmetic",
    "long_context_recall",
];

/// One letter per family and task, two tasks each.
fn suite(outcomes: [&str; 6], pace: f64) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for (name, letters) in FAMILIES.iter().zip(outcomes) {
        for (index, mut attempt) in family(name, letters).into_iter().enumerate() {
            if *name == "multilingual" {
                "pl".clone_into(&mut attempt.language);
            }
            let cost = match attempt.score.outcome {
                Outcome::Starved => (0, 2048),
                Outcome::Error => {
                    attempts.push(failure(name, index, "the stream broke off after 12 pieces"));
                    continue;
                }
                _ => (80 + 20 * index as u64, 300),
            };
            let mut attempt = with_cost(attempt, cost, pace * (cost.0 + cost.1) as f64);
            if cost.1 > 512 {
                attempt.at_budgets.insert(512, attempt.score.clone());
            }
            attempts.push(attempt);
        }
    }
    attempts
}

/// Original, a bigger build, a QAT file and its twin: a dozen tasks, some text, rates.
fn document() -> RunDocument {
    let models = vec![
        model("bf16", ModelRole::Reference, 24.0, &[]),
        model("Q8_0", ModelRole::Candidate, 12.7, &[]),
        model("qat-Q4_0", ModelRole::Candidate, 7.2, &[Lineage::Qat]),
        model("twin-Q4_0", ModelRole::Candidate, 7.2, &[Lineage::Twin]),
    ];
    let mut qat = suite(["pp", "pp", "pf", "hh", "ps", "pp"], 0.011);
    let says = |attempt: &mut Attempt, text: &str| {
        if let Reply::Answer(answer) = &mut attempt.reply {
            text.clone_into(&mut answer.visible);
        }
    };
    says(&mut qat[5], "Dzień dobry,\n\n\u{1b}[2Jczy *mogłby* Pan…\n");
    qat[9].answer_in_thinking = Some(true);
    let rerun = Attempt { repeat: 1, ..attempt(FAMILIES[0], 1, Outcome::Fail) };
    qat.push(rerun);
    let attempts = [
        suite(["pp", "pp", "pp", "hh", "ps", "pp"], 0.03),
        suite(["pp", "pp", "pp", "ph", "pp", "pp"], 0.019),
        qat,
        suite(["pf", "pp", "pf", "fh", "ss", "pe"], 0.012),
    ];
    let asked = Asked { budgets: vec![512, 2048], ..asked() };
    let summary = summarize(&models, &attempts, &asked);
    let mut doc = report_sample::document();
    doc.texts.truncate(1);
    doc.distributions.clear();
    doc.worst_tokens.clear();
    doc.steps.clear();
    doc.claims = vec![Claim { statement: "tg128: made up.".to_owned(), estimates: vec![0] }];
    doc.models = models;
    doc.estimates = text_rows();
    doc.estimates.extend(summary.estimates);
    doc.attempts = summary.attempts;
    doc.flips = summary.flips;
    doc.findings = summary.findings;
    doc.answers = answers(&doc.models, &doc.estimates, &VerdictSettings::at_level(0.95));
    doc
}

fn text_rows() -> Vec<Estimate> {
    let against = |row: Estimate| Estimate { reference: Some("bf16".to_owned()), ..row };
    let versus = |other: &str, row: Estimate| Estimate { versus: Some(other.to_owned()), ..row };
    let mut rows = Vec::new();
    for (build, ln_ratio, kld, same_top) in [
        ("Q8_0", 0.0009, 0.0006, 0.978),
        ("qat-Q4_0", 0.0037, 0.0065, 0.94),
        ("twin-Q4_0", 0.0176, 0.0186, 0.901),
    ] {
        rows.push(against(estimate("ln_ppl_ratio", build, "english", ln_ratio, 0.0008)));
        rows.push(against(estimate("kld_mean", build, "english", kld, kld * 0.04)));
        let top = against(estimate("same_top_p", build, "english", same_top, 0.005));
        rows.push(Estimate { unit: Unit::Fraction, ..top });
    }
    rows.push(versus("Q8_0", estimate("ln_ppl_ratio", "qat-Q4_0", "english", 0.0028, 0.0012)));
    rows.push(versus("qat-Q4_0", estimate("ln_ppl_ratio", "twin-Q4_0", "english", 0.0139, 0.0021)));
    rows
}

fn render(name: &str, doc: &RunDocument) -> String {
    let formats = formats(ReportOptions::default());
    let format = formats.iter().find(|format| format.name() == name).unwrap();
    let mut out = Vec::new();
    format.render(doc, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn behaviour_in_text() {
    insta::assert_snapshot!(render("text", &document()));
}

#[test]
fn behaviour_in_markdown() {
    insta::assert_snapshot!(render("markdown", &document()));
}

#[test]
fn the_text_report_ends_with_the_answers() {
    let report = render("text", &document());
    let (_, end) = report.split_once("The three answers\n").unwrap();
    let labels: Vec<&str> = end
        .lines()
        .filter_map(|line| line.trim_start().split_once(": "))
        .map(|(label, _)| label)
        .filter(|label| !label.contains(' '))
        .collect();
    assert_eq!(labels, ["recipe", "budget", "ceiling", "ceiling"], "{end}");
    assert!(end.lines().all(|line| line.chars().count() <= 100), "{end}");
}

#[test]
fn what_one_has_to_know_comes_first_and_warnings_before_notes() {
    let mut doc = document();
    doc.findings.reverse();
    for name in ["text", "markdown", "html"] {
        let report = render(name, &doc);
        let at = |words: &str| report.find(words).unwrap_or_else(|| panic!("{name}: no {words}"));
        let (known, figures) = (at("To know when reading this"), at("Behaviour, all tasks"));
        let (warning, note) = (at("asked again does not answer"), at("what this suite can tell"));
        assert!(known < warning && warning < note && note < figures, "{name}");
    }
}

/// The lines of a text report between this heading and the next.
fn section<'r>(report: &'r str, heading: &str) -> &'r str {
    let (_, rest) = report.split_once(&format!("\n{heading}\n")).unwrap_or_default();
    rest.split("\n\n").next().unwrap_or_default()
}

#[test]
fn starved_counts_as_not_passed_and_the_rest_stands_beside_it() {
    let doc = document();
    let pair = section(&render("text", &doc), "Build against build, on the same tasks").to_owned();
    let line = pair.lines().find(|line| line.contains("twin-Q4_0 - Q8_0")).unwrap();
    // 5 of 11 more with what starved, 3 of 9 without.
    assert!(line.contains("-45 [") && line.trim_end().ends_with("-33"), "{pair}");
    for name in ["markdown", "html"] {
        assert!(render(name, &doc).contains("neither starved"), "{name}");
    }
    for name in ["text", "html"] {
        let report = render(name, &doc);
        for column in ["starved", "thinking", "per pass", "Accuracy against thinking budget"] {
            assert!(report.contains(column), "{name}: {column}");
        }
    }
}

#[test]
fn what_was_drawn_and_what_was_not_share_no_table() {
    let mut doc = document();
    let drawn: Vec<Estimate> = doc.estimates.iter().map(drawn).collect();
    doc.estimates.extend(drawn);
    let report = render("text", &doc);
    for heading in ["Behaviour, all tasks", "Behaviour, all tasks, sampling recommended"] {
        let table = section(&report, heading);
        let of_q8 = table.lines().filter(|line| line.trim_start().starts_with("Q8_0"));
        assert_eq!(of_q8.count(), 1, "{heading}: {table}");
    }
}

/// The same row of answers that were drawn.
fn drawn(row: &Estimate) -> Estimate {
    let mut drawn = row.clone();
    drawn.setting.insert("sampling".to_owned(), "recommended".to_owned());
    drawn
}

#[test]
fn a_task_that_builds_differ_in_is_told_once_with_every_answer_once() {
    let report = render("text", &document());
    let told = section(&report, "Tasks that some builds pass and others do not");
    let of_task = told.lines().filter(|line| line.contains("- exact_arithmetic/1:"));
    assert_eq!(of_task.count(), 1, "{told}");
    assert!(told.contains("exact_arithmetic/1: passed by Q8_0; not by bf16 (starved"), "{told}");
}

#[test]
fn the_margins_of_the_answers_are_shown() {
    let doc = document();
    for name in ["text", "markdown", "html"] {
        let said = "a loss matters from 5 points of pass rate, 0.01 of ln PPL, 0.01 nats of KLD";
        assert!(render(name, &doc).contains(said), "{name}");
    }
}

#[test]
fn answers_of_models_reach_no_terminal_and_no_page_as_they_are() {
    let doc = document();
    for name in ["text", "markdown", "html"] {
        let report = render(name, &doc);
        assert!(!report.contains('\u{1b}'), "{name}");
        assert!(report.contains("Dzień dobry"), "{name}");
    }
}

#[test]
fn json_has_all_of_it_and_follows_the_schema() {
    let doc = document();
    let rendered = render("json", &doc);
    let value: serde_json::Value = serde_json::from_str(&rendered).unwrap();
    let validator = jsonschema::validator_for(&json::schema()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    assert_eq!(serde_json::from_str::<RunDocument>(&rendered).unwrap(), doc);
    assert_eq!(value["attempts"].as_array().unwrap().len(), 49);
}

#[test]
fn runs_that_were_stored_before_there_were_tasks_still_read() {
    let mut value = serde_json::to_value(document()).unwrap();
    for name in ["attempts", "flips", "answers"] {
        value.as_object_mut().unwrap().remove(name).unwrap();
    }
    let doc: RunDocument = serde_json::from_value(value).unwrap();
    assert!(doc.attempts.is_empty() && doc.flips.is_empty() && doc.answers.is_empty());
}
