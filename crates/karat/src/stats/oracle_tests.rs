//! The statistics against numpy, scipy and statsmodels on fixed data.
//! Owns the comparison; data and expected values come from `tests/fixtures/stats/make_oracle.py`.

use serde_json::Value;

use super::*;

/// The fixture's data sets.
const NAMES: [&str; 4] = ["skewed", "ragged", "tied", "few"];

fn oracle() -> Value {
    let text = include_str!("../../tests/fixtures/stats/oracle.json");
    serde_json::from_str(text).expect("the fixture is JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(number).collect()
}

/// Calls `check` with the name, the expected values and the windows of each data set.
fn for_each_data_set(check: impl Fn(&str, &Value, &Clustered)) {
    let oracle = oracle();
    for name in NAMES {
        let expected = &oracle["data_sets"][name];
        let windows: Vec<Vec<f64>> =
            expected["windows"].as_array().expect("an array").iter().map(numbers).collect();
        check(name, expected, &Clustered::new(windows.iter().map(Vec::as_slice)));
    }
}

#[track_caller]
fn check_close(what: &str, got: f64, want: f64, relative: f64) {
    let error = (got - want).abs() / want.abs().max(1e-300);
    assert!(error <= relative, "{what}: got {got:e}, want {want:e}, relative error {error:e}");
}

#[test]
fn token_mean_is_numpys() {
    for_each_data_set(|name, expected, clustered| {
        check_close(name, clustered.sums().mean().unwrap(), number(&expected["mean"]), 1e-14);
    });
}

#[test]
fn standard_error_is_statsmodels_cluster_robust_one() {
    for_each_data_set(|name, expected, clustered| {
        let error = linearised_standard_error(&clustered.sums()).unwrap();
        check_close(name, error, number(&expected["standard_error"]), 1e-12);
    });
}

#[test]
fn student_interval_has_scipys_quantiles() {
    for_each_data_set(|name, expected, clustered| {
        let interval = student_interval(&clustered.sums(), 0.95).unwrap();
        let want = numbers(&expected["student_95"]);
        check_close(name, interval.lo, want[0], 1e-10);
        check_close(name, interval.hi, want[1], 1e-10);
    });
}

#[test]
fn design_effect_is_the_ratio_of_variances() {
    for_each_data_set(|name, expected, clustered| {
        let effect = design_effect(clustered).unwrap();
        check_close(name, effect, number(&expected["design_effect"]), 1e-11);
    });
}

#[test]
fn quantiles_are_numpys_default() {
    for_each_data_set(|name, expected, clustered| {
        for pair in expected["quantiles"].as_array().unwrap() {
            let [probability, want] = numbers(pair)[..] else { panic!("a pair") };
            let mut tokens: Vec<f64> = clustered.tokens().collect();
            tokens.sort_by(f64::total_cmp);
            let got = quantile_of_sorted(&tokens, probability);
            assert!((got - want).abs() <= 1e-15 * want.abs(), "{name} {probability}: {got} {want}");
        }
    });
}

/// The normal distribution's two implementations differ in the eleventh digit of a probability, and
/// among 499 resamples that much moves an endpoint in the tenth.
#[test]
fn bca_endpoints_are_scipys_on_scipys_resamples() {
    for_each_data_set(|name, expected, clustered| {
        let value = clustered.sums().mean().unwrap();
        let jackknife = numbers(&expected["jackknife"]);
        for case in expected["bca"].as_array().unwrap() {
            let sorted = numbers(&case["sorted"]);
            let (lo, hi) = bca_endpoints(&sorted, value, &jackknife, number(&case["level"]));
            let want = numbers(&case["endpoints"]);
            check_close(name, lo, want[0], 1e-8);
            check_close(name, hi, want[1], 1e-8);
        }
    });
}

#[test]
fn expanded_level_is_scipys() {
    for case in oracle()["expanded_level"].as_array().unwrap() {
        let [level, n_windows, want] = numbers(case)[..] else { panic!("three numbers") };
        let got = expanded_level(level, n_windows as usize);
        check_close(&format!("{level} {n_windows}"), got, want, 1e-10);
    }
}

/// The streams of random numbers differ, so endpoints agree to Monte-Carlo error only: at 99,999
/// resamples about 0.01 standard errors, more in a long tail.
#[test]
fn mean_interval_is_scipys_up_to_monte_carlo_error() {
    let resampling = Resampling { mean_resamples: 99_999, ..Resampling::with_seed(1) };
    let bootstrap = Bootstrap::new(resampling);
    for_each_data_set(|name, expected, clustered| {
        if clustered.windows().len() < MIN_BOOTSTRAP_WINDOWS {
            return;
        }
        let interval = mean(&clustered.sums(), &bootstrap).unwrap().interval.unwrap();
        let want = numbers(&expected["mean_95"]["endpoints"]);
        let tolerance = 0.05 * number(&expected["standard_error"]);
        assert!((interval.lo - want[0]).abs() < tolerance, "{name}: {interval:?}, {want:?}");
        assert!((interval.hi - want[1]).abs() < tolerance, "{name}: {interval:?}, {want:?}");
    });
}
