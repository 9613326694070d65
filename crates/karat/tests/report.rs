//! What the reports look like, and that they say what the document says.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod report_sample;

use karat::record::{Estimate, ModelRole, RunDocument};
use karat::report::{ReportOptions, csv, formats, json};
use report_sample::{document, estimate};

#[track_caller]
fn render_with(name: &str, doc: &RunDocument, options: ReportOptions) -> String {
    let formats = formats(options);
    let format = formats.iter().find(|format| format.name() == name).unwrap();
    let mut out = Vec::new();
    format.render(doc, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn render(name: &str, doc: &RunDocument) -> String {
    render_with(name, doc, ReportOptions::default())
}

/// The part of a text report from a heading to the next empty line but one.
#[track_caller]
fn section(report: &str, heading: &str) -> String {
    let lines = report.lines().skip_while(|line| *line != heading);
    let section: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    assert!(!section.is_empty(), "no `{heading}` in\n{report}");
    section.join("\n")
}

fn rename(doc: &mut RunDocument, from: &str, to: &str) {
    let fix = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    doc.models.iter_mut().for_each(|model| fix(&mut model.name));
    for row in &mut doc.estimates {
        fix(&mut row.candidate);
        row.reference.as_mut().map(fix);
        row.versus.as_mut().map(fix);
    }
}

#[test]
fn text_without_colour() {
    insta::assert_snapshot!(render("text", &document()));
}

#[test]
fn text_with_colour() {
    let colored = render_with("text", &document(), ReportOptions { color: true });
    insta::assert_snapshot!(colored.replace('\u{1b}', "ESC"));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(render("markdown", &document()));
}

#[test]
fn tidy_table() {
    insta::assert_snapshot!(render("csv", &document()));
}

#[test]
fn only_text_is_coloured() {
    for name in ["markdown", "json", "csv"] {
        let colored = render_with(name, &document(), ReportOptions { color: true });
        assert_eq!(colored, render(name, &document()), "{name}");
        assert!(!colored.contains('\u{1b}'), "{name}");
    }
}

#[test]
fn colour_changes_nothing_else() {
    let colored = render_with("text", &document(), ReportOptions { color: true });
    let mut plain = String::new();
    for (i, part) in colored.split('\u{1b}').enumerate() {
        plain.push_str(if i == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(plain, render("text", &document()));
}

/// The committed schema is made by `report::json::schema()`.
#[test]
fn the_published_schema_is_the_one_of_this_build() {
    let published = include_str!("../../../docs/schema/run.schema.json");
    let current = serde_json::to_string_pretty(&json::schema()).unwrap() + "\n";
    assert!(
        published == current,
        "docs/schema/run.schema.json is out of date: `karat report --schema` prints the new one"
    );
}

#[test]
fn json_follows_the_schema_and_reads_back_as_the_same_run() {
    let rendered = render("json", &document());
    let validator = jsonschema::validator_for(&json::schema()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&rendered).unwrap();
    let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    assert_eq!(serde_json::from_str::<RunDocument>(&rendered).unwrap(), document());

    let mut wrong = value;
    wrong["estimates"][0]["unit"] = "furlongs".into();
    assert!(!validator.is_valid(&wrong), "the schema names the units");
}

#[test]
fn csv_rows_read_back_to_the_last_bit() {
    let mut doc = document();
    doc.estimates[0].value = Some(0.1 + 0.2);
    doc.estimates[1].value = Some(f64::MIN_POSITIVE);
    let rendered = render("csv", &doc);
    let mut reader = ::csv::Reader::from_reader(rendered.as_bytes());
    assert_eq!(reader.headers().unwrap(), &csv::COLUMNS[..]);
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), doc.estimates.len());
    for (record, row) in records.iter().zip(&doc.estimates) {
        let number = |column: usize| record[column].parse::<f64>().ok();
        assert_eq!([number(7), number(8), number(9)], [row.value, row.lo, row.hi]);
        assert_eq!(record[6], *"n_ctx=512");
    }
}

#[test]
fn csv_leaves_what_is_missing_empty_and_quotes_what_needs_it() {
    let mut doc = document();
    let mut row = estimate("ppl", "a, \"b\"", "english", f64::NAN, 0.0);
    row.setting.insert("kv_type".to_owned(), "f16".to_owned());
    doc.estimates = vec![Estimate { level: None, ..row }];
    let expected = "fidelity,ppl,\"a, \"\"b\"\"\",,,english,kv_type=f16;n_ctx=512,,,,,60,nats";
    assert_eq!(render("csv", &doc).lines().nth(1), Some(expected));
}

#[test]
fn a_proxy_reference_is_labelled_over_every_table_that_uses_it() {
    let mut doc = document();
    doc.models[0].proxy_reference = true;
    for name in ["text", "markdown"] {
        let report = render(name, &doc);
        let headings = report
            .lines()
            .filter(|line| line.contains("against base-bf16") || line.contains("from base-bf16"));
        let headings: Vec<&str> = headings.filter(|line| !line.contains("Five")).collect();
        assert_eq!(headings.len(), 5, "{headings:?}");
        assert!(headings.iter().all(|line| line.contains("PROXY reference")), "{headings:?}");
        assert!(report.contains("D(R0‖X) PROXY"));
        assert!(!report.contains("against qat-bf16 (PROXY"));
    }
}

#[test]
fn rulers_do_not_share_a_table() {
    let mut doc = document();
    let mut longer = doc.estimates.clone();
    for row in &mut longer {
        row.setting.insert("n_ctx".to_owned(), "2048".to_owned());
        row.value = row.value.map(|value| value * 0.5);
    }
    let one = render("text", &doc);
    doc.estimates.extend(longer);
    let two = render("text", &doc);
    for heading in ["english, against base-bf16", "All texts, against qat-bf16"] {
        let count = |report: &str| report.lines().filter(|line| *line == heading).count();
        assert_eq!((count(&one), count(&two)), (1, 2));
        assert_eq!(section(&two, heading), section(&one, heading), "the first one is as it was");
    }
    assert!(two.contains("n_ctx 2048"));
}

#[test]
fn missing_values_are_dashes_everywhere() {
    let mut doc = document();
    for row in &mut doc.estimates {
        (row.value, row.lo, row.hi, row.level) = (Some(f64::NAN), Some(f64::NAN), None, None);
    }
    for name in ["text", "markdown", "csv", "json"] {
        let report = render(name, &doc);
        let mut words = report.split(|c: char| !c.is_alphanumeric() && c != '_');
        assert!(
            !words.any(|word| ["nan", "inf"].contains(&word.to_lowercase().as_str())),
            "{report}"
        );
    }
    let table = section(&render("text", &doc), "english, against base-bf16");
    let row = table.lines().last().unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(row, ["qat-Q4_0", "—", "—", "—", "—"]);
}

#[test]
fn a_model_against_its_copy_is_at_distance_zero() {
    let mut doc = document();
    for row in &mut doc.estimates {
        if row.candidate == "base-Q8_0" && row.reference.is_some() {
            (row.value, row.lo, row.hi) = (Some(0.0), Some(0.0), Some(0.0));
        }
    }
    let report = render("text", &doc);
    let table = section(&report, "english, against base-bf16");
    let row = table.lines().find(|line| line.contains("base-Q8_0")).unwrap();
    let words: Vec<&str> = row.split_whitespace().skip(2).collect();
    assert_eq!(words, ["0", "[0,", "0]", "0", "[0,", "0]", "0", "[0,", "0]"]);
}

#[track_caller]
fn check_word(lo: f64, hi: f64, word: &str) {
    let mut doc = document();
    let row =
        estimate("kld_mean_diff", "base-Q4_0", "english", f64::midpoint(lo, hi), (hi - lo) / 2.0);
    doc.estimates = vec![Estimate {
        reference: Some("base-bf16".to_owned()),
        versus: Some("qat-Q4_0".to_owned()),
        ..row
    }];
    let heading = "Candidate against candidate, by distance from base-bf16";
    let table = section(&render("text", &doc), heading);
    let row = table.lines().last().unwrap();
    let words = ["lower", "higher", "cannot tell", "same"];
    let found: Vec<&str> = words.into_iter().filter(|word| row.contains(word)).collect();
    assert_eq!(found, [word], "{row}");
}

#[test]
fn a_difference_is_called_by_its_interval() {
    check_word(-0.002, -0.001, "lower");
    check_word(0.001, 0.002, "higher");
    check_word(-0.001, 0.002, "cannot tell");
    check_word(0.0, 0.002, "cannot tell");
    check_word(0.0, 0.0, "same");
}

#[test]
fn one_reference_has_no_five_distances_and_one_text_no_overview() {
    let mut doc = document();
    assert!(render("text", &doc).contains("Five distances"));
    doc.models.retain(|model| model.name != "qat-bf16");
    doc.estimates.retain(|row| {
        row.candidate != "qat-bf16"
            && row.reference.as_deref() != Some("qat-bf16")
            && row.scope == "english"
    });
    let report = render("text", &doc);
    assert!(!report.contains("Five distances"), "{report}");
    assert!(!report.contains("All texts"), "{report}");
    assert!(report.contains("english, against base-bf16"), "{report}");
}

#[test]
fn no_line_of_text_is_wider_than_a_hundred_columns() {
    let mut doc = document();
    for (i, length) in [9, 24, 48, 72].into_iter().enumerate() {
        let from = doc.models[i].name.clone();
        rename(&mut doc, &from, &format!("{}{i}", "n".repeat(length)));
    }
    let report = render("text", &doc);
    let wide: Vec<&str> = report.lines().filter(|line| line.chars().count() > 100).collect();
    let is_bare_pair = |line: &&str| line.contains(" - ") && line.split_whitespace().count() == 3;
    let wide: Vec<&&str> = wide.iter().filter(|line| !is_bare_pair(line)).collect();
    assert_eq!(wide, Vec::<&&str>::new());
    assert!(report.contains(&"n".repeat(72)), "names are never cut");
}

#[test]
fn names_cannot_break_out_of_a_markdown_table() {
    let mut doc = document();
    rename(&mut doc, "base-Q8_0", "a|b`c<script>\nd");
    let report = render("markdown", &doc);
    let rows = report.lines().filter(|line| line.starts_with("| a"));
    assert!(rows.clone().count() > 4);
    for row in rows {
        assert!(row.starts_with(r"| a\|b\`c\<script> d "), "{row}");
    }
}

#[test]
fn control_characters_of_names_and_logs_do_not_reach_the_terminal() {
    let mut doc = document();
    rename(&mut doc, "base-Q8_0", "a\u{1b}[2Jb\nc");
    doc.run.command = "karat \u{7}fidelity".to_owned();
    doc.findings[0].message = "clears\u{1b}[2J".to_owned();
    doc.steps[2].engine_log[0] = "\rover it".to_owned();
    for name in ["text", "markdown"] {
        let report = render(name, &doc);
        let controls = report.chars().filter(|c| c.is_control() && *c != '\n').count();
        assert_eq!(controls, 0, "{report}");
        assert!(!report.contains("b\nc"), "{report}");
    }
}

#[test]
fn no_token_of_a_model_reaches_the_terminal_as_it_is() {
    for name in ["text", "markdown", "json", "csv"] {
        let report = render(name, &document());
        assert!(!report.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{report}");
    }
    let text = render("text", &document());
    assert!(text.contains(r"\u{9b}5A|*"), "{text}");
    assert!(text.contains(r"\n\n"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&render("json", &document())).unwrap();
    assert_eq!(json["worst_tokens"][1]["context"], "one\ntwo \u{1b}[2J\u{202e}three");
    assert!(json["worst_tokens"][1]["kld"].is_null());
}

/// The paired captions of a report where these texts stopped early.
#[track_caller]
fn check_together(stopped: &[&str], said: &str) {
    let mut doc = document();
    for text in &mut doc.texts {
        text.stopped_early = stopped.contains(&text.name.as_str());
    }
    let pairs = "Candidate against candidate, by distance from base-bf16";
    let nearest = "Nearest to base-bf16 first, by mean KLD";
    for (name, heading) in [("text", pairs), ("html", pairs), ("html", nearest)] {
        let report = render(name, &doc).split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, after) = report.split_once(heading).unwrap();
        let caption: String = after.chars().take(4_000).collect();
        assert!(caption.contains(said), "no `{said}` in {name} below {heading}: {caption}");
    }
    let report = render("text", &doc);
    let english = report.split("english, against base-bf16").nth(1).unwrap();
    let english = english.split("against base-bf16").next().unwrap();
    let means = "the intervals of the KLD means hold together";
    let words = english.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words.contains(means), stopped.contains(&"english"), "{english}");
}

#[test]
fn intervals_are_said_to_hold_together_where_a_text_was_stopped_early() {
    check_together(&[], "each interval stands by itself, whatever the number of pairs");
    check_together(
        &["english"],
        "where a text was read in part, the intervals of all its pairs hold",
    );
    check_together(&["english", "polish"], "the intervals of all pairs of a text hold together");
}

#[test]
fn conversations_are_not_called_windows() {
    let mut doc = document();
    for row in &mut doc.estimates {
        row.setting.insert("text".to_owned(), "chat".to_owned());
    }
    let report = render("text", &doc);
    assert!(report.contains("60 conversations ·"), "{report}");
    assert!(!report.contains("60 windows"), "{report}");
}

#[test]
fn a_run_without_any_result_is_still_a_report() {
    let mut doc = document();
    doc.estimates.clear();
    doc.claims.clear();
    doc.worst_tokens.clear();
    for name in ["text", "markdown"] {
        let report = render(name, &doc);
        assert!(report.contains("base-Q4_0"), "{report}");
        assert!(report.contains("signal 6"), "{report}");
    }
    doc.models.retain(|model| model.role == ModelRole::Reference);
    doc.steps.clear();
    assert!(render("text", &doc).starts_with("karat run 20261123-192005-a3f: 0 candidates"));
}
