//! Paired pass rates against scipy and statsmodels, and against an independent numerical solution of
//! Tango's score equation; and what holds for any counts.
//! Owns the comparison; expected values come from `tests/fixtures/stats/make_paired.py`.

use proptest::prelude::*;
use serde_json::Value;

use super::tango::score;
use super::*;

fn oracle() -> Value {
    let text = include_str!("../../tests/fixtures/stats/paired.json");
    serde_json::from_str(text).expect("the fixture is JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(number).collect()
}

fn for_each<'a>(rows: &'a Value, mut check: impl FnMut(&'a Value)) {
    let rows = rows.as_array().expect("an array");
    assert!(!rows.is_empty());
    rows.iter().for_each(&mut check);
}

fn counts(value: &Value) -> PairedCounts {
    let [both, first_only, second_only, neither] =
        numbers(value)[..].try_into().map(|n: [f64; 4]| n.map(|n| n as u64)).unwrap();
    PairedCounts { both, first_only, second_only, neither }
}

#[track_caller]
fn check_close(what: &Value, got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{what}: got {got}, want {want}");
}

#[test]
fn mcnemar_is_statsmodels_and_its_mid_p_scipys_binomial() {
    for_each(&oracle()["tables"], |table| {
        let got = mcnemar(&counts(&table["counts"]));
        check_close(&table["counts"], got.exact, number(&table["exact"]), 1e-11);
        check_close(&table["counts"], got.mid_p, number(&table["mid_p"]), 1e-11);
    });
}

#[test]
fn tangos_interval_solves_the_score_equation() {
    for_each(&oracle()["tables"], |table| {
        for_each(&table["tango"], |case| {
            let [level, lo, hi] = numbers(case)[..] else { panic!("three numbers") };
            let interval = tango_interval(&counts(&table["counts"]), level).unwrap();
            check_close(&table["counts"], interval.lo, lo, 1e-6);
            check_close(&table["counts"], interval.hi, hi, 1e-6);
        });
        for_each(&table["score_at"], |case| {
            let [delta, want] = numbers(case)[..] else { panic!("two numbers") };
            let got = score(&counts(&table["counts"]), delta);
            check_close(&table["counts"], got, want, 1e-5 * want.abs().max(1.0));
        });
    });
}

#[test]
fn wilson_is_statsmodels() {
    for_each(&oracle()["wilson"], |case| {
        let [hits, n, level, lo, hi] = numbers(case)[..] else { panic!("five numbers") };
        let interval = wilson(hits as u64, n as u64, level).unwrap().interval.unwrap();
        check_close(case, interval.lo, lo, 1e-10);
        check_close(case, interval.hi, hi, 1e-10);
    });
}

#[test]
fn sign_flips_are_scipys_where_all_are_tried() {
    for_each(&oracle()["sign_flips"], |case| {
        let got = sign_flip(&numbers(&case[0]), 1).unwrap();
        assert!(got.exact);
        check_close(case, got.p_value, number(&case[1]), 1e-12);
    });
}

/// Both are random: 99,999 flips here, a million there.
#[test]
fn random_sign_flips_are_numpys_up_to_monte_carlo_error() {
    let case = &oracle()["large_sign_flip"];
    let want = number(&case["p_value"]);
    let got = sign_flip(&numbers(&case["values"]), 1).unwrap();
    let error = (want * (1.0 - want) / 1e5).sqrt();
    assert!(!got.exact);
    check_close(&case["p_value"], got.p_value, want, 4.0 * error);
    check_close(&case["t_test"], got.p_value, number(&case["t_test"]), 0.01);
}

/// The fixture's last column sums the mid-p test's power over all outcomes.
#[test]
fn pairs_needed_give_the_power_they_promise() {
    for_each(&oracle()["power"], |case| {
        let [difference, discordance, n, power] = numbers(case)[..] else { panic!("four numbers") };
        let got = pairs_needed(difference, discordance, Design::usual(0.05)).unwrap();
        assert_eq!(got, n.round() as u64);
        assert!((0.77..0.82).contains(&power), "{case}");
    });
}

#[test]
fn a_ratio_of_sums_has_scipys_interval_up_to_monte_carlo_error() {
    let case = &oracle()["seconds_per_pass"];
    let units: Vec<(f64, f64)> =
        numbers(&case["seconds"]).into_iter().zip(numbers(&case["passed"])).collect();
    let mean_resamples = 99_999;
    // Asked at the level whose expansion is 95 %, because the fixture's interval is not expanded.
    let mut level = 0.95;
    for _ in 0..60 {
        level += 0.95 - expanded_level(level, units.len());
    }
    let resampling = Resampling { level, mean_resamples, ..Resampling::with_seed(1) };
    let got = ratio_of_sums(&units, &Bootstrap::new(resampling)).unwrap();
    let (interval, want) = (got.interval.unwrap(), numbers(&case["interval"]));
    let tolerance = 0.05 * number(&case["standard_error"]);
    check_close(&case["value"], got.value, number(&case["value"]), 1e-10);
    check_close(&case["interval"], interval.lo, want[0], tolerance);
    check_close(&case["interval"], interval.hi, want[1], 2.0 * tolerance);
}

fn any_counts() -> impl Strategy<Value = PairedCounts> {
    (0_u64..60, 0_u64..40, 0_u64..40, 1_u64..60).prop_map(|(both, first, second, neither)| {
        PairedCounts { both, first_only: first, second_only: second, neither }
    })
}

proptest! {
    #[test]
    fn changing_the_models_over_mirrors_everything(counts in any_counts()) {
        let swapped = counts.swapped();
        let (one, other) =
            (tango_interval(&counts, 0.95).unwrap(), tango_interval(&swapped, 0.95).unwrap());
        prop_assert!((one.lo + other.hi).abs() < 1e-9 && (one.hi + other.lo).abs() < 1e-9);
        prop_assert_eq!(mcnemar(&counts), mcnemar(&swapped));
    }

    #[test]
    fn the_interval_holds_the_value_and_stays_possible(counts in any_counts()) {
        let interval = tango_interval(&counts, 0.95).unwrap();
        let value = counts.difference().unwrap();
        prop_assert!(-1.0 <= interval.lo && interval.lo <= value);
        prop_assert!(value <= interval.hi && interval.hi <= 1.0);
    }

    #[test]
    fn the_score_falls_as_the_difference_rises(counts in any_counts(), a in -0.99..0.99, b in -0.99..0.99) {
        let (low, high): (f64, f64) = if a < b { (a, b) } else { (b, a) };
        prop_assert!(score(&counts, low) >= score(&counts, high) - 1e-9);
    }

    #[test]
    fn not_worse_is_the_lower_end_beyond_the_margin(counts in any_counts(), margin in 0.01..0.4) {
        let end = tango_interval(&counts, 0.95).unwrap().lo;
        let p_value = non_inferiority_p(&counts, margin);
        if (end + margin).abs() > 1e-6 {
            prop_assert_eq!(p_value < 0.025, end > -margin, "{} {}", p_value, end);
        }
    }
}
