//! Whether files are still what they were when they were hashed: size and modification time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file that is no longer what the run was planned for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` changed while karat ran; what came after is not stored, run it again", path.display())]
pub struct Changed {
    /// The file.
    pub path: PathBuf,
}

/// Files a run depends on, as they were at the beginning.
#[derive(Clone, Debug, Default)]
pub struct Stamps(Vec<(PathBuf, Option<(u64, SystemTime)>)>);

impl Stamps {
    /// Notes how `paths` are now. Take it before hashing them.
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        Self(paths.into_iter().map(|path| (path.to_path_buf(), stamp(path))).collect())
    }

    /// Fails where one of them is not as it was.
    pub fn check(&self) -> Result<(), Changed> {
        match self.0.iter().find(|(path, before)| stamp(path) != *before) {
            None => Ok(()),
            Some((path, _)) => Err(Changed { path: path.clone() }),
        }
    }
}

fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grows_or_goes_away_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.txt");
        fs::write(&path, "before").unwrap();
        let stamps = Stamps::of([path.as_path()]);
        assert_eq!(stamps.check(), Ok(()));
        fs::write(&path, "afterwards").unwrap();
        assert_eq!(stamps.check(), Err(Changed { path: path.clone() }));
        fs::remove_file(&path).unwrap();
        assert!(stamps.check().is_err());
    }
}
