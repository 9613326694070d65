//! `karat report`, and the forms every report can take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::margins::{TaskMarginArgs, TextMarginArgs};
use crate::record::Margins;

/// Form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Tables for a terminal.
    #[default]
    Text,
    /// Tables for a document.
    Markdown,
    /// The whole run; see docs/schema/run.schema.json.
    Json,
    /// The tidy table, one number per row.
    Csv,
    /// One file for a browser, with plots; best sent to a file.
    Html,
}

impl ReportFormat {
    /// Its name among `report::formats`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Html => "html",
        }
    }
}

/// Arguments of `karat report`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  karat report latest
  karat report latest --format html --output report.html
  karat report 20261123-1910 --format csv --output run.csv")]
pub struct ReportArgs {
    /// A run's id, the beginning of one, or `latest`; see `karat runs`.
    #[arg(value_name = "RUN", default_value = "latest")]
    pub run: String,

    /// Form of the report.
    #[arg(long, value_enum, default_value_t, help_heading = "How to report")]
    pub format: ReportFormat,

    /// Print the JSON Schema of `--format json` and nothing else.
    #[arg(long, help_heading = "How to report")]
    pub schema: bool,

    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "FILE", help_heading = "How to report")]
    pub output: Option<PathBuf>,

    /// Which losses of tasks matter, other than the run declared.
    #[command(flatten)]
    pub task_margin: TaskMarginArgs,

    /// Which losses of texts matter, other than the run declared.
    #[command(flatten)]
    pub text_margins: TextMarginArgs,
}

impl ReportArgs {
    /// The margins of the answers, `declared` ones where none was given.
    pub fn margins(&self, declared: Margins) -> Margins {
        self.text_margins.put(self.task_margin.put(declared))
    }
}
