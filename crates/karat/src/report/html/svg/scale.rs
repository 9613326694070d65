//! From values to places on an axis, and the ticks worth a label.
//! Owns domains and ticks; never draws.

/// An axis' domain. Places are shares from 0 to 1; what lies outside is put on the edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Scale {
    /// Equal differences, equal distances.
    Linear { first: f64, last: f64 },
    /// Equal ratios, equal distances.
    Log { first: f64, last: f64 },
}

/// One tick.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Tick {
    pub(in super::super) value: f64,
    /// Empty where only the line is drawn.
    pub(in super::super) label: String,
}

/// Ticks that a linear axis has at most.
const MAX_TICKS: f64 = 6.0;
/// Beyond this many decades only powers of ten are labelled.
const FEW_DECADES: f64 = 2.5;

impl Scale {
    /// From zero to a round number that holds every value; none without a positive one.
    pub(in super::super) fn from_zero(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let most = values.into_iter().filter(|value| value.is_finite()).fold(0.0, f64::max);
        (most > 0.0).then(|| {
            let step = step(most);
            Self::Linear { first: 0.0, last: (most / step).ceil() * step }
        })
    }

    /// All values with a margin on both sides; none without any.
    pub(in super::super) fn around(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (least, most) = ends(values.into_iter().filter(|value| value.is_finite()))?;
        let spread = most - least;
        let margin = if spread > 0.0 { spread * 0.12 } else { most.abs().max(1.0) * 0.1 };
        Some(Self::Linear { first: least - margin, last: most + margin })
    }

    /// All positive values, between two ticks of 1, 2 or 5 times a power of ten; none without any.
    pub(in super::super) fn log(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let positive = |value: &f64| *value > 0.0 && value.is_finite();
        let (least, most) = ends(values.into_iter().filter(positive))?;
        let first = round_ticks(least).rev().find(|tick| *tick <= least)?;
        // Beyond the largest number there is no rounder one.
        let beyond = |tick: &f64| *tick >= most && *tick > first && tick.is_finite();
        let last = round_ticks(most).find(beyond).unwrap_or(f64::MAX);
        Some(Self::Log { first, last })
    }

    /// Where a value is, from 0 to 1.
    pub(in super::super) fn place(self, value: f64) -> f64 {
        let share = match self {
            Self::Linear { first, last } => (value - first) / (last - first),
            Self::Log { first, last } => (value / first).ln() / (last / first).ln(),
        };
        // A logarithm of what is not positive is NaN, and belongs at the lower edge.
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    /// The ticks, ascending.
    pub(in super::super) fn ticks(self) -> Vec<Tick> {
        match self {
            Self::Linear { first, last } => linear_ticks(first, last),
            Self::Log { first, last } => log_ticks(first, last),
        }
    }
}

fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, value| match ends {
        None => Some((value, value)),
        Some((least, most)) => Some((value.min(least), value.max(most))),
    })
}

/// 1, 2 or 5 times a power of ten: at most [`MAX_TICKS`] of it make up `span`.
fn step(span: f64) -> f64 {
    let least = span / MAX_TICKS;
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|lead| lead * power)
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(span)
}

