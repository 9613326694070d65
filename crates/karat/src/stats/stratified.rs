//! The token mean over several texts, with windows resampled within each text.
//! Owns the pooling; never compares the texts with each other.

use super::MIN_BOOTSTRAP_WINDOWS;
use super::bca::bca_endpoints;
use super::bootstrap::Bootstrap;
use super::clustered::{WindowSum, WindowSums};
use super::interval::{Interval, Summary};
use super::mean::{mean, ratio};
use super::student::{expanded_level, t_quantile};

/// Token mean Σx / Σn over all windows of all strata, and its interval; `None` without tokens or where
/// the mean is not finite.
///
/// Texts are fixed, their windows are a sample: so each resample draws as many windows of each text
/// as there are, and what the texts differ in does not widen the interval. It says how well the mean
/// over these texts is known, not what another text of the language would give. With k windows in the
/// smallest stratum:
/// - k = 1: no interval;
/// - k = 2 to 7: Student's t with k − 1 degrees of freedom on the stratified linearised error;
/// - from 8: BCa, with influence values centred within each stratum, at the level that k windows need.
///
/// Windows that differ in no stratum give none either, unless every token is exactly 0. One stratum alone
/// gives what [`mean`] gives.
///
/// Source: Davison & Hinkley (1997), 3.2 and 5.3 for strata; Cochran (1977), 6.11 for the combined
/// ratio estimate.
pub fn stratified_mean(strata: &[WindowSums], bootstrap: &Bootstrap) -> Option<Summary> {
    let strata: Vec<&WindowSums> =
        strata.iter().filter(|stratum| !stratum.windows().is_empty()).collect();
    if let [only] = strata[..] {
        return mean(only, bootstrap);
    }
    let windows: Vec<WindowSum> =
        strata.iter().flat_map(|stratum| stratum.windows()).copied().collect();
    let value = Some(ratio(&windows)).filter(|value| value.is_finite())?;
    let level = bootstrap.resampling().level;
    let sizes: Vec<usize> = strata.iter().map(|stratum| stratum.windows().len()).collect();
    let k = sizes.iter().copied().min()?;
    let influence = influence(&windows, &sizes, value);
    let interval = if k < 2 {
        None
    } else if strata.iter().all(|stratum| stratum.is_zero()) {
        Some(Interval { lo: 0.0, hi: 0.0, level })
    } else if !strata.iter().any(|stratum| stratum.has_spread()) {
        None
    } else if k < MIN_BOOTSTRAP_WINDOWS {
        let half_width = t_quantile(0.5 + level / 2.0, k)? * error(&influence, &sizes);
        Some(Interval { lo: value - half_width, hi: value + half_width, level })
    } else {
        let mut resampled = Vec::new();
        let mut drawn = Vec::with_capacity(windows.len());
        bootstrap.for_each_stratified(&sizes, bootstrap.resampling().mean_resamples, |indices| {
            drawn.clear();
            drawn.extend(indices.iter().map(|&index| windows[index as usize]));
            resampled.push(ratio(&drawn));
        });
        resampled.sort_unstable_by(f64::total_cmp);
        // The jackknife value falls where the influence rises.
        let jackknife: Vec<f64> = influence.iter().map(|influence| -influence).collect();
        let (lo, hi) = bca_endpoints(&resampled, value, &jackknife, expanded_level(level, k));
        Some(Interval { lo, hi, level })
    };
    Some(Summary { value, interval })
}

/// What each window moves the mean by: its residual, centred within its stratum, over all tokens.
fn influence(windows: &[WindowSum], sizes: &[usize], value: f64) -> Vec<f64> {
    let n_tokens: f64 = windows.iter().map(|window| window.tokens).sum();
    let mut rest = windows;
    let mut influence = Vec::with_capacity(windows.len());
    for &size in sizes {
        let (stratum, others) = rest.split_at(size);
        rest = others;
        let residuals = stratum.iter().map(|window| window.sum - value * window.tokens);
        let centre = residuals.clone().sum::<f64>() / size as f64;
        influence.extend(residuals.map(|residual| (residual - centre) / n_tokens));
    }
    influence
}

