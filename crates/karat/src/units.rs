//! Quantities as people read them.

use std::fmt;
use std::time::Duration;

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
    fn spans_take_the_unit_that_fits() {
        assert_eq!(Span(Duration::from_millis(440)).to_string(), "0.4 s");
        assert_eq!(Span(Duration::from_secs(185)).to_string(), "3 min 05 s");
        assert_eq!(Span(Duration::from_mins(130)).to_string(), "2 h 10 min");
    }
}
