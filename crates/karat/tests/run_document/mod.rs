//! What a command said, and what stands in the document of its run.

use serde_json::Value;

/// Runs a command that must exit with this code; what it said on standard output and error.
#[track_caller]
pub fn check_exit(command: &mut assert_cmd::Command, code: i32) -> (String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    (stdout, stderr)
}

/// The rows of a metric.
pub fn rows<'d>(document: &'d Value, metric: &str) -> Vec<&'d Value> {
    let all = document["estimates"].as_array().unwrap().iter();
    all.filter(|row| row["metric"] == metric).collect()
}

/// Checks a number but for rounding.
#[track_caller]
pub fn check_number(got: &Value, want: f64) {
    let got = got.as_f64().unwrap();
    assert!((got / want - 1.0).abs() < 1e-9, "got {got}, want {want}");
}

/// The findings, one per line.
pub fn findings(document: &Value) -> String {
    let all = document["findings"].as_array().unwrap().iter();
    let messages: Vec<&str> = all.map(|finding| finding["message"].as_str().unwrap()).collect();
    messages.join("\n")
}