/// √ Σ over strata of k / (k − 1) Σ influence².
fn error(influence: &[f64], sizes: &[usize]) -> f64 {
    let mut rest = influence;
    let variance = sizes.iter().map(|&size| {
        let (stratum, others) = rest.split_at(size);
        rest = others;
        let k = size as f64;
        k / (k - 1.0) * stratum.iter().map(|influence| influence.powi(2)).sum::<f64>()
    });
    variance.sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::bootstrap::Resampling;
    use super::*;

    fn seeded() -> Bootstrap {
        Bootstrap::new(Resampling::with_seed(1))
    }

    /// One token per window.
    fn stratum(values: &[f64]) -> WindowSums {
        WindowSums::new(values.iter().map(|&value| [value]))
    }

    #[test]
    fn one_text_gives_the_texts_own_mean_and_interval() {
        for n in [1, 5, 30] {
            let only = stratum(&(0..n).map(|i| f64::from(i * 7 % 11)).collect::<Vec<_>>());
            let want = mean(&only, &seeded());
            assert_eq!(stratified_mean(&[only.clone(), stratum(&[])], &seeded()), want);
        }
    }

    #[test]
    fn what_texts_differ_in_does_not_widen_the_interval() {
        let ramp = |shift: f64| stratum(&(0..60).map(|i| shift + f64::from(i)).collect::<Vec<_>>());
        let width = |strata: &[WindowSums]| {
            let interval = stratified_mean(strata, &seeded()).unwrap().interval.unwrap();
            interval.hi - interval.lo
        };
        let (alike, apart) = (width(&[ramp(0.0), ramp(0.0)]), width(&[ramp(0.0), ramp(5_000.0)]));
        assert!((apart / alike - 1.0).abs() < 1e-6, "{apart} {alike}");
    }

    #[test]
    fn windows_that_are_alike_in_every_text_have_no_interval_unless_they_are_zero() {
        for n in [3, 20] {
            let texts = |values: [f64; 2]| values.map(|value| stratum(&vec![value; n]));
            let summary = stratified_mean(&texts([1.0, 9.0]), &seeded()).unwrap();
            assert_eq!(summary, Summary { value: 5.0, interval: None });
            let zero = stratified_mean(&texts([0.0, 0.0]), &seeded()).unwrap();
            let interval = Some(Interval { lo: 0.0, hi: 0.0, level: 0.95 });
            assert_eq!(zero, Summary { value: 0.0, interval });
        }
    }

    #[test]
    fn a_few_windows_get_students_interval_with_the_fewest_degrees_of_freedom() {
        // Window means 1, 3 and 10, 12, 14: variances of the sums 2 x 2 and 3 x 4, over 5 tokens.
        let strata = [stratum(&[1.0, 3.0]), stratum(&[10.0, 12.0, 14.0])];
        let summary = stratified_mean(&strata, &seeded()).unwrap();
        let half_width = 12.706_204_736_174_7 * 16.0_f64.sqrt() / 5.0;
        let interval = summary.interval.unwrap();
        assert!((summary.value - 8.0).abs() < 1e-12);
        assert!((interval.lo - (8.0 - half_width)).abs() < 1e-9, "{interval:?}");
        assert!((interval.hi - (8.0 + half_width)).abs() < 1e-9, "{interval:?}");
    }

    #[test]
    fn a_text_of_one_window_leaves_no_interval() {
        let strata = [stratum(&[1.0]), stratum(&[2.0; 20])];
        assert_eq!(stratified_mean(&strata, &seeded()).unwrap().interval, None);
    }

    #[test]
    fn many_windows_have_about_the_normal_interval() {
        let ramp = |shift: f64| -> Vec<f64> { (0..200).map(|i| shift + f64::from(i)).collect() };
        let strata = [stratum(&ramp(0.0)), stratum(&ramp(5_000.0))];
        let interval = stratified_mean(&strata, &seeded()).unwrap().interval.unwrap();
        // Each half's mean has variance (200² - 1) / 12 / 199; the pooled mean is their average.
        let error = ((200.0_f64.powi(2) - 1.0) / 12.0 / 199.0 / 2.0).sqrt();
        let width = (interval.hi - interval.lo) / (2.0 * error);
        assert!((width - 1.97).abs() < 0.05, "{width} standard errors to either side");
    }

    #[test]
    fn an_infinite_token_leaves_no_mean() {
        let strata = [stratum(&[1.0, f64::INFINITY]), stratum(&[1.0, 2.0])];
        assert_eq!(stratified_mean(&strata, &seeded()), None);
        assert_eq!(stratified_mean(&[], &seeded()), None);
    }
}
