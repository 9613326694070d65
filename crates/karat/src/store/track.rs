//! Tracks: what is scored, on which text, with which ruler.
//! Owns their identity; never holds results.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::open::Store;
use crate::digest::sha256_hex;

/// What a track scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackKind {
    /// One model by itself, e.g. its NLL per token.
    Model,
    /// A candidate against a reference, e.g. their KLD per token.
    Pair,
}

/// Everything the results of a track depend on, and nothing else (no names, no paths).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrackKey {
    /// What it scores.
    pub kind: TrackKind,
    /// Hash of the text's bytes.
    pub text_sha256: String,
    /// Hash of the model that is scored.
    pub candidate_sha256: String,
    /// Hash of the yardstick; missing for [`TrackKind::Model`].
    pub reference_sha256: Option<String>,
    /// The ruler: window, engine, instruction set, layout version of the stored rows and so on.
    pub setting: BTreeMap<String, String>,
}

impl TrackKey {
    /// One spelling per key: JSON with the fields in declared order and the setting sorted by name.
    #[expect(clippy::missing_panics_doc, reason = "it cannot panic: see the invariant")]
    pub fn canonical_json(&self) -> String {
        serde_json::to_string(self).expect("strings and maps of strings always serialise")
    }

    /// SHA-256 of [`TrackKey::canonical_json`], lower-case hex.
    pub fn identity(&self) -> String {
        sha256_hex(self.canonical_json())
    }
}

/// A track's row in one store; means nothing in another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId(pub(super) i64);

impl Store {
    /// The track of this key, made if it is new.
    pub fn track(&self, key: &TrackKey) -> Result<TrackId, StoreError> {
        if let Some(id) = self.find_track(key)? {
            return Ok(id);
        }
        let insert = "INSERT INTO track (identity, key) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.sql(self.conn.execute(insert, params![key.identity(), key.canonical_json()]))?;
        let select = "SELECT id FROM track WHERE identity = ?1";
        let id = self.conn.query_row(select, [key.identity()], |row| row.get(0));
        self.sql(id).map(TrackId)
    }

    /// The track of this key, if anything was ever stored under it; a dry run asks without writing.
    pub fn find_track(&self, key: &TrackKey) -> Result<Option<TrackId>, StoreError> {
        let select = "SELECT id FROM track WHERE identity = ?1";
        let found = self.conn.query_row(select, [key.identity()], |row| row.get(0)).optional();
        Ok(self.sql(found)?.map(TrackId))
    }
}
