//! A ratio of two sums over units that are resampled whole, e.g. seconds per passed task.
//! Owns its BCa interval; for token means, whose denominators are counts, there is `mean`.

use super::MIN_BOOTSTRAP_WINDOWS;
use super::bca::bca_endpoints;
use super::bootstrap::Bootstrap;
use super::interval::{Interval, Summary};
use super::student::expanded_level;

/// Σ numerator / Σ denominator over units `(numerator, denominator)`; `None` where it is not finite.
///
/// Unlike in a mean, a unit may add nothing to the denominator: a failed attempt costs seconds and gives
/// no pass. From 8 units on the interval is BCa at the level that so few units need; below that, or where
/// a resample has nothing to divide by, there is none.
///
/// Source: Efron (1987); Davison & Hinkley (1997), 5.3.
pub fn ratio_of_sums(units: &[(f64, f64)], bootstrap: &Bootstrap) -> Option<Summary> {
    let value = ratio(units.iter().copied()).filter(|value| value.is_finite())?;
    Some(Summary { value, interval: interval(units, value, bootstrap) })
}

fn ratio(units: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (top, bottom) = units.fold((0.0, 0.0), |sums, unit| (sums.0 + unit.0, sums.1 + unit.1));
    (bottom > 0.0).then(|| top / bottom)
}

fn interval(units: &[(f64, f64)], value: f64, bootstrap: &Bootstrap) -> Option<Interval> {
    let n = units.len();
    if n < MIN_BOOTSTRAP_WINDOWS {
        return None;
    }
    let level = bootstrap.resampling().level;
    let mut resampled = Vec::new();
    let mut is_defined = true;
    bootstrap.for_each(n, bootstrap.resampling().mean_resamples, |indices| {
        match ratio(indices.iter().map(|&index| units[index as usize])) {
            Some(value) => resampled.push(value),
            None => is_defined = false,
        }
    });
    let left_out = |out: usize| {
        ratio(units.iter().enumerate().filter(|(unit, _)| *unit != out).map(|(_, unit)| *unit))
    };
    let jackknife: Option<Vec<f64>> = (0..n).map(left_out).collect();
    let jackknife = jackknife.filter(|_| is_defined && !resampled.is_empty())?;
    resampled.sort_unstable_by(f64::total_cmp);
    let (lo, hi) = bca_endpoints(&resampled, value, &jackknife, expanded_level(level, n));
    Some(Interval { lo, hi, level })
}

#[cfg(test)]
mod tests {
    use super::super::bootstrap::Resampling;
    use super::*;

    fn seeded() -> Bootstrap {
        Bootstrap::new(Resampling::with_seed(1))
    }

    #[test]
    fn failures_cost_and_give_nothing() {
        let summary = ratio_of_sums(&[(10.0, 1.0), (30.0, 0.0)], &seeded());
        assert_eq!(summary, Some(Summary { value: 40.0, interval: None }));
    }

    #[test]
    fn nothing_to_divide_by_has_no_ratio() {
        assert_eq!(ratio_of_sums(&[(10.0, 0.0); 9], &seeded()), None);
        assert_eq!(ratio_of_sums(&[], &seeded()), None);
    }

    #[test]
    fn a_ratio_that_one_unit_holds_has_no_interval() {
        let mut units = vec![(10.0, 0.0); 12];
        units[3].1 = 1.0;
        let summary = ratio_of_sums(&units, &seeded()).unwrap();
        assert_eq!(summary, Summary { value: 120.0, interval: None });
    }

    #[test]
    fn many_units_have_an_interval_around_the_value() {
        let units: Vec<(f64, f64)> =
            (0..60).map(|i| (f64::from(5 + i * 7 % 11), f64::from(i % 3).min(1.0))).collect();
        let summary = ratio_of_sums(&units, &seeded()).unwrap();
        let interval = summary.interval.unwrap();
        assert!(interval.lo < summary.value && summary.value < interval.hi, "{summary:?}");
    }
}
