//! `karat report`: prints a stored run; never measures.

use std::path::Path;

use anyhow::Context as _;

use super::whole_file::{check_writable, write_whole};
use super::{Session, document, print, render};
use crate::cli::{ReportArgs, ReportFormat};
use crate::exit::Exit;
use crate::record::RunDocument;
use crate::report::json;
use crate::store::Store;

pub(super) fn run(session: &Session, args: &ReportArgs) -> anyhow::Result<Exit> {
    if args.schema {
        let schema = serde_json::to_string_pretty(&json::schema())? + "\n";
        session.ui.data(schema.as_bytes())?;
        return Ok(Exit::Ok);
    }
    let store = Store::open_existing(&session.environment.home)?;
    let document = document::document(&store, &args.run, |declared| args.margins(declared))?;
    match &args.output {
        None => print(session, &document, args.format)?,
        Some(path) => write(session, &document, args.format, path)?,
    }
    Ok(Exit::Ok)
}

/// Refuses a file that the report could not be written to, before anything is measured.
pub(super) fn check_target(path: &Path) -> anyhow::Result<()> {
    check_writable(path).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Writes a document to a file, whole or not at all, and says so.
pub(super) fn write(
    session: &Session,
    document: &RunDocument,
    format: ReportFormat,
    path: &Path,
) -> anyhow::Result<()> {
    let bytes = render(document, format, false)?;
    write_whole(path, &bytes).with_context(|| format!("cannot write `{}`", path.display()))?;
    session.ui.note(&format!("wrote {}", path.display()));
    Ok(())
}
