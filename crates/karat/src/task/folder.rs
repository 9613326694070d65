//! A user's own folder of task files.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Family, TaskError};

/// Largest task file, in bytes.
const LARGEST: u64 = 4 << 20;

/// The families of a folder, by name. Other files are left alone.
pub fn read_folder(folder: &Path) -> Result<Vec<Family>, TaskError> {
    let unreadable = |path: &Path, error: &std::io::Error| TaskError::Read {
        path: path.to_owned(),
        why: error.to_string(),
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.extension() == Some(OsStr::new("toml")) {
            paths.push(path);
        }
    }
    paths.sort();
    let mut families = Vec::new();
    for path in &paths {
        let about = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        let refused = |why: String| Err(TaskError::Read { path: path.clone(), why });
        // Reading a pipe would wait for whoever writes to it.
        if !about.is_file() {
            return refused("it is no regular file".to_owned());
        }
        if about.len() > LARGEST {
            return refused(format!(
                "it has {} bytes; a task file has at most {LARGEST}",
                about.len()
            ));
        }
        let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        families.push(Family::parse(&name, &text)?);
    }
    if families.is_empty() {
        return Err(TaskError::Empty { path: folder.to_owned() });
    }
    Ok(families)
}
