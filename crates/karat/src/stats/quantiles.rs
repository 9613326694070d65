//! Quantiles of the tokens, with percentile bootstrap intervals over windows.
//! Owns the quantile rule and the resampling of sorted tokens; never makes a mean.

use super::MIN_BOOTSTRAP_WINDOWS;
use super::bootstrap::Bootstrap;
use super::clustered::Clustered;
use super::interval::{Interval, Summary};
use super::student::expanded_level;

/// Quantile of ascending values: the value at rank `probability * (n - 1)`, counted from 0,
/// interpolated linearly between neighbours.
///
/// The rule of llama-perplexity, of numpy's default and of type 7 in Hyndman & Fan (1996).
/// `probability` outside 0 to 1 gives the nearest end; `sorted` must not be empty.
pub fn quantile_of_sorted(sorted: &[f64], probability: f64) -> f64 {
    let rank = Rank::of(probability, sorted.len());
    rank.interpolate(sorted[rank.below], sorted[(rank.below + 1).min(sorted.len() - 1)])
}

/// A position between two neighbours of a sorted list.
#[derive(Clone, Copy)]
struct Rank {
    below: usize,
    fraction: f64,
}

impl Rank {
    fn of(probability: f64, n: usize) -> Self {
        let position = probability.clamp(0.0, 1.0) * (n - 1) as f64;
        Self { below: position as usize, fraction: position.fract() }
    }

    /// Exact at a neighbour and between equal ones, which the plain formula is not for infinities.
    fn interpolate(self, low: f64, high: f64) -> f64 {
        if self.fraction <= 0.0 || low >= high { low } else { low + self.fraction * (high - low) }
    }
}

/// Quantiles of all tokens, one per item of `probabilities`, each with its interval.
///
/// A quantile is `None` without tokens, where any token is NaN, or where it is infinite. The
/// interval is the percentile bootstrap over windows, asked for the [`expanded_level`]. It is missing below
/// [`MIN_BOOTSTRAP_WINDOWS`] windows, and where its upper end would be the largest token seen: too
/// few tokens then lie beyond the quantile to bound it; and where resamples do not differ in it. Where
/// every token is exactly 0 the interval is that one point (unless there is only one window), as in
/// [`mean`](super::mean()).
///
/// Source: Efron & Tibshirani (1993) for the percentile interval, Hesterberg (2015) for few windows.
pub fn quantiles(
    clustered: &Clustered,
    probabilities: &[f64],
    bootstrap: &Bootstrap,
) -> Vec<Option<Summary>> {
    let tokens = SortedTokens::new(clustered);
    let (Some(&min), Some(&max)) = (tokens.values.first(), tokens.values.last()) else {
        return vec![None; probabilities.len()];
    };
    // Sorted in total order, NaN of either sign is at one of the ends.
    if min.is_nan() || max.is_nan() {
        return vec![None; probabilities.len()];
    }
    let resampled = resampled_quantiles(&tokens, probabilities, bootstrap);
    let level = bootstrap.resampling().level;
    let k = tokens.window_lengths.len();
    std::iter::zip(probabilities, resampled)
        .map(|(&probability, resampled)| {
            let value = quantile_of_sorted(&tokens.values, probability);
            let interval = if min >= max {
                (k > 1 && min == 0.0).then_some(Interval { lo: 0.0, hi: 0.0, level })
            } else {
                let interval = percentile_interval(resampled, level, k);
                interval.filter(|interval| interval.hi < max && interval.lo < interval.hi)
            };
            value.is_finite().then_some(Summary { value, interval })
        })
        .collect()
}

/// Percentile endpoints; `None` without resamples.
fn percentile_interval(mut resampled: Vec<f64>, level: f64, n_windows: usize) -> Option<Interval> {
    if resampled.is_empty() {
        return None;
    }
    resampled.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - expanded_level(level, n_windows)) / 2.0;
    let lo = quantile_of_sorted(&resampled, tail);
    let hi = quantile_of_sorted(&resampled, 1.0 - tail);
    Some(Interval { lo, hi, level })
}

