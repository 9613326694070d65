//! What can go wrong with the store, in words that say what to do about it.
//! Owns the translation of SQLite's result codes; never retries or recovers.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi;

/// Why the store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The home folder is not there and could not be made.
    #[error(
        "cannot create the folder `{path}`: {source}; choose another one with --home or KARAT_HOME"
    )]
    CreateFolder {
        /// The home folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The database file cannot be opened or made at all.
    #[error(
        "cannot open the store `{path}`: {detail}; check that its folder can be written, \
         or choose another one with --home or KARAT_HOME"
    )]
    CannotOpen {
        /// The database file.
        path: PathBuf,
        /// SQLite's own words.
        detail: String,
    },
    /// The database, or the folder it lies in, is read-only.
    #[error(
        "the store `{path}` cannot be written: the file or its folder is read-only; \
         choose another one with --home or KARAT_HOME"
    )]
    ReadOnly {
        /// The database file.
        path: PathBuf,
    },
    /// No room left to write to.
    #[error(
        "no space left for the store `{path}`: free some and run the same command again; \
         everything stored so far is kept"
    )]
    Full {
        /// The database file.
        path: PathBuf,
    },
    /// Another process kept the database locked longer than the timeout.
    #[error(
        "the store `{path}` was locked by another process for {waited_ms} ms: \
         let that one finish, or choose another store with --home or KARAT_HOME"
    )]
    Locked {
        /// The database file.
        path: PathBuf,
        /// How long this process waited.
        waited_ms: u64,
    },
    /// The file is damaged, or no SQLite database at all.
    #[error(
        "the store `{path}` is damaged or not a database ({detail}): \
         move it away to start a new one"
    )]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// SQLite's own words.
        detail: String,
    },
    /// A sound SQLite database that another program made.
    #[error("`{path}` is a database of another program: move it away, or choose another --home")]
    Foreign {
        /// The database file.
        path: PathBuf,
    },
    /// A later karat wrote this database.
    #[error(
        "the store `{path}` has layout {found}, this karat knows up to {known}: \
         use the newer karat that wrote it, or choose another --home"
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Layout version of the file.
        found: i64,
        /// Latest layout version this build knows.
        known: i64,
    },
    /// A run with this id is there already.
    #[error("run `{id}` exists already")]
    RunExists {
        /// The id.
        id: String,
    },
    /// Nothing has been run yet.
    #[error("the store holds no runs yet")]
    NoRuns,
    /// No run has this id or begins with it.
    #[error("no run `{wanted}`: `karat runs` lists what there is")]
    UnknownRun {
        /// What was asked for.
        wanted: String,
    },
    /// Several runs begin with what was asked for.
    #[error("`{wanted}` fits {n_matches} runs ({first}, {second}, ...): give more of the id")]
    AmbiguousRun {
        /// What was asked for.
        wanted: String,
        /// How many runs it fits.
        n_matches: usize,
        /// The newest of them.
        first: String,
        /// The second newest.
        second: String,
    },
    /// A start time that is not RFC 3339.
    #[error("`{started}` is not an RFC 3339 time")]
    BadTime {
        /// What was given.
        started: String,
    },
    /// A stored value that this build cannot read.
    #[error("the store `{path}` holds {what} that cannot be read: {detail}")]
    Unreadable {
        /// The database file.
        path: PathBuf,
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// Anything else SQLite reports.
    #[error("the store `{path}` failed: {source}")]
    Sql {
        /// The database file.
        path: PathBuf,
        /// SQLite's report.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// Sorts an SQLite error under what the user can do about it. `waited_ms` is the busy timeout.
    pub(super) fn from_sql(path: &Path, waited_ms: u64, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        let Some(failure) = source.sqlite_error() else { return Self::Sql { path, source } };
        match (failure.code, failure.extended_code) {
            // The shared-memory file of the WAL is sized first, so a full disk shows there too.
            (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => Self::Full { path },
            (ErrorCode::ReadOnly, _) => Self::ReadOnly { path },
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => {
                Self::Locked { path, waited_ms }
            }
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => {
                Self::Corrupt { path, detail: source.to_string() }
            }
            (ErrorCode::CannotOpen | ErrorCode::PermissionDenied, _) => {
                Self::CannotOpen { path, detail: source.to_string() }
            }
            _ => Self::Sql { path, source },
        }
    }
}
