//! How often the intervals of paired differences cover the truth and the tests reject it, in simulated
//! suites of tasks. Owns the simulation; seeded, so that a pass is a pass.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ContinuousCDF, Normal};

use super::*;

const SUITES: u64 = 4_000;

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

fn standard_normal(rng: &mut ChaCha8Rng) -> f64 {
    Normal::standard().inverse_cdf(uniform(rng))
}

/// Independent tasks with these probabilities that the first, or the second, alone passes.
fn counts(n: u64, first: f64, second: f64, rng: &mut ChaCha8Rng) -> PairedCounts {
    let task = |_| match uniform(rng) {
        u if u < first => (true, false),
        u if u < first + second => (false, true),
        _ => (true, true),
    };
    PairedCounts::of((0..n).map(task))
}

fn share(mut hit: impl FnMut(u64) -> bool) -> f64 {
    (0..SUITES).filter(|&seed| hit(seed)).count() as f64 / SUITES as f64
}

/// At 4,000 suites a true 95 % shows as 94.3 to 95.7 %; discreteness moves it further with few tasks.
#[track_caller]
fn check_tango(n: u64, first: f64, second: f64, bounds: std::ops::RangeInclusive<f64>) {
    let covered = share(|seed| {
        let counts = counts(n, first, second, &mut ChaCha8Rng::seed_from_u64(seed));
        let interval = tango_interval(&counts, 0.95).unwrap();
        (interval.lo..=interval.hi).contains(&(first - second))
    });
    assert!(bounds.contains(&covered), "covered {covered}, expected {bounds:?}");
}

#[test]
fn tangos_interval_covers_with_a_full_suite() {
    check_tango(200, 0.08, 0.05, 0.94..=0.96);
    check_tango(200, 0.2, 0.05, 0.94..=0.96);
}

#[test]
fn tangos_interval_covers_with_few_tasks_and_few_differences() {
    check_tango(40, 0.03, 0.03, 0.94..=1.0);
    check_tango(12, 0.1, 0.1, 0.94..=1.0);
    check_tango(6, 0.3, 0.1, 0.93..=0.99);
}

#[track_caller]
fn check_size(n: u64, discordance: f64, exact: f64, mid_p: f64) {
    let rejected = |p_value: fn(McNemar) -> f64| {
        share(|seed| {
            let half = discordance / 2.0;
            let counts = counts(n, half, half, &mut ChaCha8Rng::seed_from_u64(seed));
            p_value(mcnemar(&counts)) <= 0.05
        })
    };
    let (got_exact, got_mid_p) = (rejected(|p| p.exact), rejected(|p| p.mid_p));
    assert!(got_exact <= exact && got_mid_p <= mid_p, "exact {got_exact}, mid-p {got_mid_p}");
    assert!(got_exact <= got_mid_p);
}

#[test]
fn mcnemar_rejects_equal_models_no_more_often_than_it_says() {
    check_size(6, 0.3, 0.05, 0.055);
    check_size(40, 0.2, 0.05, 0.055);
    check_size(200, 0.1, 0.05, 0.055);
}

/// Differences of 20 tasks in each of `n_families`, with a lean of each family of its own.
fn families(n_families: usize, between: f64, rng: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
    let mut family = || {
        let lean = between * standard_normal(rng);
        (0..20).map(|_| lean + 0.3 * standard_normal(rng)).collect()
    };
    (0..n_families).map(|_| family()).collect()
}

#[track_caller]
fn check_families(n_families: usize, bounds: std::ops::RangeInclusive<f64>) {
    let suites = 1_000;
    let covered = (0..suites).filter(|&seed| {
        let families = families(n_families, 0.15, &mut ChaCha8Rng::seed_from_u64(seed));
        let resampling = Resampling { mean_resamples: 1_999, ..Resampling::with_seed(seed) };
        let interval = mean_by_family(&families, &Bootstrap::new(resampling)).unwrap().interval;
        interval.is_some_and(|interval| (interval.lo..=interval.hi).contains(&0.0))
    });
    let covered = covered.count() as f64 / suites as f64;
    assert!(bounds.contains(&covered), "{n_families}: covered {covered}, expected {bounds:?}");
}

#[test]
fn intervals_by_family_cover_with_many_families_and_with_few() {
    check_families(12, 0.92..=0.98);
    check_families(8, 0.92..=0.98);
    check_families(4, 0.92..=0.98);
}

/// What taking tasks of a family for independent would do.
#[test]
fn intervals_by_task_do_not_cover_what_other_families_would_give() {
    let covered = (0..400).filter(|&seed| {
        let tasks = families(10, 0.15, &mut ChaCha8Rng::seed_from_u64(seed)).concat();
        let resampling = Resampling { mean_resamples: 999, ..Resampling::with_seed(seed) };
        let interval = mean_by_task(&tasks, &Bootstrap::new(resampling)).unwrap().interval;
        interval.is_some_and(|interval| (interval.lo..=interval.hi).contains(&0.0))
    });
    assert!(covered.count() < 320);
}

#[test]
fn sign_flips_by_family_keep_their_level() {
    for n_families in [FEWEST_FAMILIES, 10, 20] {
        let rejected = (0..600).filter(|&seed| {
            let families = families(n_families, 0.15, &mut ChaCha8Rng::seed_from_u64(seed));
            let sums: Vec<f64> = families.iter().map(|family| family.iter().sum()).collect();
            sign_flip(&sums, seed).is_some_and(|test| test.p_value <= 0.05)
        });
        let rejected = rejected.count();
        assert!(rejected <= 45, "{n_families}: {rejected} of 600");
    }
}

#[test]
fn the_number_of_pairs_it_takes_finds_the_difference_as_often_as_it_says() {
    // 10 points at 20 % discordance: 15 % and 5 %.
    let n = pairs_needed(0.1, 0.2, Design::usual(0.05)).unwrap();
    let found = share(|seed| {
        let counts = counts(n, 0.15, 0.05, &mut ChaCha8Rng::seed_from_u64(seed));
        mcnemar(&counts).mid_p <= 0.05 && counts.first_only > counts.second_only
    });
    assert!((0.77..=0.82).contains(&found), "found {found}");
}
