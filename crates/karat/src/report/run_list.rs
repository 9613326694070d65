//! The list of stored runs, newest first. Owns its columns only.

use super::page::{Align, Cell, Column, Table, Tone};
use super::text::Ink;
use super::text_table;
use crate::record::{Outcome, RunHeader};

/// A stored run, as far as the list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedRun {
    /// Identity and life.
    pub header: RunHeader,
    /// Steps of its plan.
    pub n_steps: u64,
    /// Steps that are done.
    pub n_done: u64,
}

/// The list for a terminal.
pub fn run_list(runs: &[ListedRun], color: bool) -> String {
    let column =
        |title: &str| Column { title: title.to_owned(), unit: String::new(), align: Align::Left };
    let columns = ["run", "started", "state", "steps", "command"].map(column).into();
    let table = Table { columns, rows: runs.iter().map(row).collect() };
    let lines = text_table::lines(&table, Ink::new(color));
    lines.into_iter().map(|line| line + "\n").collect()
}

fn row(run: &ListedRun) -> Vec<Cell> {
    let cell = |text: String, tone| Cell { text, interval: None, tone };
    let (state, tone) = match run.header.outcome {
        Outcome::Unfinished => ("unfinished", Tone::Open),
        Outcome::Done => ("done", Tone::Good),
        Outcome::Failed => ("failed", Tone::Bad),
    };
    vec![
        cell(run.header.id.clone(), Tone::Plain),
        cell(run.header.started.clone(), Tone::Faint),
        cell(state.to_owned(), tone),
        cell(format!("{}/{}", run.n_done, run.n_steps), Tone::Plain),
        cell(shortened(&run.header.command), Tone::Faint),
    ]
}

/// The beginning of a command line; a run's report has all of it.
fn shortened(command: &str) -> String {
    const SHOWN: usize = 36;
    match command.char_indices().nth(SHOWN) {
        None => command.to_owned(),
        Some((end, _)) => format!("{} …", command[..end].trim_end()),
    }
}
