//! Per-window results of a track, as bytes the instrument packed.
//! Owns their storage; never looks inside.

use std::collections::BTreeSet;

use rusqlite::{Transaction, TransactionBehavior, params};

use super::error::StoreError;
use super::open::Store;
use super::track::TrackId;

/// One finished window of one track, to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowBlob<'a> {
    /// Whose result it is.
    pub track: TrackId,
    /// Position of the window in its text, from 0.
    pub window_idx: u32,
    /// The packed per-token results.
    pub data: &'a [u8],
    /// Its worst tokens in words, where they are kept.
    pub worst: Option<&'a str>,
}

impl Store {
    /// Indexes of the windows that are stored.
    pub fn finished_windows(&self, track: TrackId) -> Result<BTreeSet<u32>, StoreError> {
        let select = "SELECT window_idx FROM window WHERE track = ?1";
        let mut statement = self.sql(self.conn.prepare_cached(select))?;
        let rows = self.sql(statement.query_map([track.0], |row| row.get(0)))?;
        self.sql(rows.collect())
    }

    /// Stores a group of windows, of one track or several: all of them or, on an error, none.
    ///
    /// A window that is there already is left as it is. Gives how many of them came with other bytes
    /// this time: on a processor none do, but a GPU need not repeat its own results.
    pub fn put_windows(&mut self, windows: &[WindowBlob<'_>]) -> Result<usize, StoreError> {
        let behavior = TransactionBehavior::Immediate;
        let begun = self.conn.transaction_with_behavior(behavior);
        let transaction = self.place.sql(begun)?;
        let mut n_different = 0;
        for window in windows {
            if !self.place.sql(insert_or_compare(&transaction, window))? {
                n_different += 1;
            }
        }
        self.place.sql(transaction.commit())?;
        Ok(n_different)
    }

    /// The stored ones of a track's first `n_windows` windows, in order, each with its index.
    pub fn windows(
        &self,
        track: TrackId,
        n_windows: u32,
    ) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        let select = "SELECT window_idx, data FROM window
                      WHERE track = ?1 AND window_idx < ?2 ORDER BY window_idx";
        let mut statement = self.sql(self.conn.prepare_cached(select))?;
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let rows = self.sql(statement.query_map(params![track.0, n_windows], read))?;
        self.sql(rows.collect())
    }

    /// The worst tokens of a track's first `n_windows` windows that are stored, in order, each with its
    /// index; `None` where they were not kept.
    pub fn worst_tokens(
        &self,
        track: TrackId,
        n_windows: u32,
    ) -> Result<Vec<(u32, Option<String>)>, StoreError> {
        let select = "SELECT window_idx, worst FROM window
                      WHERE track = ?1 AND window_idx < ?2 ORDER BY window_idx";
        let mut statement = self.sql(self.conn.prepare_cached(select))?;
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let rows = self.sql(statement.query_map(params![track.0, n_windows], read))?;
        self.sql(rows.collect())
    }
}

/// False where the window is stored already and differs.
fn insert_or_compare(
    transaction: &Transaction<'_>,
    window: &WindowBlob<'_>,
) -> rusqlite::Result<bool> {
    let values = params![window.track.0, window.window_idx, window.data, window.worst];
    let insert = "INSERT INTO window (track, window_idx, data, worst) VALUES (?1, ?2, ?3, ?4)
                  ON CONFLICT (track, window_idx) DO NOTHING";
    if transaction.prepare_cached(insert)?.execute(values)? == 1 {
        return Ok(true);
    }
    // An older karat's window has no worst tokens, which is no contradiction.
    let compare = "SELECT data = ?3 AND (worst IS NULL OR ?4 IS NULL OR worst = ?4)
                   FROM window WHERE track = ?1 AND window_idx = ?2";
    transaction.prepare_cached(compare)?.query_row(values, |row| row.get(0))
}
