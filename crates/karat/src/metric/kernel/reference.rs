//! A prepared reference row and its comparison with candidates. Owns the buffers, the checks and
//! what infinite logits mean; leaves the sweeps to the kernel.

use super::exp::{Anchor, LARGEST_MAX};
use super::row::{PairStats, RowStats};
use super::sweep::{Pair, PairSums, Range, Scale};
use super::top::{self, Top};
use super::{Block, Kernel, KernelError, LANES};

/// One row of reference logits, prepared once and compared with any number of candidates.
///
/// Holds two buffers of `n_vocab` f32, which `load` fills anew; no call allocates, but for the
/// list of impossible tokens where a row has such.
///
/// A logit of -inf means probability 0. NaN, +inf or a row of nothing but -inf is an error.
#[derive(Debug)]
pub struct Reference {
    n_vocab: usize,
    logits: Vec<Block>,
    exps: Vec<Block>,
    /// Tokens at -inf, ascending; `logits` holds 0 there.
    impossible: Vec<u32>,
    loaded: Option<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    stats: RowStats,
    target: u32,
    /// Σ of `exps`.
    sum: f64,
    /// What the row needed, and so its candidates probably need.
    range: Range,
}

impl Reference {
    /// Buffers for rows of `n_vocab` logits; nothing is loaded yet.
    pub fn new(n_vocab: usize) -> Self {
        let n_blocks = n_vocab.div_ceil(LANES);
        Self {
            n_vocab,
            logits: vec![[0.0; LANES]; n_blocks],
            exps: vec![[0.0; LANES]; n_blocks],
            impossible: Vec::new(),
            loaded: None,
        }
    }

    /// Prepares the row `logits` (`[n_vocab]`, any alignment) whose next token is `target`.
    ///
    /// Takes two sweeps. After an error nothing is loaded.
    pub fn load(
        &mut self,
        kernel: Kernel,
        logits: &[f32],
        target: u32,
    ) -> Result<&RowStats, KernelError> {
        self.loaded = None;
        self.check_length(logits)?;
        let target_logit = *logits
            .get(target as usize)
            .ok_or(KernelError::Target { target, n_vocab: self.n_vocab })?;
        let top = kernel.largest(logits);
        check_measurable(&top, logits)?;
        let mut scale = Scale { anchor: Anchor::new(top.max()), range: Range::Near };
        let mut swept = kernel.exponentials(logits, scale, &mut self.logits, &mut self.exps);
        self.impossible.clear();
        if !swept.all_near {
            scale.range = Range::Any;
            swept = kernel.exponentials(logits, scale, &mut self.logits, &mut self.exps);
            let ids = (0u32..).zip(logits).filter(|&(_, &logit)| logit == f32::NEG_INFINITY);
            self.impossible.extend(ids.map(|(id, _)| id));
        }
        let stats = RowStats::new(&top, scale.anchor, swept.sum, target_logit);
        let loaded =
            self.loaded.insert(Loaded { stats, target, sum: swept.sum, range: scale.range });
        Ok(&loaded.stats)
    }

    /// The loaded row's own figures.
    pub fn stats(&self) -> Option<&RowStats> {
        self.loaded.as_ref().map(|loaded| &loaded.stats)
    }

    /// Compares a candidate's row at the same position with the loaded one, in one sweep.
    ///
    /// With x, y the logits, p, q the probabilities, P, Q the exponentials at each row's scale:
    /// KL(p‖q) = Σ P (x - y) / Σ P + lse(y) - lse(x), and likewise the other way round. Nothing is
    /// rescaled on the way, so a row against itself gives exactly 0. (A second sweep is made only
    /// where the first cannot hold the row: the candidate's maximum is more than 80 nats above its
    /// logit of the reference's top token, or it alone has logits 85 nats below that one.)
    pub fn compare(&self, kernel: Kernel, candidate: &[f32]) -> Result<PairStats, KernelError> {
        let loaded = self.loaded.as_ref().ok_or(KernelError::NothingLoaded)?;
        self.check_length(candidate)?;
        let reference = &loaded.stats;
        let (anchor, sums) = self.sweep(kernel, loaded, candidate)?;
        let stats = RowStats::new(&sums.top, anchor, sums.sum, candidate[loaded.target as usize]);
        let (mut kld, mut reverse_kld) = divergences(loaded, &stats, &sums);
        if !sums.all_near || !self.impossible.is_empty() {
            let support = self.support(candidate);
            if support.lost {
                kld = f64::INFINITY;
            }
            if support.gained {
                reverse_kld = f64::INFINITY;
            }
        }
        Ok(PairStats {
            candidate: stats,
            kld,
            reverse_kld,
            delta_p: stats.p_target - reference.p_target,
            top5_overlap: top::overlap(&reference.top, &stats.top),
            same_top: reference.argmax() == stats.argmax(),
        })
    }

