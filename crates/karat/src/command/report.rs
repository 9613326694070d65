//! `karat report`: prints a stored run; never measures.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

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
    let store = Store::open_existing(&session.environment.home)?;
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
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        // A device or a pipe is written to; a file put in its place would take it away.
        return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    // What a link leads to is written, not the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(".".as_ref());
    // Asked first: the temporary file's own error would name a file nobody asked for.
    fs::metadata(folder)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A report is no secret: as any new file, less what the umask takes.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&target)?;
    Ok(())
}
