//! A list of values of one generator.

use serde::Deserialize;
use serde_json::Value;

use super::{Generate, Means, generate};

/// Draws for one more different value before the list is given up.
const TRIES: usize = 1000;

/// `{ kind = "list", of = { kind = "int", min = 1, max = 9 }, min = 3, max = 6, distinct = true }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    of: Value,
    min: i64,
    max: i64,
    #[serde(default)]
    distinct: bool,
}

impl Generate for List {
    fn generate(&self, means: &mut Means<'_>) -> Result<Value, String> {
        if self.min < 0 || self.max < self.min || self.max > 10_000 {
            return Err(format!("no list has from {} to {} items", self.min, self.max));
        }
        let length = means.draw.between(self.min, self.max) as usize;
        let mut items = Vec::with_capacity(length);
        let mut tries = 0;
        while items.len() < length {
            let item = generate(&self.of, means)?;
            if self.distinct && items.contains(&item) {
                tries += 1;
                if tries > TRIES {
                    return Err(format!("there are no {length} different values"));
                }
                continue;
            }
            items.push(item);
        }
        Ok(Value::Array(items))
    }
}
