//! A span of time in seconds, as an argument.

use std::time::Duration;

/// Reads e.g. `120` or `2.5`.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "give seconds, e.g. 120".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(span) if !span.is_zero() => Ok(span),
        Err(_) if seconds > 0.0 => Err("that is too long: nobody waits so many seconds".to_owned()),
        _ => Err("give a positive number of seconds, e.g. 120".to_owned()),
    }
}
