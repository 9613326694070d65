//! A day of the calendar, e.g. `2024-02-28`.

use jiff::civil;
use jiff::{Span, Unit};
use serde::Deserialize;
use serde_json::Value;

use super::{Generate, Means};

/// `{ kind = "date", from = "2020-01-01", to = "2027-12-31" }`, both included.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Date {
    from: String,
    to: String,
}

impl Generate for Date {
    fn generate(&self, means: &mut Means<'_>) -> Result<Value, String> {
        let day = |text: &String| -> Result<civil::Date, String> {
            text.parse().map_err(|_| format!("`{text}` is no date, e.g. 2024-02-28"))
        };
        let (from, to) = (day(&self.from)?, day(&self.to)?);
        let days = from.until((Unit::Day, to)).map_err(|error| error.to_string())?.get_days();
        if days < 0 {
            return Err(format!("`{}` is after `{}`", self.from, self.to));
        }
        let span = Span::new().days(means.draw.between(0, days.into()));
        from.checked_add(span)
            .map(|day| Value::from(day.to_string()))
            .map_err(|error| error.to_string())
    }
}
