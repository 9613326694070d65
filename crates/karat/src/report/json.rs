//! The whole document as JSON, and the schema it follows.
//! Owns neither fields nor their meaning: those are [`RunDocument`]'s.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::Format;
use crate::record::RunDocument;
use crate::visible::is_hidden;

/// Indented JSON with a final line end. What is missing is `null`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn render(&self, doc: &RunDocument, out: &mut dyn Write) -> io::Result<()> {
        let json = serde_json::to_string_pretty(doc)?;
        writeln!(out, "{}", with_escapes(&json))
    }
}

/// The same JSON with every character escaped that a terminal would act on or not show: texts of a
/// model's vocabulary may hold any. Outside strings there is none but the line ends.
fn with_escapes(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// JSON Schema (draft 2020-12) of the format, as published in `docs/schema/run.schema.json`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RunDocument).to_value()
}

#[cfg(test)]
mod tests {
    use super::with_escapes;

    #[test]
    fn escapes_change_the_spelling_and_not_the_value() {
        let value = serde_json::json!({"a\u{9b}": "x\u{7f}\u{202e}\u{e0041}\n\u{1b}[2J ą 🙂"});
        let json = serde_json::to_string_pretty(&value).unwrap();
        let escaped = with_escapes(&json);
        assert!(escaped.contains(r"\u009b") && escaped.contains(r"x\u007f\u202e\udb40\udc41\n"));
        assert!(escaped.contains("ą 🙂"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        assert!(!escaped.chars().any(|c| c != '\n' && crate::visible::is_hidden(c)));
    }
}
