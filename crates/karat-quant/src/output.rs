//! The output of a job: written under a temporary name in its own folder, synced, renamed. Nothing
//! is left behind where the job fails. It never looks into the engine.

use std::fs::{File, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::error::QuantError;

/// An output that may be written.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    folder: PathBuf,
    overwrite: bool,
}

impl Output {
    /// Checks the name: not one of `inputs`, no folder, device or pipe, and free unless `overwrite`.
    pub(crate) fn new(path: &Path, overwrite: bool, inputs: &[&Path]) -> Result<Self, QuantError> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let folder = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        // A rename would put the build in the place of a device or a pipe.
        let is_free = path.symlink_metadata().is_err();
        let is_file = path.metadata().is_ok_and(|data| data.is_file());
        let is_special = !is_free && !is_file;
        if path.file_name().is_none() || is_special {
            return Err(QuantError::OutputName { path: path.to_owned() });
        }
        for input in inputs {
            if is_same_file(path, input) {
                let (path, input) = (path.to_owned(), input.to_path_buf());
                return Err(QuantError::OutputIsInput { path, input });
            }
        }
        // A link to nowhere is there, too.
        if !overwrite && path.symlink_metadata().is_ok() {
            return Err(QuantError::OutputExists { path: path.to_owned() });
        }
        let found = std::fs::metadata(folder).and_then(|data| {
            if data.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
        });
        found.map_err(|cause| QuantError::OutputFolder { folder: folder.to_owned(), cause })?;
        Ok(Self { path: path.to_owned(), folder: folder.to_owned(), overwrite })
    }

    /// Checks that the folder's file system has room for `need_bytes` more.
    pub(crate) fn check_room(&self, need_bytes: u64) -> Result<(), QuantError> {
        let folder = || self.folder.clone();
        let disk = rustix::fs::statvfs(&self.folder)
            .map_err(|cause| QuantError::OutputFolder { folder: folder(), cause: cause.into() })?;
        let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
        if need_bytes > free_bytes {
            return Err(QuantError::NoRoom { folder: folder(), need_bytes, free_bytes });
        }
        Ok(())
    }

    /// Lets `make` write a file under a temporary name and check it, then puts it in its place,
    /// on disk for good. On any error the temporary file is gone and the output as it was.
    pub(crate) fn write<T>(
        &self,
        make: impl FnOnce(&Path) -> Result<T, QuantError>,
    ) -> Result<T, QuantError> {
        let temporary = self.temporary()?;
        let made = make(temporary.path())?;
        let failed = |cause| QuantError::Write { path: self.path.clone(), cause };
        // Reopened by name: whatever wrote it may have replaced the file.
        File::open(temporary.path()).and_then(|file| file.sync_all()).map_err(failed)?;
        let placed = if self.overwrite {
            temporary.persist(&self.path)
        } else {
            temporary.persist_noclobber(&self.path)
        };
        placed.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => QuantError::OutputExists { path: self.path.clone() },
            _ => failed(error.error),
        })?;
        // The data are safe; not every file system can sync a folder.
        let _ = File::open(&self.folder).and_then(|folder| folder.sync_all());
        Ok(made)
    }

    fn temporary(&self) -> Result<NamedTempFile, QuantError> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let mut builder = Builder::new();
        let prefix = format!(".{name}.");
        builder.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // A model is no secret: as any new file, less what the umask takes.
            builder.permissions(Permissions::from_mode(0o666));
        }
        // The error's own words name the temporary file, which nobody asked for.
        let failed = |error: io::Error| {
            let cause = if error.raw_os_error().is_some() { error } else { error.kind().into() };
            QuantError::OutputFolder { folder: self.folder.clone(), cause }
        };
        builder.tempfile_in(&self.folder).map_err(failed)
    }
}

/// Whether both paths lead to one file, also through links.
fn is_same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if let (Ok(a), Ok(b)) = (a.metadata(), b.metadata()) {
            return (a.dev(), a.ino()) == (b.dev(), b.ino());
        }
    }
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    /// Nobody can make a file there, whoever asks.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_error_does_not_name_the_temporary_file() {
        let output = Output::new("/proc/build.gguf".as_ref(), false, &[]).unwrap();
        let said = output.write(|_| Ok(())).unwrap_err().to_string();
        assert!(said.contains("folder `/proc`") && !said.contains("part"), "{said}");
    }

    #[test]
    fn a_disk_without_room_is_told_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let output = Output::new(&folder.path().join("x.gguf"), false, &[]).unwrap();
        assert!(output.check_room(1).is_ok());
        let line = output.check_room(u64::MAX).unwrap_err().to_string();
        assert!(line.contains("takes up to 18446744073709551615 bytes"), "{line}");
    }

    #[test]
    fn a_failure_leaves_nothing_and_success_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gguf");
        let output = Output::new(&path, false, &[]).unwrap();
        let failed = output.write(|temporary| -> Result<(), QuantError> {
            std::fs::write(temporary, "half").unwrap();
            assert_eq!(entries(folder.path()), 1);
            Err(QuantError::NoTensors { path: PathBuf::new() })
        });
        assert!(failed.is_err());
        assert_eq!(entries(folder.path()), 0);
        let whole = |temporary: &Path| {
            std::fs::write(temporary, "whole").unwrap();
            Ok(())
        };
        output.write(whole).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(entries(folder.path()), 1);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_folder_that_takes_no_files_is_named() {
        let output = Output::new(Path::new("/proc/x.gguf"), false, &[]).unwrap();
        let line = output.write(|_| Ok(())).unwrap_err().to_string();
        assert!(line.starts_with("cannot write in folder `/proc`: "), "{line}");
    }

    #[test]
    #[cfg(unix)]
    fn an_output_may_be_read_by_whoever_reads_new_files() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
        let (plain, path) = (folder.path().join("plain"), folder.path().join("x.gguf"));
        std::fs::write(&plain, "").unwrap();
        Output::new(&path, false, &[]).unwrap().write(|_| Ok(())).unwrap();
        assert_eq!(mode(&path), mode(&plain));
    }

    #[test]
    fn an_output_that_appears_meanwhile_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gguf");
        let output = Output::new(&path, false, &[]).unwrap();
        let late = output.write(|_| {
            std::fs::write(&path, "other").unwrap();
            Ok(())
        });
        assert!(matches!(late, Err(QuantError::OutputExists { .. })), "{late:?}");
        assert_eq!(std::fs::read(&path).unwrap(), b"other");
        assert_eq!(entries(folder.path()), 1);
    }
}
