//! `karat runs`: what is stored.

use anyhow::Context as _;

use super::Session;
use crate::exit::Exit;
use crate::report::{ListedRun, run_list};
use crate::store::{Store, StoreError};

pub(super) fn run(session: &Session) -> anyhow::Result<Exit> {
    let stored = match Store::open_existing(&session.environment.home) {
        Ok(store) => store.runs()?,
        Err(StoreError::NoRuns) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let runs: Vec<ListedRun> = stored
        .into_iter()
        .map(|run| ListedRun { header: run.header, n_steps: run.n_steps, n_done: run.n_done })
        .collect();
    if runs.is_empty() {
        session.ui.note("no run is stored yet; `karat demo` makes one");
        return Ok(Exit::Ok);
    }
    let list = run_list(&runs, session.ui.colors_output());
    session.ui.data(list.as_bytes()).context("cannot write to standard output")?;
    Ok(Exit::Ok)
}
