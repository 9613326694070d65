//! The database's layout as an append-only list of numbered steps.
//! Owns `user_version` and `application_id`; never edits a step once released.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::StoreError;
use super::open::Place;

/// "krat" in ASCII: marks the file as karat's own for `file(1)` and for [`migrate`].
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"krat");

/// Entry `i` takes the layout from version `i` to `i + 1`. Append only.
const MIGRATIONS: &[&str] = &[
    // 1: content hashes, tracks and their windows, runs and their steps.
    "CREATE TABLE content_hash (
        path     BLOB PRIMARY KEY,
        size     INTEGER NOT NULL,
        mtime_ns TEXT NOT NULL,
        sha256   TEXT NOT NULL
    ) STRICT;
    CREATE TABLE track (
        id       INTEGER PRIMARY KEY,
        identity TEXT NOT NULL UNIQUE,
        key      TEXT NOT NULL
    ) STRICT;
    CREATE TABLE window (
        id         INTEGER PRIMARY KEY,
        track      INTEGER NOT NULL REFERENCES track (id),
        window_idx INTEGER NOT NULL,
        data       BLOB NOT NULL,
        UNIQUE (track, window_idx)
    ) STRICT;
    CREATE TABLE run (
        seq           INTEGER PRIMARY KEY AUTOINCREMENT,
        id            TEXT NOT NULL UNIQUE,
        karat_version TEXT NOT NULL,
        command       TEXT NOT NULL,
        started       TEXT NOT NULL,
        finished      TEXT,
        outcome       TEXT NOT NULL,
        seed          INTEGER NOT NULL,
        level         REAL NOT NULL,
        plan          TEXT NOT NULL
    ) STRICT;
    CREATE TABLE step (
        run               TEXT NOT NULL REFERENCES run (id),
        id                TEXT NOT NULL,
        position          INTEGER NOT NULL,
        title             TEXT NOT NULL,
        outcome           TEXT NOT NULL,
        seconds           REAL NOT NULL,
        peak_memory_bytes INTEGER,
        error             TEXT,
        engine_log        TEXT NOT NULL,
        PRIMARY KEY (run, id)
    ) STRICT;",
    // 2: what is measured by other units than windows.
    "CREATE TABLE sample (
        identity   TEXT NOT NULL,
        sample_idx INTEGER NOT NULL,
        data       TEXT NOT NULL,
        PRIMARY KEY (identity, sample_idx)
    ) STRICT, WITHOUT ROWID;",
    // 3: the worst tokens of a window, in words; windows of before have none.
    "ALTER TABLE window ADD COLUMN worst TEXT;",
];

/// Latest layout version this build knows.
pub(super) const LATEST: i64 = MIGRATIONS.len() as i64;

/// Refuses a database that this build must not touch: another program's, or a newer karat's.
/// Only reads.
pub(super) fn refuse_unknown(conn: &Connection, place: &Place) -> Result<(), StoreError> {
    let (found, empty) = place.sql(version_and_emptiness(conn))?;
    if found > LATEST {
        return Err(StoreError::Newer { path: place.path.clone(), found, known: LATEST });
    }
    if found < 0 || (found == 0 && !empty) {
        return Err(StoreError::Foreign { path: place.path.clone() });
    }
    Ok(())
}

/// Brings the database to [`LATEST`] in one transaction; a current one is only read.
pub(super) fn migrate(conn: &Connection, place: &Place) -> Result<(), StoreError> {
    if place.sql(version(conn))? == LATEST {
        return Ok(());
    }
    // Another process may be migrating too: take the write lock first, then look again.
    let behavior = TransactionBehavior::Immediate;
    let transaction = place.sql(Transaction::new_unchecked(conn, behavior))?;
    refuse_unknown(&transaction, place)?;
    let found = place.sql(version(&transaction))?;
    for step in &MIGRATIONS[found as usize..] {
        place.sql(transaction.execute_batch(step))?;
    }
    place.sql(transaction.pragma_update(None, "application_id", APPLICATION_ID))?;
    place.sql(transaction.pragma_update(None, "user_version", LATEST))?;
    place.sql(transaction.commit())
}

fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// One statement, so that both are of the same moment: another process may be migrating.
fn version_and_emptiness(conn: &Connection) -> rusqlite::Result<(i64, bool)> {
    let select = "SELECT user_version, NOT EXISTS (SELECT 1 FROM sqlite_schema)
                  FROM pragma_user_version";
    conn.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?)))
}
