//! What can be wrong with task files.

use std::path::PathBuf;

/// Why tasks cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// A file or folder cannot be read.
    #[error("cannot read `{}`: {why}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The folder holds no task file.
    #[error("`{}` holds no task file (*.toml); docs/tasks.md has one to copy", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// A file is no task family.
    #[error("{file}{}: {why}; docs/tasks.md says what stands where", line.map(|line| format!(" line {line}")).unwrap_or_default())]
    File {
        /// Its name.
        file: String,
        /// Where, from 1.
        line: Option<usize>,
        /// What is wrong, with the key.
        why: String,
    },
    /// Two files bring families of one name.
    #[error("two task files are named `{0}`; rename one of them")]
    Twice(String),
    /// A family cannot give an instance.
    #[error("{file}: `{key}` of {language}: {why}")]
    Instance {
        /// Name of the file.
        file: String,
        /// Which part of it.
        key: String,
        /// Language.
        language: String,
        /// What is wrong.
        why: String,
    },
    /// A family has not enough different instances.
    #[error(
        "{file}: {language} gives only {got} different instances, {want} were asked for; widen the \
         ranges of its values"
    )]
    TooFew {
        /// Name of the file.
        file: String,
        /// Language.
        language: String,
        /// How many there are.
        got: usize,
        /// How many were asked for.
        want: usize,
    },
    /// A family that was asked for is not there.
    #[error("there is no task family `{name}`; there are {known}")]
    Unknown {
        /// Its name.
        name: String,
        /// Names that there are.
        known: String,
    },
}