/// Each quantile on each resample, `[probabilities][resamples]`; empty where there is nothing to
/// resample.
///
/// A resample is a set of weights on the windows, so its quantile is found on the tokens sorted
/// once. The walk starts where the quantile of the data lies: how many resampled tokens come before
/// that is a sum over windows, and the rest of the way is short.
fn resampled_quantiles(
    tokens: &SortedTokens,
    probabilities: &[f64],
    bootstrap: &Bootstrap,
) -> Vec<Vec<f64>> {
    let k = tokens.window_lengths.len();
    let starts: Vec<Start> =
        probabilities.iter().map(|&probability| Start::new(tokens, probability)).collect();
    let mut resampled = vec![Vec::new(); probabilities.len()];
    if k < MIN_BOOTSTRAP_WINDOWS {
        return resampled;
    }
    let mut weights = vec![0_usize; k];
    bootstrap.for_each(k, bootstrap.resampling().quantile_resamples, |indices| {
        weights.fill(0);
        for &index in indices {
            weights[index as usize] += 1;
        }
        let n = dot(&weights, &tokens.window_lengths);
        for (start, quantiles) in std::iter::zip(&starts, &mut resampled) {
            let rank = Rank::of(start.probability, n);
            let before = dot(&weights, &start.before);
            let (low, high) = tokens.neighbours(&weights, rank.below, start.position, before);
            quantiles.push(rank.interpolate(low, high));
        }
    });
    resampled
}

fn dot(weights: &[usize], counts: &[u32]) -> usize {
    std::iter::zip(weights, counts).map(|(&weight, &count)| weight * count as usize).sum()
}

/// Where the walk to a quantile starts: the quantile of the data themselves.
struct Start {
    probability: f64,
    /// Position in the sorted tokens.
    position: usize,
    /// Tokens of each window before that position.
    before: Vec<u32>,
}

impl Start {
    fn new(tokens: &SortedTokens, probability: f64) -> Self {
        let position = Rank::of(probability, tokens.values.len()).below;
        let mut before = vec![0; tokens.window_lengths.len()];
        for &window in &tokens.window_of[..position] {
            before[window as usize] += 1;
        }
        Self { probability, position, before }
    }
}

/// All tokens in ascending order, with the windows they came from.
struct SortedTokens {
    values: Vec<f64>,
    window_of: Vec<u32>,
    window_lengths: Vec<u32>,
}

impl SortedTokens {
    fn new(clustered: &Clustered) -> Self {
        let mut tokens: Vec<(f64, u32)> = Vec::with_capacity(clustered.n_tokens());
        for (window_idx, window) in clustered.windows().iter().enumerate() {
            tokens.extend(window.iter().map(|&value| (value, window_idx as u32)));
        }
        // Ties need no order among themselves: whichever comes first, the value is the same.
        tokens.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let (values, window_of) = tokens.into_iter().unzip();
        let window_lengths = clustered.windows().iter().map(|w| w.len() as u32).collect();
        Self { values, window_of, window_lengths }
    }

