//! The token mean with its BCa bootstrap interval over windows.
//! Owns the resampling of a ratio of sums; never sees single tokens.

use super::MIN_BOOTSTRAP_WINDOWS;
use super::bca::bca_endpoints;
use super::bootstrap::Bootstrap;
use super::clustered::{WindowSum, WindowSums};
use super::interval::{Interval, Summary};
use super::student::{expanded_level, student_interval};

/// Token mean Σx / Σn and its interval; `None` without tokens or where the mean is not finite.
///
/// Windows are resampled with replacement and the ratio of sums is taken again, so windows of
/// different lengths get the weight they have. By number of windows k:
/// - k = 1: no interval, one window says nothing about the spread of windows;
/// - k = 2 to 7: Student's t on the linearised standard error ([`student_interval`]);
/// - from 8 ([`MIN_BOOTSTRAP_WINDOWS`]): BCa bootstrap, asked for the [`expanded_level`] that makes
///   up for few windows.
///
/// Coverage on clustered lognormal tokens: near the level from about 40 windows on; with heavy tails
/// and fewer windows some points short of it, as any method's is that has not seen the tail yet.
///
/// Where windows do not differ in their means there is no interval: that the windows seen are alike does
/// not show that all are. But a mean of tokens that are all exactly 0 is at that one point (unless k = 1):
/// of what is computed in floating point (a distance, a difference), only what is the same by construction
/// is 0 everywhere. Where single tokens are counts or shares, so that 0 is a common value of them, the
/// caller drops that interval too ([`Summary::with_width`]).
///
/// Source: Efron (1987) for BCa, Hesterberg (2015) for few windows.
pub fn mean(sums: &WindowSums, bootstrap: &Bootstrap) -> Option<Summary> {
    let value = sums.mean()?;
    let level = bootstrap.resampling().level;
    let k = sums.windows().len();
    let interval = if k < 2 {
        None
    } else if sums.is_zero() {
        Some(Interval { lo: 0.0, hi: 0.0, level })
    } else if !sums.has_spread() {
        None
    } else if k < MIN_BOOTSTRAP_WINDOWS {
        student_interval(sums, level)
    } else {
        let resampled = resampled_means(sums.windows(), bootstrap);
        let asked = expanded_level(level, k);
        let (lo, hi) = bca_endpoints(&resampled, value, &jackknife_means(sums), asked);
        Some(Interval { lo, hi, level })
    };
    Some(Summary { value, interval })
}

/// The token mean of every resample, ascending.
fn resampled_means(windows: &[WindowSum], bootstrap: &Bootstrap) -> Vec<f64> {
    let resamples = bootstrap.resampling().mean_resamples;
    let mut means = Vec::with_capacity(resamples as usize);
    bootstrap.for_each(windows.len(), resamples, |indices| {
        means.push(resampled_mean(windows, indices));
    });
    means.sort_unstable_by(f64::total_cmp);
    means
}

/// Σx / Σn over the drawn windows.
///
/// Four sums side by side, because one alone would wait for each addition to finish.
fn resampled_mean(windows: &[WindowSum], indices: &[u32]) -> f64 {
    let mut lanes = [WindowSum { sum: 0.0, tokens: 0.0 }; 4];
    let (quads, rest) = indices.as_chunks::<4>();
    for quad in quads {
        for (lane, &index) in lanes.iter_mut().zip(quad) {
            let window = windows[index as usize];
            lane.sum += window.sum;
            lane.tokens += window.tokens;
        }
    }
    for (lane, &index) in lanes.iter_mut().zip(rest) {
        let window = windows[index as usize];
        lane.sum += window.sum;
        lane.tokens += window.tokens;
    }
    let sum: f64 = lanes.iter().map(|lane| lane.sum).sum();
    let tokens: f64 = lanes.iter().map(|lane| lane.tokens).sum();
    sum / tokens
}

/// Σx / Σn over these windows; not finite where there is none.
pub(super) fn ratio(windows: &[WindowSum]) -> f64 {
    let sum: f64 = windows.iter().map(|window| window.sum).sum();
    let tokens: f64 = windows.iter().map(|window| window.tokens).sum();
    sum / tokens
}

