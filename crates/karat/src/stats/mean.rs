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
/// Where every token has the same value the interval is that one point (unless k = 1).
///
/// Source: Efron (1987) for BCa, Hesterberg (2015) for few windows.
pub fn mean(sums: &WindowSums, bootstrap: &Bootstrap) -> Option<Summary> {
    let value = sums.mean()?;
    let level = bootstrap.resampling().level;
    let k = sums.windows().len();
    let interval = if k < 2 {
        None
    } else if sums.is_constant() {
        Some(Interval { lo: value, hi: value, level })
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

/// The token mean with each window left out in turn. At least two windows.
fn jackknife_means(sums: &WindowSums) -> Vec<f64> {
    let total = sums.total();
    sums.windows()
        .iter()
        .map(|left_out| (total.sum - left_out.sum) / (total.tokens - left_out.tokens))
        .collect()
}
