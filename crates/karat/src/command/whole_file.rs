//! Output files that are whole or not there. Owns how they are written; knows nothing of what is in them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Whether [`write_whole`] could write this file now: asked before work begins whose report goes there.
pub(super) fn check_writable(path: &Path) -> io::Result<()> {
    match path.metadata() {
        Ok(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(there) if !there.is_file() => refuse_disk(&there),
        _ => tempfile::tempfile_in(folder_of(path)).map(|_| ()).map_err(bare),
    }
}

/// Writes beside the file and renames, so that it is whole or not there.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Ok(there) = path.metadata()
        && !there.is_file()
        && !there.is_dir()
    {
        refuse_disk(&there)?;
        // Another device or a pipe is written to; a file put in its place would take it away.
        return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    // What a link leads to is written, not the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(&target);
    fs::metadata(folder)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A report is no secret: as any new file, less what the umask takes.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder).map_err(bare)?;
    file.as_file().write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&target)?;
    Ok(())
}

/// The error without the temporary file, which nobody asked for; the caller names the one wanted.
fn bare(error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() { error } else { error.kind().into() }
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(".".as_ref())
}

fn refuse_disk(there: &fs::Metadata) -> io::Result<()> {
    if is_disk(there) {
        let message = "it is a disk, whose contents a report would overwrite; name a file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}

#[cfg(unix)]
fn is_disk(there: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    there.file_type().is_block_device()
}

#[cfg(not(unix))]
fn is_disk(_: &fs::Metadata) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str) {
        for written in [check_writable(path.as_ref()), write_whole(path.as_ref(), b"x")] {
            let said = written.expect_err("nobody can write there").to_string();
            assert!(!said.contains("tmp") && !said.contains("path"), "{said}");
        }
    }

    #[test]
    fn an_error_does_not_name_the_temporary_file() {
        // Nobody can make a file there, whoever asks.
        check("/proc/report.html");
    }
}
