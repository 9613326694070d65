//! Opening the database: where it lies, how long to wait for it, how it is set up.
//! Owns the connection; never reads or writes a row.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;
use super::migration;

/// Name of the database in karat's home folder.
pub const DATABASE_FILE: &str = "karat.db";

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// How long to wait for another process's lock, in milliseconds.
    pub busy_timeout_ms: u64,
    /// Upper limit of the database's size in SQLite pages (4096 bytes each); none by default.
    /// Beyond it every write fails with [`StoreError::Full`].
    pub max_pages: Option<u32>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { busy_timeout_ms: 10_000, max_pages: None }
    }
}

/// karat's database. One connection; open another [`Store`] for another thread.
#[derive(Debug)]
pub struct Store {
    pub(super) conn: Connection,
    pub(super) place: Place,
}

/// What an error message has to say about a database: where it is, and how long it was waited for.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    busy_timeout_ms: u64,
}

impl Place {
    /// Gives an SQLite result the store's own error type.
    pub(super) fn sql<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|e| StoreError::from_sql(&self.path, self.busy_timeout_ms, e))
    }
}

impl Store {
    /// Opens the store in the folder `home`, which is made if it is missing.
    pub fn open(home: &Path) -> Result<Self, StoreError> {
        Self::open_with(home, &StoreOptions::default())
    }

    /// Opens the store that is in the folder `home`, and makes none.
    ///
    /// # Errors
    /// [`StoreError::NoRuns`] where nothing was ever stored there.
    pub fn open_existing(home: &Path) -> Result<Self, StoreError> {
        let is_empty = match fs::metadata(home) {
            Ok(found) => found.is_dir() && !home.join(DATABASE_FILE).exists(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if is_empty {
            return Err(StoreError::NoRuns);
        }
        match Self::open(home) {
            // Where nothing can be written, there is still something to read.
            Err(error @ (StoreError::ReadOnly { .. } | StoreError::CannotOpen { .. })) => {
                Self::open_unwritable(home).map_err(|_| error)
            }
            opened => opened,
        }
    }

    /// Opens a store whose file or folder cannot be written, for reading alone.
    fn open_unwritable(home: &Path) -> Result<Self, StoreError> {
        let place = Place { path: home.join(DATABASE_FILE), busy_timeout_ms: 0 };
        let path = place.path.canonicalize().unwrap_or_else(|_| place.path.clone());
        let log = path.with_extension("db-wal");
        // What stands in the write-ahead log alone is found through its index, which has to be there;
        // without a log the file is all there is, and SQLite is told that nobody changes it.
        let has_log = fs::metadata(log).is_ok_and(|log| log.is_file() && log.len() > 0);
        let mode = if has_log { "mode=ro" } else { "mode=ro&immutable=1" };
        let uri = format!("file:{}?{mode}", uri_path(&path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let conn = place.sql(Connection::open_with_flags(uri, flags))?;
        migration::refuse_unknown(&conn, &place)?;
        migration::migrate(&conn, &place)?;
        Ok(Self { conn, place })
    }

    /// [`Store::open`] with other limits than the default ones.
    pub fn open_with(home: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        fs::create_dir_all(home)
            .map_err(|source| StoreError::CreateFolder { path: home.to_owned(), source })?;
        let busy_timeout_ms = options.busy_timeout_ms;
        let place = Place { path: home.join(DATABASE_FILE), busy_timeout_ms };
        let conn = place.sql(Connection::open(&place.path))?;
        place.sql(conn.busy_timeout(Duration::from_millis(busy_timeout_ms)))?;
        migration::refuse_unknown(&conn, &place)?;
        place.sql(use_wal(&conn, busy_timeout_ms))?;
        place.sql(conn.pragma_update(None, "synchronous", "NORMAL"))?;
        place.sql(conn.pragma_update(None, "foreign_keys", true))?;
        if let Some(max_pages) = options.max_pages {
            let set = format!("PRAGMA max_page_count = {max_pages}");
            place.sql(conn.query_row(&set, [], |_| Ok(())))?;
        }
        migration::migrate(&conn, &place)?;
        Ok(Self { conn, place })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    /// Gives an SQLite result the store's own error type.
    pub(super) fn sql<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        self.place.sql(result)
    }
}

/// A path as a part of a URI: bytes that mean something there, or are not ASCII, as `%20`.
fn uri_path(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte);
    let escaped = bytes.iter().map(|byte| match byte {
        plain if is_plain(plain) => char::from(*plain).to_string(),
        other => format!("%{other:02X}"),
    });
    escaped.collect()
}

/// Switches the database to WAL mode.
///
/// SQLite does not call its busy handler for this switch, so that two processes that make the same
/// database at once need this loop. On a database in WAL mode already it is a plain read.
fn use_wal(conn: &Connection, busy_timeout_ms: u64) -> rusqlite::Result<()> {
    const PAUSE_MS: u64 = 10;
    let mut pauses_left = busy_timeout_ms / PAUSE_MS;
    loop {
        match conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && pauses_left > 0 => {
                pauses_left -= 1;
                thread::sleep(Duration::from_millis(PAUSE_MS));
            }
            result => return result,
        }
    }
}
