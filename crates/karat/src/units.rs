//! Quantities as people read them.

use std::fmt;
use std::time::Duration;

/// From here on a number of bytes is nonsense; 64 bits count a little further.
const MOST_BYTES: f64 = 9e18;
/// Less than any card has.
const LEAST_CARD: u64 = 1 << 20;

/// A number of bytes, printed in decimal units as model files are advertised (1 GB = 10⁹ bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        match self.0 {
            0..1_000 => write!(f, "{} B", self.0),
            1_000..1_000_000 => write!(f, "{:.1} kB", bytes / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.2} MB", bytes / 1e6),
            _ => write!(f, "{:.2} GB", bytes / 1e9),
        }
    }
}

/// `1 window`, `2 windows`: a count with its noun.
pub fn count(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// A positive number of bytes as people type it: `8GiB`, `12 GB`, `500M`, `1000000`. `KB`, `MB`, `GB`,
/// `TB` are powers of 1000, `KiB` ... `TiB` powers of 1024; a bare letter is the power of 1024.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    match parse_bytes_or_none(text)? {
        0 => Err("give a positive number of bytes".to_owned()),
        bytes => Ok(bytes),
    }
}

/// The memory of a card, as [`parse_bytes`] reads it. Bytes without a unit are told: nobody means 8.
pub fn parse_card(text: &str) -> Result<u64, String> {
    let bytes = parse_bytes(text)?;
    if bytes >= LEAST_CARD {
        Ok(bytes)
    } else if text.trim().chars().all(|c| c.is_ascii_digit() || c == '.') {
        Err(format!("that is {}; write {}GiB?", count(bytes, "byte"), text.trim()))
    } else {
        Err(format!("that is {}; no card has so little", Bytes(bytes)))
    }
}

/// As [`parse_bytes`], and 0 for none.
pub fn parse_bytes_or_none(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c.is_whitespace());
    let unit = text[digits.len()..].trim().to_ascii_lowercase();
    let (base, power): (u64, u32) = match unit.as_str() {
        "" | "b" => (1, 0),
        "kb" => (1_000, 1),
        "mb" => (1_000, 2),
        "gb" => (1_000, 3),
        "tb" => (1_000, 4),
        "k" | "kib" => (1_024, 1),
        "m" | "mib" => (1_024, 2),
        "g" | "gib" => (1_024, 3),
        "t" | "tib" => (1_024, 4),
        _ => return Err(format!("`{unit}` is no unit of bytes; write e.g. 8GiB or 12GB")),
    };
    let number: f64 = digits.parse().map_err(|_| "write e.g. 8GiB or 12GB".to_owned())?;
    let bytes = number * base.pow(power) as f64;
    if bytes >= MOST_BYTES {
        Err("that is too large: no machine has so many bytes".to_owned())
    } else if bytes >= 1.0 || bytes == 0.0 {
        Ok(bytes as u64)
    } else {
        Err("give a positive number of bytes".to_owned())
    }
}

/// A span of time, printed as `0.4 s`, `12 s`, `3 min 05 s` or `2 h 10 min`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let whole = seconds.round() as u64;
        match whole {
            0..10 => write!(f, "{seconds:.1} s"),
            10..60 => write!(f, "{whole} s"),
            60..3_600 => write!(f, "{} min {:02} s", whole / 60, whole % 60),
            _ => write!(f, "{} h {:02} min", whole / 3_600, whole % 3_600 / 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_the_unit_that_fits() {
        assert_eq!(Bytes(999).to_string(), "999 B");
        assert_eq!(Bytes(9_622_976).to_string(), "9.62 MB");
        assert_eq!(Bytes(7_200_000_000).to_string(), "7.20 GB");
    }

    #[test]
    fn bytes_are_read_as_people_type_them() {
        assert_eq!(parse_bytes("8GiB"), Ok(8 << 30));
        assert_eq!(parse_bytes("12 GB"), Ok(12_000_000_000));
        assert_eq!(parse_bytes("1.5k"), Ok(1_536));
        assert_eq!(parse_bytes("100"), Ok(100));
        assert!(parse_bytes("12 parsecs").is_err());
        assert!(parse_bytes("-1GB").is_err());
        assert!(parse_bytes("GB").is_err());
    }

    #[test]
    fn what_is_wrong_with_bytes_is_said() {
        #[track_caller]
        fn check(read: Result<u64, String>, want: &str) {
            let said = read.unwrap_err();
            assert!(said.contains(want), "`{said}` does not say `{want}`");
        }
        for text in ["1e30GiB", "99999999999999999999", "1e999", "9e18"] {
            check(parse_bytes(text), "too large");
        }
        for text in ["0", "-1GB", "0.5", "0GiB"] {
            check(parse_bytes(text), "positive");
        }
        check(parse_card("8"), "that is 8 bytes; write 8GiB?");
        check(parse_card("512k"), "that is 524.3 kB; no card has so little");
        assert_eq!(parse_card("8GiB"), Ok(8 << 30));
        assert_eq!(parse_card("8589934592"), Ok(8 << 30));
        assert_eq!(parse_bytes_or_none("0"), Ok(0));
        check(parse_bytes_or_none("-1"), "positive");
    }

    #[test]
    fn spans_take_the_unit_that_fits() {
        assert_eq!(Span(Duration::from_millis(440)).to_string(), "0.4 s");
        assert_eq!(Span(Duration::from_secs(185)).to_string(), "3 min 05 s");
        assert_eq!(Span(Duration::from_mins(130)).to_string(), "2 h 10 min");
    }
}
