//! Resamples of windows: which windows each bootstrap resample consists of.
//! Owns the random draws and their reuse; never looks at a value.

use std::sync::{Arc, Mutex, PoisonError};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How intervals are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resampling {
    /// Confidence level of every interval, between 0 and 1.
    pub level: f64,
    /// Resamples behind an interval of a mean.
    pub mean_resamples: u32,
    /// Resamples behind an interval of a quantile; the first ones of those for means.
    pub quantile_resamples: u32,
    /// Seed of the draws.
    pub seed: u64,
}

impl Resampling {
    /// 95 %, with the numbers of resamples that make reruns under another seed agree to a few
    /// hundredths of a standard error for means, and to a tenth for quantiles.
    pub fn with_seed(seed: u64) -> Self {
        Self { level: 0.95, mean_resamples: 9_999, quantile_resamples: 1_999, seed }
    }
}

/// Draws above this number are made anew for each statistic instead of being kept (64 MiB).
const MAX_KEPT_DRAWS: usize = 1 << 24;

/// Source of resamples: for a number of windows, always the same ones.
///
/// All statistics over the same windows see the same resamples, so that drawing costs once and
/// paired figures stay paired. The draws depend on the seed and the number of windows alone: ChaCha8
/// has the same stream on every platform.
#[derive(Debug)]
pub struct Bootstrap {
    resampling: Resampling,
    last: Mutex<Option<Draws>>,
}

/// Window indices of every resample, `[resamples * n_windows]`.
#[derive(Clone, Debug)]
struct Draws {
    n_windows: usize,
    resamples: usize,
    indices: Arc<[u32]>,
}

impl Bootstrap {
    /// Draws nothing yet.
    pub fn new(resampling: Resampling) -> Self {
        Self { resampling, last: Mutex::new(None) }
    }

    /// The settings given.
    pub fn resampling(&self) -> &Resampling {
        &self.resampling
    }

    /// Calls `visit` with the window indices of the first `resamples` resamples, one after another.
    ///
    /// Each slice has `n_windows` indices below `n_windows`, drawn with replacement.
    pub fn for_each(&self, n_windows: usize, resamples: u32, mut visit: impl FnMut(&[u32])) {
        if n_windows == 0 {
            return;
        }
        let resamples = resamples as usize;
        if n_windows.saturating_mul(resamples) > MAX_KEPT_DRAWS {
            let mut rng = self.rng(n_windows);
            let mut indices = vec![0; n_windows];
            for _ in 0..resamples {
                draw(&mut rng, n_windows, &mut indices);
                visit(&indices);
            }
        } else {
            let draws = self.kept(n_windows, resamples);
            draws.indices.chunks_exact(n_windows).take(resamples).for_each(visit);
        }
    }

    /// As [`Bootstrap::for_each`], for windows that stand stratum after stratum: each resample draws as
    /// many of every stratum as there are. One stratum gives the same draws.
    pub fn for_each_stratified(
        &self,
        sizes: &[usize],
        resamples: u32,
        mut visit: impl FnMut(&[u32]),
    ) {
        let n_windows: usize = sizes.iter().sum();
        if n_windows == 0 {
            return;
        }
        let mut rng = self.rng(n_windows);
        let mut indices = vec![0; n_windows];
        for _ in 0..resamples {
            let mut first = 0;
            for &size in sizes {
                let stratum = &mut indices[first..first + size];
                draw(&mut rng, size, stratum);
                for index in stratum {
                    *index += first as u32;
                }
                first += size;
            }
            visit(&indices);
        }
    }

    /// At least `resamples` resamples, from the last call where that had as many.
    fn kept(&self, n_windows: usize, resamples: usize) -> Draws {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(draws) = last.as_ref()
            && draws.n_windows == n_windows
            && draws.resamples >= resamples
        {
            return draws.clone();
        }
        let mut indices = vec![0; n_windows * resamples];
        draw(&mut self.rng(n_windows), n_windows, &mut indices);
        let draws = Draws { n_windows, resamples, indices: indices.into() };
        *last = Some(draws.clone());
        draws
    }

