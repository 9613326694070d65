//! A table: rows of named cells, each column drawn by a generator of its own.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Generate, Means, generate};

/// Draws for one more different row before the table is given up.
const TRIES: usize = 1000;

/// `{ kind = "table", rows = 8, key = "name", columns = { name = {...}, age = {...} } }`: a list of
/// rows; cells of the column `key` differ.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    rows: usize,
    columns: Map<String, Value>,
    key: String,
}

impl Generate for Table {
    fn generate(&self, means: &mut Means<'_>) -> Result<Value, String> {
        if !self.columns.contains_key(&self.key) {
            return Err(format!("`key` is `{}`, which is no column", self.key));
        }
        if self.rows > 1000 {
            return Err(format!("{} rows are too many; at most 1000", self.rows));
        }
        let mut rows: Vec<Value> = Vec::with_capacity(self.rows);
        let mut tries = 0;
        while rows.len() < self.rows {
            let mut row = Map::new();
            for (name, spec) in &self.columns {
                let cell =
                    generate(spec, means).map_err(|error| format!("column `{name}`: {error}"))?;
                row.insert(name.clone(), cell);
            }
            if rows.iter().any(|known| known.get(&self.key) == row.get(&self.key)) {
                tries += 1;
                if tries > TRIES {
                    return Err(format!("there are no {} different `{}`", self.rows, self.key));
                }
                continue;
            }
            rows.push(Value::Object(row));
        }
        Ok(Value::Array(rows))
    }
}
