//! Several different values of a list, in random order.

use serde::Deserialize;
use serde_json::Value;

use super::{Generate, Means};

/// `{ kind = "sample", of = [...], count = 3 }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample {
    of: Vec<Value>,
    count: usize,
}

impl Generate for Sample {
    fn generate(&self, means: &mut Means<'_>) -> Result<Value, String> {
        if self.count > self.of.len() {
            return Err(format!("cannot take {} of {} values", self.count, self.of.len()));
        }
        let order = means.draw.order(self.of.len());
        Ok(order.into_iter().take(self.count).map(|index| self.of[index].clone()).collect())
    }
}
