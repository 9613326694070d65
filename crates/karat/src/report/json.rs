//! The whole document as JSON, and the schema it follows.
//! Owns neither fields nor their meaning: those are [`RunDocument`]'s.

use std::io::{self, Write};

use super::Format;
use crate::record::RunDocument;

/// Indented JSON with a final line end. What is missing is `null`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn render(&self, doc: &RunDocument, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, doc)?;
        writeln!(out)
    }
}

/// JSON Schema (draft 2020-12) of the format, as published in `docs/schema/run.schema.json`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RunDocument).to_value()
}