    /// Values at ranks `rank` and `rank + 1` (or the last) of the tokens repeated by the weights of
    /// their windows. `before` of those repeated tokens come before position `start`.
    fn neighbours(
        &self,
        weights: &[usize],
        rank: usize,
        start: usize,
        before: usize,
    ) -> (f64, f64) {
        let weight_at = |position: usize| weights[self.window_of[position] as usize];
        let (mut position, mut before) = (start, before);
        while before > rank {
            position -= 1;
            before -= weight_at(position);
        }
        while before + weight_at(position) <= rank {
            before += weight_at(position);
            position += 1;
        }
        let low = self.values[position];
        if before + weight_at(position) > rank + 1 {
            return (low, low);
        }
        let high = (position + 1..self.values.len()).find(|&next| weight_at(next) > 0);
        (low, high.map_or(low, |next| self.values[next]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bootstrap::Resampling;
    use super::*;

    fn seeded() -> Bootstrap {
        Bootstrap::new(Resampling { quantile_resamples: 99, ..Resampling::with_seed(1) })
    }

    fn clustered(windows: &[Vec<f64>]) -> Clustered<'_> {
        Clustered::new(windows.iter().map(Vec::as_slice))
    }

    /// Ten windows of ten tokens: 0 to 99.
    fn hundred() -> Vec<Vec<f64>> {
        (0..10).map(|window| (0..10).map(|i| f64::from(window + 10 * i)).collect()).collect()
    }

    #[track_caller]
    fn check_quantile(sorted: &[f64], probability: f64, want: f64) {
        let got = quantile_of_sorted(sorted, probability);
        assert_eq!(got.to_bits(), want.to_bits(), "got {got}, want {want}");
    }

    #[test]
    fn even_lists_have_the_mean_of_the_middle_two_as_median() {
        check_quantile(&[1.0, 2.0, 4.0, 8.0], 0.5, 3.0);
    }

    #[test]
    fn ranks_between_neighbours_are_interpolated() {
        check_quantile(&[0.0, 10.0], 0.25, 2.5);
        check_quantile(&[7.0], 0.9, 7.0);
    }

    #[test]
    fn ends_are_minimum_and_maximum() {
        check_quantile(&[1.0, 2.0, 4.0], 0.0, 1.0);
        check_quantile(&[1.0, 2.0, 4.0], 1.0, 4.0);
    }

    #[test]
    fn infinity_reaches_only_ranks_next_to_it() {
        check_quantile(&[0.0, 1.0, f64::INFINITY], 0.5, 1.0);
        check_quantile(&[0.0, 1.0, f64::INFINITY], 0.6, f64::INFINITY);
        check_quantile(&[0.0, f64::INFINITY, f64::INFINITY], 0.6, f64::INFINITY);
    }

    #[test]
    fn interval_surrounds_the_quantile() {
        let windows = hundred();
        let median = quantiles(&clustered(&windows), &[0.5], &seeded())[0].unwrap();
        let interval = median.interval.unwrap();
        assert!(interval.lo <= median.value && median.value <= interval.hi && interval.hi < 70.0);
    }

    #[test]
    fn an_upper_end_at_the_largest_token_is_no_bound() {
        let windows = hundred();
        let summaries = quantiles(&clustered(&windows), &[0.5, 0.999, 1.0], &seeded());
        let has_interval = summaries.iter().map(|summary| summary.unwrap().interval.is_some());
        assert_eq!(has_interval.collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn few_windows_give_a_value_without_interval() {
        let windows = &hundred()[..MIN_BOOTSTRAP_WINDOWS - 1];
        let median = quantiles(&clustered(windows), &[0.5], &seeded())[0].unwrap();
        assert_eq!(median, Summary { value: 48.0, interval: None });
    }

    #[test]
    fn a_quantile_that_no_resample_moves_has_no_interval() {
        // Half of the tokens of every window are 1.
        let windows = vec![vec![1.0, 1.0, 1.0, 2.0, 3.0]; 10];
        let median = quantiles(&clustered(&windows), &[0.5], &seeded())[0].unwrap();
        assert_eq!(median, Summary { value: 1.0, interval: None });
        let equal = vec![vec![0.5; 4]; 10];
        let median = quantiles(&clustered(&equal), &[0.5], &seeded())[0].unwrap();
        assert_eq!(median, Summary { value: 0.5, interval: None });
    }

    #[test]
    fn what_is_exactly_zero_everywhere_has_an_interval_of_one_point() {
        let windows = vec![vec![0.0; 4]; 2];
        let median = quantiles(&clustered(&windows), &[0.5], &seeded())[0].unwrap();
        let interval = Some(Interval { lo: 0.0, hi: 0.0, level: 0.95 });
        assert_eq!(median, Summary { value: 0.0, interval });
        let single = quantiles(&clustered(&windows[..1]), &[0.5], &seeded())[0].unwrap();
        assert_eq!(single.interval, None);
    }

    #[test]
    fn quantiles_below_infinite_tokens_stand() {
        let mut windows = hundred();
        windows[3][9] = f64::INFINITY;
        let summaries = quantiles(&clustered(&windows), &[0.5, 0.999], &seeded());
        assert!(summaries[0].unwrap().interval.is_some());
        assert_eq!(summaries[1], None);
    }

    #[test]
    fn undefined_tokens_leave_no_quantile() {
        for undefined in [f64::NAN, -f64::NAN] {
            let mut windows = hundred();
            windows[3][9] = undefined;
            assert_eq!(quantiles(&clustered(&windows), &[0.1, 0.5], &seeded()), [None, None]);
        }
        assert_eq!(quantiles(&clustered(&[]), &[0.5], &seeded()), [None]);
    }

    proptest! {
        /// The walk over the tokens sorted once, against sorting every resample.
        #[test]
        fn walking_gives_what_sorting_each_resample_gives(
            windows in prop::collection::vec(prop::collection::vec(0_u32..12, 1..9), 8..14),
            probability in 0.0_f64..=1.0,
        ) {
            let windows: Vec<Vec<f64>> =
                windows.iter().map(|w| w.iter().map(|&x| f64::from(x)).collect()).collect();
            let bootstrap = seeded();
            let tokens = SortedTokens::new(&clustered(&windows));
            let walked = resampled_quantiles(&tokens, &[probability], &bootstrap);
            let mut sorted = Vec::new();
            bootstrap.for_each(windows.len(), 99, |indices| {
                let mut resample: Vec<f64> =
                    indices.iter().flat_map(|&index| windows[index as usize].clone()).collect();
                resample.sort_unstable_by(f64::total_cmp);
                sorted.push(quantile_of_sorted(&resample, probability));
            });
            prop_assert_eq!(&walked[0], &sorted);
        }
    }
}
