//! Content hashes of files, so that a file of many gigabytes is read once.
//! Owns the cache; never reads or hashes a file.

use std::path::Path;

use rusqlite::{OptionalExtension, params};

use super::error::StoreError;
use super::open::Store;

impl Store {
    /// The hash remembered for this path, if size and modification time are still the same.
    pub fn cached_hash(
        &self,
        path: &Path,
        size: u64,
        mtime_ns: i128,
    ) -> Result<Option<String>, StoreError> {
        let select = "SELECT sha256 FROM content_hash
                      WHERE path = ?1 AND size = ?2 AND mtime_ns = ?3";
        // Bytes rather than text: two paths that are no UTF-8 must not be taken for one.
        let key = path.as_os_str().as_encoded_bytes();
        let mut statement = self.sql(self.conn.prepare_cached(select))?;
        let values = params![key, size.cast_signed(), mtime_ns.to_string()];
        self.sql(statement.query_row(values, |row| row.get(0)).optional())
    }

    /// Remembers the lower-case hex SHA-256 of a file; an older one of the same path is replaced.
    ///
    /// Give absolute paths: the store does not know the folder that a relative one starts from.
    pub fn remember_hash(
        &self,
        path: &Path,
        size: u64,
        mtime_ns: i128,
        sha256: &str,
    ) -> Result<(), StoreError> {
        let insert = "INSERT OR REPLACE INTO content_hash (path, size, mtime_ns, sha256)
                      VALUES (?1, ?2, ?3, ?4)";
        let key = path.as_os_str().as_encoded_bytes();
        let values = params![key, size.cast_signed(), mtime_ns.to_string(), sha256];
        self.sql(self.conn.execute(insert, values))?;
        Ok(())
    }
}
