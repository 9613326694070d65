//! Numbers as people read them: digits, scales, sizes.
//! Owns rounding for display; never changes a stored value.

use super::page::Cell;
use crate::record::Estimate;

/// What a value is multiplied with for display, and how that is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    factor: f64,
    /// The unit of the scaled figure.
    pub(super) unit: &'static str,
}

impl Scale {
    /// The value as displayed, unrounded.
    pub(super) fn apply(self, value: f64) -> f64 {
        value * self.factor
    }
}

/// Nats in thousandths: KLD and ln ratios of usable builds are 0.1 to 100 of them.
pub(super) const MILLI_NATS: Scale = Scale { factor: 1e3, unit: "10⁻³ nats" };
/// Fractions in percent.
pub(super) const PERCENT: Scale = Scale { factor: 100.0, unit: "%" };
/// Rates as they are.
pub(super) const TOKENS_PER_SECOND: Scale = Scale { factor: 1.0, unit: "tok/s" };
/// Ratios as they are.
pub(super) const RATIO: Scale = Scale { factor: 1.0, unit: "" };
/// Bytes in millions.
pub(super) const MEGABYTES: Scale = Scale { factor: 1e-6, unit: "MB" };
/// Bytes per second in thousand millions.
pub(super) const GIGABYTES_PER_SECOND: Scale = Scale { factor: 1e-9, unit: "GB/s" };

/// What needs no scaling, e.g. rates.
pub(super) const PLAIN: Scale = Scale { factor: 1.0, unit: "" };

/// Decimals of a perplexity, as llama-perplexity prints it.
const PPL_DECIMALS: usize = 4;
/// Significant digits of a figure that has no interval to say how many it deserves.
const BARE_DIGITS: usize = 3;
/// Hex digits of a shortened hash.
const SHORT_HASH_DIGITS: usize = 12;
/// No figure shows more decimals than this.
const MAX_DECIMALS: i32 = 9;

/// A unit of size: of one figure, or of an axis with many.
#[derive(Clone, Copy, Debug)]
pub(super) struct SizeUnit {
    bytes: f64,
    /// How it is called.
    pub(super) name: &'static str,
}

impl SizeUnit {
    /// The decimal unit that a file size is printed in.
    pub(super) fn file(bytes: u64) -> Self {
        Self::fitting(bytes, 1000.0, ["B", "kB", "MB", "GB", "TB"])
    }

    /// The binary unit that an amount of memory is printed in.
    pub(super) fn memory(bytes: u64) -> Self {
        Self::fitting(bytes, 1024.0, ["B", "KiB", "MiB", "GiB", "TiB"])
    }

    /// So many bytes in this unit.
    pub(super) fn of_bytes(self, bytes: u64) -> f64 {
        bytes as f64 / self.bytes
    }

    fn fitting(bytes: u64, step: f64, names: [&'static str; 5]) -> Self {
        let mut unit = Self { bytes: 1.0, name: names[0] };
        for name in &names[1..] {
            // 999.9 would print as 1000.0 of the smaller unit.
            if unit.of_bytes(bytes) >= step - 0.5 {
                unit = Self { bytes: unit.bytes * step, name };
            }
        }
        unit
    }
}

/// A value with its interval.
pub(super) fn figure(estimate: Option<&Estimate>, scale: Scale) -> Cell {
    let bare = bare_figure(estimate, scale);
    let interval = estimate.and_then(|estimate| {
        let (_, lo, hi) = scaled_parts(estimate, scale);
        let decimals = decimals_of(estimate, scale);
        Some(format!("[{}, {}]", fixed(lo?, decimals), fixed(hi?, decimals)))
    });
    Cell { interval, ..bare }
}

/// A value with the digits its interval deserves, but without the interval.
pub(super) fn bare_figure(estimate: Option<&Estimate>, scale: Scale) -> Cell {
    let Some(estimate) = estimate else { return Cell::missing() };
    match scaled_parts(estimate, scale).0 {
        Some(value) => Cell::plain(fixed(value, decimals_of(estimate, scale))),
        None => Cell::missing(),
    }
}

/// A perplexity.
pub(super) fn perplexity(estimate: Option<&Estimate>) -> Cell {
    let value = estimate.and_then(|estimate| estimate.value).filter(|value| value.is_finite());
    value.map_or_else(Cell::missing, |value| Cell::plain(format!("{value:.PPL_DECIMALS$}")))
}

/// A plain number to three significant digits, e.g. an axis label or a design effect.
pub(super) fn short(value: f64) -> String {
    fixed(value, significant_decimals(value, BARE_DIGITS))
}

/// A confidence level, e.g. `95 %`.
pub(super) fn percent(fraction: f64) -> String {
    // Rounded first: 0.95 * 100 is not 95 to the last bit.
    format!("{} %", (fraction * 1e6).round() / 1e4)
}

/// A file size in the decimal units that file lists use.
pub(super) fn file_size(bytes: u64) -> String {
    scaled_size(bytes, SizeUnit::file(bytes))
}

/// An amount of memory in binary units.
pub(super) fn memory_size(bytes: u64) -> String {
    scaled_size(bytes, SizeUnit::memory(bytes))
}

/// Enough of a hash to recognise it by; JSON has the whole of it.
pub(super) fn short_hash(sha256: &str) -> String {
    sha256.chars().take(SHORT_HASH_DIGITS).collect()
}

/// A duration, e.g. `2 min 14 s`.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let total_s = seconds.round() as u64;
    let (hours, minutes, rest_s) = (total_s / 3600, total_s / 60 % 60, total_s % 60);
    if hours > 0 { format!("{hours} h {minutes} min") } else { format!("{minutes} min {rest_s} s") }
}

