//! Intervals on the number line that overlap, touch, nest and stand apart, in no order.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Generate, Means};

/// `{ kind = "intervals", count = 5, min = -20, max = 40, longest = 10 }`: pairs `[start, end]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Intervals {
    count: usize,
    min: i64,
    max: i64,
    longest: i64,
}

impl Generate for Intervals {
    fn generate(&self, means: &mut Means<'_>) -> Result<Value, String> {
        let Self { count, min, max, longest } = *self;
        if min > max || longest < 0 || count > 1000 {
            return Err(format!("no {count} intervals lie between {min} and {max}"));
        }
        let mut pair = |_| {
            let start = means.draw.between(min, max);
            let end = start.saturating_add(means.draw.between(0, longest)).min(max);
            json!([start, end])
        };
        Ok((0..count).map(&mut pair).collect())
    }
}
