//! Dates in templates: `2024-02-28` and what follows from it.

use jiff::civil::Date;
use jiff::{Span, Unit};
use minijinja::{Environment, Error, ErrorKind};

fn date(text: &str) -> Result<Date, Error> {
    text.parse().map_err(|_| wrong(format!("`{text}` is no date, e.g. 2024-02-28")))
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// The functions `date_add`, `days_between`, `weekday`.
pub(super) fn add(env: &mut Environment<'_>) {
    env.add_function("date_add", |from: String, days: i64| {
        let span = Span::new().try_days(days).map_err(|error| wrong(error.to_string()))?;
        let later = date(&from)?.checked_add(span).map_err(|error| wrong(error.to_string()))?;
        Ok::<_, Error>(later.to_string())
    });
    env.add_function("days_between", |from: String, to: String| {
        let span = date(&from)?
            .until((Unit::Day, date(&to)?))
            .map_err(|error| wrong(error.to_string()))?;
        Ok::<_, Error>(i64::from(span.get_days()))
    });
    // 1 is Monday.
    env.add_function("weekday", |day: String| {
        Ok::<_, Error>(i64::from(date(&day)?.weekday().to_monday_one_offset()))
    });
}