fn scaled_size(bytes: u64, unit: SizeUnit) -> String {
    let value = unit.of_bytes(bytes);
    let decimals = if unit.bytes < 2.0 { 0 } else { significant_decimals(value, BARE_DIGITS) };
    format!("{value:.decimals$} {}", unit.name)
}

fn scaled_parts(estimate: &Estimate, scale: Scale) -> (Option<f64>, Option<f64>, Option<f64>) {
    let scaled = |value: Option<f64>| value.map(|v| scale.apply(v)).filter(|v| v.is_finite());
    (scaled(estimate.value), scaled(estimate.lo), scaled(estimate.hi))
}

/// Enough decimals to show two significant digits of half the interval.
fn decimals_of(estimate: &Estimate, scale: Scale) -> usize {
    match scaled_parts(estimate, scale) {
        (_, Some(lo), Some(hi)) if hi > lo => significant_decimals((hi - lo) / 2.0, 2),
        (Some(value), ..) => significant_decimals(value, BARE_DIGITS),
        _ => 0,
    }
}

/// Decimals that show `digits` significant digits of the value after rounding: 0.9996 has its first
/// of three at the ones, as 1.00.
fn significant_decimals(value: f64, digits: usize) -> usize {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    let rounded = format!("{value:.*e}", digits - 1);
    let exponent = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok());
    let leading: i32 = exponent.expect("the exponent form ends in a whole exponent");
    (digits as i32 - 1 - leading).clamp(0, MAX_DECIMALS) as usize
}

/// Exactly zero is `0`; what only rounds to zero keeps its decimals, but no minus sign.
fn fixed(value: f64, decimals: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{MILLI_NATS, duration, figure, file_size, memory_size, percent};
    use crate::record::{Estimate, Instrument, Unit};

    #[track_caller]
    fn check(value: Option<f64>, interval: Option<(f64, f64)>, printed: &str) {
        let estimate = Estimate {
            instrument: Instrument::Fidelity,
            metric: "kld_mean".to_owned(),
            candidate: "c".to_owned(),
            reference: None,
            versus: None,
            scope: "t".to_owned(),
            setting: std::collections::BTreeMap::new(),
            value,
            lo: interval.map(|(lo, _)| lo),
            hi: interval.map(|(_, hi)| hi),
            level: None,
            n: 1,
            unit: Unit::Nats,
        };
        let cell = figure(Some(&estimate), MILLI_NATS);
        let interval = cell.interval.map(|interval| format!(" {interval}")).unwrap_or_default();
        assert_eq!(cell.text + &interval, printed);
    }

    #[test]
    fn digits_follow_the_interval() {
        check(Some(0.018_562), Some((0.017_9, 0.019_27)), "18.56 [17.90, 19.27]");
        check(Some(0.018_562), Some((0.012, 0.024)), "18.6 [12.0, 24.0]");
        check(Some(0.018_562), Some((0.0, 0.04)), "19 [0, 40]");
        check(
            Some(0.000_000_512),
            Some((0.000_000_5, 0.000_000_52)),
            "0.000512 [0.000500, 0.000520]",
        );
    }

    #[test]
    fn without_an_interval_three_digits_count() {
        check(Some(0.143_21), None, "143");
        check(Some(0.001_234), None, "1.23");
        check(Some(1.873_2), None, "1873");
    }

    #[test]
    fn an_exact_zero_is_a_bare_zero_and_a_rounded_one_is_not_negative() {
        check(Some(0.0), None, "0");
        check(Some(-0.0), Some((0.0, 0.0)), "0 [0, 0]");
        check(Some(-0.000_001), Some((-0.001, 0.001)), "0.0 [-1.0, 1.0]");
    }

    #[test]
    fn what_is_missing_or_not_finite_is_a_dash() {
        check(None, None, "—");
        check(Some(f64::NAN), None, "—");
        check(Some(0.001), Some((f64::NEG_INFINITY, 0.002)), "1.00");
    }

    #[test]
    fn sizes_and_times_change_unit_before_they_reach_four_digits() {
        assert_eq!(file_size(999), "999 B");
        assert_eq!(file_size(999_600), "1.00 MB");
        assert_eq!(file_size(4_580_000_000), "4.58 GB");
        assert_eq!(memory_size(8 << 30), "8.00 GiB");
        assert_eq!(duration(12.34), "12.3 s");
        assert_eq!(duration(59.96), "1 min 0 s");
        assert_eq!(duration(7_385.0), "2 h 3 min");
        assert_eq!(percent(0.95), "95 %");
        assert_eq!(percent(0.999), "99.9 %");
    }
}