/// The token mean with each window left out in turn. At least two windows.
fn jackknife_means(sums: &WindowSums) -> Vec<f64> {
    let total = sums.total();
    sums.windows()
        .iter()
        .map(|left_out| (total.sum - left_out.sum) / (total.tokens - left_out.tokens))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bootstrap::Resampling;
    use super::*;

    fn seeded(seed: u64) -> Bootstrap {
        Bootstrap::new(Resampling { mean_resamples: 499, ..Resampling::with_seed(seed) })
    }

    fn sums(windows: &[Vec<f64>]) -> WindowSums {
        WindowSums::new(windows.iter().map(|window| window.iter().copied()))
    }

    /// `n_windows` windows of growing length with values that differ.
    fn ramp(n_windows: usize) -> WindowSums {
        let window = |k: usize| (0..=k).map(|i| (k * 7 % 5 + i) as f64).collect();
        sums(&(0..n_windows).map(window).collect::<Vec<_>>())
    }

    #[test]
    fn nothing_has_no_mean() {
        assert_eq!(mean(&sums(&[]), &seeded(1)), None);
    }

    #[test]
    fn an_infinite_token_leaves_no_mean() {
        assert_eq!(mean(&sums(&[vec![1.0], vec![f64::INFINITY]]), &seeded(1)), None);
    }

    #[test]
    fn one_window_gives_a_value_without_interval() {
        let summary = mean(&sums(&[vec![1.0, 3.0]]), &seeded(1));
        assert_eq!(summary, Some(Summary { value: 2.0, interval: None }));
    }

    #[test]
    fn two_to_seven_windows_get_students_interval() {
        for n_windows in 2..MIN_BOOTSTRAP_WINDOWS {
            let sums = ramp(n_windows);
            let interval = mean(&sums, &seeded(1)).unwrap().interval;
            assert!(interval.is_some());
            assert_eq!(interval, student_interval(&sums, 0.95));
        }
    }

    #[test]
    fn eight_windows_are_resampled() {
        let sums = ramp(MIN_BOOTSTRAP_WINDOWS);
        let interval = mean(&sums, &seeded(1)).unwrap().interval;
        assert!(interval.is_some());
        assert_ne!(interval, student_interval(&sums, 0.95));
    }

    #[test]
    fn windows_that_are_alike_have_no_interval() {
        for n_windows in [2, 7, 8, 30] {
            let summary = mean(&sums(&vec![vec![0.1; 3]; n_windows]), &seeded(1)).unwrap();
            assert_eq!(summary, Summary { value: 0.1, interval: None });
            // Tokens differ, windows do not.
            let summary = mean(&sums(&vec![vec![0.1, 0.7]; n_windows]), &seeded(1)).unwrap();
            assert_eq!(summary.interval, None);
        }
    }

    #[test]
    fn what_is_exactly_zero_everywhere_has_an_interval_of_one_point() {
        for n_windows in [2, 7, 8, 30] {
            let summary = mean(&sums(&vec![vec![0.0; 3]; n_windows]), &seeded(1)).unwrap();
            let interval = Some(Interval { lo: 0.0, hi: 0.0, level: 0.95 });
            assert_eq!(summary, Summary { value: 0.0, interval });
        }
    }

    #[test]
    fn same_seed_gives_the_same_interval_and_another_seed_another() {
        let sums = ramp(20);
        assert_eq!(mean(&sums, &seeded(1)), mean(&sums, &seeded(1)));
        assert_ne!(mean(&sums, &seeded(1)), mean(&sums, &seeded(2)));
    }

    #[test]
    fn a_wider_level_contains_a_narrower_one() {
        let at = |level| {
            let resampling = Resampling { level, ..Resampling::with_seed(1) };
            mean(&ramp(20), &Bootstrap::new(resampling)).unwrap().interval.unwrap()
        };
        let (narrow, wide) = (at(0.8), at(0.99));
        assert!(wide.lo < narrow.lo && narrow.hi < wide.hi, "{narrow:?} {wide:?}");
    }

    proptest! {
        #[test]
        fn interval_follows_shift_and_scale(
            windows in prop::collection::vec(prop::collection::vec(-9_i32..9, 1..6), 8..20),
            shift in -5_i32..5,
        ) {
            // Whole numbers and a power of two keep all arithmetic but the quotients exact.
            let map = |transform: &dyn Fn(f64) -> f64| {
                let windows: Vec<Vec<f64>> = windows
                    .iter()
                    .map(|window| window.iter().map(|&x| transform(f64::from(x))).collect())
                    .collect();
                mean(&sums(&windows), &seeded(3)).unwrap()
            };
            let plain = map(&|x| x);
            let moved = map(&|x| 4.0 * (x + f64::from(shift)));
            let want = plain.map(|x| 4.0 * (x + f64::from(shift)));
            prop_assert!((moved.value - want.value).abs() < 1e-12);
            let (got, want) = (moved.interval.unwrap(), want.interval.unwrap());
            prop_assert!((got.lo - want.lo).abs() < 1e-9, "{:?} {:?}", got, want);
            prop_assert!((got.hi - want.hi).abs() < 1e-9, "{:?} {:?}", got, want);
        }

        #[test]
        fn value_lies_within_its_resamples(
            windows in prop::collection::vec(prop::collection::vec(-1e3_f64..1e3, 1..9), 8..30),
        ) {
            let sums = sums(&windows);
            let resampled = resampled_means(sums.windows(), &seeded(5));
            let value = sums.mean().unwrap();
            prop_assert!(resampled[0] <= value && value <= resampled[resampled.len() - 1]);
        }
    }
}