fn linear_ticks(first: f64, last: f64) -> Vec<Tick> {
    let step = step(last - first);
    if !step.is_finite() {
        return Vec::new();
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    let (from, to) = ((first / step - 1e-9).ceil() as i64, (last / step + 1e-9).floor() as i64);
    let tick = |i: i64| {
        let value = i as f64 * step;
        Tick { value, label: format!("{value:.decimals$}") }
    };
    (from..=to).map(tick).collect()
}

fn log_ticks(first: f64, last: f64) -> Vec<Tick> {
    let decades = (last / first).log10();
    let (low, high) = (first.log10().floor() as i32, last.log10().ceil() as i32);
    // With many decades every label is left out but each second, third ... one.
    let every = (decades / MAX_TICKS).ceil().max(1.0) as i32;
    let within = |value: &f64| *value >= first * (1.0 - 1e-9) && *value <= last * (1.0 + 1e-9);
    let leads: &[f64] = if decades < FEW_DECADES { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let mut ticks = Vec::new();
    for exponent in low..=high {
        for lead in leads {
            let value = lead * 10_f64.powi(exponent);
            if within(&value) {
                let is_labelled = exponent.rem_euclid(every) == 0;
                let label = match (is_labelled, decades < FEW_DECADES) {
                    (false, _) => String::new(),
                    (true, true) => plain(*lead, exponent),
                    (true, false) => power(exponent),
                };
                ticks.push(Tick { value, label });
            }
        }
    }
    ticks
}

/// `0.05`, `20`.
fn plain(lead: f64, exponent: i32) -> String {
    let decimals = (-exponent).clamp(0, 9) as usize;
    format!("{:.decimals$}", lead * 10_f64.powi(exponent))
}

/// `10⁻⁶`; 1 and 10 as they are.
fn power(exponent: i32) -> String {
    match exponent {
        0 => "1".to_owned(),
        1 => "10".to_owned(),
        _ => format!("10{}", superscript(exponent)),
    }
}

fn superscript(exponent: i32) -> String {
    let digit = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        // The others stand in one row of Unicode.
        c => char::from_u32(0x2070 + u32::from(c) - u32::from('0')).unwrap_or(c),
    };
    exponent.to_string().chars().map(digit).collect()
}

/// 1, 2 and 5 times the powers of ten around `value`, ascending.
fn round_ticks(value: f64) -> impl DoubleEndedIterator<Item = f64> {
    let decade = value.log10().floor() as i32;
    (decade - 1..=decade + 1)
        .flat_map(|exponent| [1.0, 2.0, 5.0].map(|lead| lead * 10_f64.powi(exponent)))
}

#[cfg(test)]
mod tests {
    use super::{Scale, Tick};

    #[track_caller]
    fn check(scale: Option<Scale>, labels: &[&str]) {
        let ticks = scale.unwrap().ticks();
        assert_eq!(ticks.iter().map(|tick| tick.label.as_str()).collect::<Vec<_>>(), labels);
        for Tick { value, label } in ticks {
            let place = scale.unwrap().place(value);
            assert!((0.0..=1.0).contains(&place), "{label} at {place}");
        }
    }

    #[test]
    fn linear_axes_have_round_ticks() {
        check(Scale::from_zero([43.0, 12.0]), &["0", "10", "20", "30", "40", "50"]);
        check(Scale::from_zero([0.9]), &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        check(Scale::around([3.47, 5.26]), &["3.5", "4.0", "4.5", "5.0"]);
    }

    #[test]
    fn logarithmic_axes_label_what_they_have_room_for() {
        check(Scale::log([0.6, 18.0]), &["0.5", "1", "2", "5", "10", "20"]);
        check(Scale::log([1e-6, 1.0]), &["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "1"]);
    }

    #[test]
    fn a_ratio_of_ten_is_as_wide_everywhere() {
        let scale = Scale::log([1.0, 100.0]).unwrap();
        assert!((scale.place(10.0) - 0.5).abs() < 1e-12);
        assert!((scale.place(1.0), scale.place(100.0)) == (0.0, 1.0));
    }

    #[test]
    fn what_has_no_place_is_put_on_the_edge() {
        let scale = Scale::log([1.0, 100.0]).unwrap();
        for (value, place) in [(0.0, 0.0), (-5.0, 0.0), (f64::NAN, 0.0), (1e9, 1.0)] {
            assert!((scale.place(value) - place).abs() < 1e-12, "{value}");
        }
        let scale = Scale::from_zero([5.0]).unwrap();
        assert!((scale.place(-1.0), scale.place(f64::INFINITY)) == (0.0, 1.0));
    }

    #[test]
    fn without_values_there_is_no_axis() {
        assert_eq!(Scale::log([0.0, -1.0, f64::NAN, f64::INFINITY]), None);
        assert_eq!(Scale::from_zero([0.0, f64::NAN]), None);
        assert_eq!(Scale::around([]), None);
    }

    #[test]
    fn extreme_values_neither_panic_nor_flood_the_axis() {
        for values in [[f64::MIN_POSITIVE, f64::MAX], [1e-300, 1e-299], [1e300, 1.1e300]] {
            for scale in [Scale::log(values), Scale::around(values), Scale::from_zero(values)] {
                let n_labels = scale.iter().flat_map(|scale| scale.ticks());
                assert!(n_labels.filter(|tick| !tick.label.is_empty()).count() <= 12);
            }
        }
    }
}
