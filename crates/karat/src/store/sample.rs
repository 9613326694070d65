//! Samples: results of instruments whose unit is no window, e.g. one block of a speed run or the
//! memory of one model. Owns their storage; never looks inside.

use rusqlite::params;
use serde_json::Value;

use super::error::StoreError;
use super::open::Store;

impl Store {
    /// Stores one sample under the hash of everything it depends on. A sample that is there already
    /// stays: what was measured first is what reports show.
    pub fn put_sample(
        &self,
        identity: &str,
        sample_idx: u32,
        data: &Value,
    ) -> Result<(), StoreError> {
        let insert = "INSERT INTO sample (identity, sample_idx, data) VALUES (?1, ?2, ?3)
                      ON CONFLICT DO NOTHING";
        let values = params![identity, sample_idx, data.to_string()];
        self.sql(self.conn.execute(insert, values))?;
        Ok(())
    }

    /// The samples stored under this hash, in order, each with its index.
    pub fn samples(&self, identity: &str) -> Result<Vec<(u32, Value)>, StoreError> {
        let select = "SELECT sample_idx, data FROM sample WHERE identity = ?1 ORDER BY sample_idx";
        let mut statement = self.sql(self.conn.prepare_cached(select))?;
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let rows = self.sql(statement.query_map([identity], read))?;
        let rows: Vec<(u32, String)> = self.sql(rows.collect())?;
        let parse = |(sample_idx, data): (u32, String)| {
            let data = serde_json::from_str(&data).map_err(|e| self.unreadable("a sample", &e))?;
            Ok((sample_idx, data))
        };
        rows.into_iter().map(parse).collect()
    }
}
