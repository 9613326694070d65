//! Output files that are whole or not there. Owns how they are written; knows nothing of what is in them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Writes beside the file and renames, so that it is whole or not there.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Ok(there) = path.metadata()
        && !there.is_file()
        && !there.is_dir()
    {
        if is_disk(&there) {
            let message = "it is a disk, whose contents a report would overwrite; name a file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        // Another device or a pipe is written to; a file put in its place would take it away.
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

#[cfg(unix)]
fn is_disk(there: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    there.file_type().is_block_device()
}

#[cfg(not(unix))]
fn is_disk(_: &fs::Metadata) -> bool {
    false
}
