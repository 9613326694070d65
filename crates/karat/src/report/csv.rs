//! The tidy table as CSV: one row per number, one line of column names.
//! Owns the columns and their order; never rounds, sorts or drops a row.

use std::io::{self, Write};

use super::Format;
use crate::record::{Estimate, RunDocument};

/// Column names in order; part of the versioned layout.
pub const COLUMNS: [&str; 13] = [
    "instrument",
    "metric",
    "candidate",
    "reference",
    "versus",
    "scope",
    "setting",
    "value",
    "lo",
    "hi",
    "level",
    "n",
    "unit",
];

/// Comma-separated values, RFC 4180 quoting, `\n` line ends. What is missing is an empty field;
/// numbers are the shortest decimals that read back as the same `f64`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn render(&self, doc: &RunDocument, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = ::csv::Writer::from_writer(out);
        writer.write_record(COLUMNS)?;
        for estimate in &doc.estimates {
            writer.write_record(record(estimate)?)?;
        }
        writer.flush()
    }
}

fn record(estimate: &Estimate) -> io::Result<[String; 13]> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let number = |value: Option<f64>| {
        value.filter(|value| value.is_finite()).map(|value| value.to_string()).unwrap_or_default()
    };
    let setting: Vec<String> = estimate.setting.iter().map(|(k, v)| format!("{k}={v}")).collect();
    Ok([
        name_of(&estimate.instrument)?,
        estimate.metric.clone(),
        estimate.candidate.clone(),
        text(&estimate.reference),
        text(&estimate.versus),
        estimate.scope.clone(),
        setting.join(";"),
        number(estimate.value),
        number(estimate.lo),
        number(estimate.hi),
        number(estimate.level),
        estimate.n.to_string(),
        name_of(&estimate.unit)?,
    ])
}

/// The name a unit variant has in JSON, so that both formats spell it the same.
fn name_of(variant: &impl serde::Serialize) -> io::Result<String> {
    let name = serde_json::to_value(variant)?;
    Ok(name.as_str().map_or_else(|| name.to_string(), str::to_owned))
}