    fn check_length(&self, row: &[f32]) -> Result<(), KernelError> {
        if row.len() == self.n_vocab {
            return Ok(());
        }
        Err(KernelError::Length { got: row.len(), want: self.n_vocab })
    }

    /// Sweeps the candidate with a scale guessed from the reference's top tokens, and again in the
    /// rare case that the row turns out not to fit it.
    fn sweep(
        &self,
        kernel: Kernel,
        loaded: &Loaded,
        candidate: &[f32],
    ) -> Result<(Anchor, PairSums), KernelError> {
        let tokens = loaded.stats.top;
        // The candidate's logits of the reference's top five are a lower bound of its own fifth.
        let bound = tokens.iter().fold(f32::INFINITY, |bound, &id| {
            bound.min(candidate.get(id as usize).copied().unwrap_or(f32::NEG_INFINITY))
        });
        let anchor = Anchor::new(candidate[tokens[0] as usize]);
        let mut scale = Scale { anchor, range: loaded.range };
        loop {
            let sums = kernel.pair(&Pair {
                reference: &self.logits,
                reference_exp: &self.exps,
                candidate,
                scale,
                top: Top::with_bound(bound),
            });
            check_measurable(&sums.top, candidate)?;
            if !scale.anchor.fits(sums.top.max()) {
                scale.anchor = Anchor::new(sums.top.max());
            } else if scale.range == Range::Near && !sums.all_near {
                scale.range = Range::Any;
            } else {
                return Ok((scale.anchor, sums));
            }
        }
    }

    /// How the candidate's set of possible tokens differs from the reference's.
    fn support(&self, candidate: &[f32]) -> Support {
        let is_impossible = |logit: &&f32| **logit == f32::NEG_INFINITY;
        let n_candidate = candidate.iter().filter(is_impossible).count();
        let n_both = self
            .impossible
            .iter()
            .filter(|&&id| candidate[id as usize] == f32::NEG_INFINITY)
            .count();
        Support { lost: n_candidate > n_both, gained: self.impossible.len() > n_both }
    }
}

struct Support {
    /// A token is possible to the reference only.
    lost: bool,
    /// A token is possible to the candidate only.
    gained: bool,
}

/// Both divergences, for rows that hold the same tokens possible.
fn divergences(loaded: &Loaded, candidate: &RowStats, sums: &PairSums) -> (f64, f64) {
    let (lse_x, lse_y) = (loaded.stats.lse(), candidate.lse());
    (sums.forward / loaded.sum + (lse_y - lse_x), (lse_x - lse_y) - sums.backward / sums.sum)
}

/// Refuses rows without a softmax.
fn check_measurable(top: &Top, row: &[f32]) -> Result<(), KernelError> {
    let is_broken = |&(_, &logit): &(u32, &f32)| logit.is_nan() || logit == f32::INFINITY;
    if top.is_broken()
        && let Some((token, &value)) = (0u32..).zip(row).find(is_broken)
    {
        return Err(KernelError::NotFinite { token, value });
    }
    if top.max() == f32::NEG_INFINITY {
        return Err(KernelError::NoProbability { n_vocab: row.len() });
    }
    if top.max().abs() > LARGEST_MAX {
        return Err(KernelError::MaxOutOfRange { max: top.max(), limit: LARGEST_MAX });
    }
    Ok(())
}
