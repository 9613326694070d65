//! A decimal number with a fixed number of places, as text, so that it stays exact.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::{Generate, Means};

/// `{ kind = "decimal", min = "0.50", max = "99", places = 2 }`; the ends may be numbers or text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decimals {
    min: Value,
    max: Value,
    places: u32,
}

impl Generate for Decimals {
    fn generate(&self, means: &mut Means<'_>) -> Result<Value, String> {
        let places = self.places;
        if places > 9 {
            return Err(format!("{places} places are too many; at most 9"));
        }
        let (min, max) = (units(&self.min, places)?, units(&self.max, places)?);
        if max < min {
            return Err(format!("nothing between {} and {}", self.min, self.max));
        }
        Ok(Value::from(Decimal::new(means.draw.between(min, max), places).to_string()))
    }
}

/// A number in units of its last place.
fn units(value: &Value, places: u32) -> Result<i64, String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut number: Decimal = text.parse().map_err(|_| format!("`{text}` is no decimal number"))?;
    number.rescale(places);
    i64::try_from(number.mantissa()).map_err(|_| format!("`{text}` is too large"))
}
