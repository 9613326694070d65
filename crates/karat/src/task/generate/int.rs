//! A whole number in a range.

use serde::Deserialize;
use serde_json::Value;

use super::{Generate, Means};

/// `{ kind = "int", min = 3, max = 40, step = 1 }`: `min`, `min + step`, ... up to `max`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Int {
    min: i64,
    max: i64,
    #[serde(default = "one")]
    step: i64,
}

fn one() -> i64 {
    1
}

impl Generate for Int {
    fn generate(&self, means: &mut Means<'_>) -> Result<Value, String> {
        if self.step < 1 || self.max < self.min {
            return Err(format!("nothing between {} and {} by {}", self.min, self.max, self.step));
        }
        let steps = self.max.saturating_sub(self.min) / self.step;
        Ok(Value::from(self.min + means.draw.between(0, steps) * self.step))
    }
}
