//! `karat report`: prints a stored run; never measures.

use std::io::Write;

use anyhow::Context as _;

use super::{Session, document, print, render};
use crate::cli::ReportArgs;
use crate::exit::Exit;
use crate::report::json;
use crate::store::Store;

pub(super) fn run(session: &Session, args: &ReportArgs) -> anyhow::Result<Exit> {
    if args.schema {
        let schema = serde_json::to_string_pretty(&json::schema())? + "\n";
        session.ui.data(schema.as_bytes())?;
        return Ok(Exit::Ok);
    }
    let store = Store::open(&session.environment.home)?;
    let document = document::document(&store, &args.run)?;
    match &args.output {
        None => print(session, &document, args.format)?,
        Some(path) => {
            let bytes = render(&document, args.format, false)?;
            write_whole(path, &bytes)
                .with_context(|| format!("cannot write `{}`", path.display()))?;
            session.ui.note(&format!("wrote {}", path.display()));
        }
    }
    Ok(Exit::Ok)
}

/// Writes beside the file and renames, so that it is whole or not there.
fn write_whole(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(".".as_ref()))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