    /// The stream for a number of windows. Numbers of windows get streams of their own, so that a
    /// prefix of the windows does not see a prefix of the draws.
    fn rng(&self, n_windows: usize) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.resampling.seed);
        rng.set_stream(n_windows as u64);
        rng
    }
}

/// Fills `indices` with draws below `n_windows`.
///
/// Takes the high half of a 32 by 32 bit product, whose bias of `n_windows / 2^32` per index is far
/// below what any number of resamples could show. Source: Lemire (2019), without the rejection step.
fn draw(rng: &mut ChaCha8Rng, n_windows: usize, indices: &mut [u32]) {
    for index in indices {
        *index = ((u64::from(rng.next_u32()) * n_windows as u64) >> 32) as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resamples(bootstrap: &Bootstrap, n_windows: usize, count: u32) -> Vec<Vec<u32>> {
        let mut all = Vec::new();
        bootstrap.for_each(n_windows, count, |indices| all.push(indices.to_vec()));
        all
    }

    fn seeded(seed: u64) -> Bootstrap {
        Bootstrap::new(Resampling::with_seed(seed))
    }

    #[test]
    fn same_seed_gives_same_resamples() {
        assert_eq!(resamples(&seeded(7), 13, 50), resamples(&seeded(7), 13, 50));
    }

    #[test]
    fn other_seed_gives_other_resamples() {
        assert_ne!(resamples(&seeded(7), 13, 50), resamples(&seeded(8), 13, 50));
    }

    #[test]
    fn fewer_resamples_are_the_first_of_more() {
        let bootstrap = seeded(1);
        let few_first = resamples(&bootstrap, 9, 20);
        let more = resamples(&bootstrap, 9, 60);
        assert_eq!(few_first, more[..20]);
        assert_eq!(few_first, resamples(&bootstrap, 9, 20));
    }

    #[test]
    fn an_interleaved_other_length_changes_nothing() {
        let bootstrap = seeded(1);
        let first = resamples(&bootstrap, 9, 20);
        resamples(&bootstrap, 30, 20);
        assert_eq!(first, resamples(&bootstrap, 9, 20));
    }

    #[test]
    fn draws_too_many_to_keep_are_the_same_draws() {
        // 5,000 * 4,000 is above the limit, the first 3,000 of them are below it.
        let bootstrap = seeded(3);
        let mut streamed = Vec::new();
        bootstrap.for_each(5_000, 4_000, |indices| streamed.push(indices[17]));
        let kept: Vec<u32> = resamples(&bootstrap, 5_000, 3_000).iter().map(|r| r[17]).collect();
        assert_eq!(streamed.len(), 4_000);
        assert_eq!(kept, streamed[..3_000]);
    }

    #[test]
    fn every_window_is_drawn_equally_often() {
        let mut counts = [0_u32; 10];
        seeded(5).for_each(10, 20_000, |indices| {
            for &index in indices {
                counts[index as usize] += 1;
            }
        });
        // Binomial(200,000, 0.1): standard deviation 134.
        assert!(counts.iter().all(|&count| count.abs_diff(20_000) < 700), "{counts:?}");
    }

    #[test]
    fn strata_are_drawn_from_by_themselves() {
        let mut counts = [0_u32; 12];
        seeded(5).for_each_stratified(&[2, 10], 12_000, |indices| {
            assert!(indices[..2].iter().all(|&index| index < 2));
            assert!(indices[2..].iter().all(|&index| (2..12).contains(&index)));
            for &index in indices {
                counts[index as usize] += 1;
            }
        });
        // 12,000 of each: standard deviation 110 at most.
        assert!(counts.iter().all(|&count| count.abs_diff(12_000) < 550), "{counts:?}");
    }

    #[test]
    fn one_stratum_is_drawn_like_windows_without_strata() {
        let mut stratified = Vec::new();
        seeded(7).for_each_stratified(&[13], 50, |indices| stratified.push(indices.to_vec()));
        assert_eq!(stratified, resamples(&seeded(7), 13, 50));
    }

    #[test]
    fn no_windows_give_no_resamples() {
        assert!(resamples(&seeded(5), 0, 10).is_empty());
    }
}
