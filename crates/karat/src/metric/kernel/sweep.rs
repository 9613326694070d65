//! The three sweeps over a row, written once for every instruction set. Owns their order of
//! operations, and so the bits of the result; never decides what an infinite sum means.

#![expect(
    clippy::inline_always,
    reason = "intrinsics become instructions only inside a function that enables them"
)]

use super::exp::{Anchor, Exp};
use super::top::Top;
use super::{Block, LANES, LaneSums, Vector};

/// Fills the last block of a row: finite, and too small to count.
const PADDING: f32 = f32::MIN;

/// Result of [`exponentials`].
pub(super) struct Exponentials {
    /// Σ exp, at the row's anchor.
    pub sum: f64,
    /// Whether some logit is -inf.
    pub has_neg_inf: bool,
}

/// A candidate row and the reference row it meets.
pub(super) struct Pair<'a> {
    /// The reference's logits, with 0 in place of -inf; `ceil(n_vocab / LANES)` blocks.
    pub reference: &'a [Block],
    /// The reference's exponentials at its own anchor.
    pub reference_exp: &'a [Block],
    /// The candidate's logits, `n_vocab` of them.
    pub candidate: &'a [f32],
    /// Scale of the candidate's exponentials.
    pub anchor: Anchor,
    /// Empty list for the candidate's largest logits.
    pub top: Top,
}

/// Sums over the vocabulary; x, y are the logits of reference and candidate, P, Q their
/// exponentials.
pub(super) struct PairSums {
    /// Σ Q.
    pub sum: f64,
    /// Σ P (x - y), without the tokens where y is -inf.
    pub forward: f64,
    /// Σ Q (x - y); meaningless where some x is -inf and its Q is not 0.
    pub backward: f64,
    /// The candidate's largest logits; the sums are unfinished where it is broken.
    pub top: Top,
    /// Whether some y is -inf.
    pub has_neg_inf: bool,
}

impl PairSums {
    /// What is left of a sweep that met a broken logit.
    fn unfinished(top: Top) -> Self {
        Self { sum: 0.0, forward: 0.0, backward: 0.0, top, has_neg_inf: false }
    }
}

/// The row's blocks but for the last, unfinished one, and that one filled up.
fn blocks(row: &[f32]) -> (&[Block], Block) {
    let (full, rest) = row.as_chunks::<LANES>();
    let mut last = [PADDING; LANES];
    last[..rest.len()].copy_from_slice(rest);
    (full, last)
}

/// Adds the lanes pairwise, always in the same order.
fn fold(mut lanes: LaneSums) -> f64 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// Collects the sums of all phases and adds them up.
#[inline(always)]
fn fold_phases<V: Vector>(v: V, sums: impl IntoIterator<Item = V::Sum>) -> f64 {
    let mut lanes = [0.0; LANES];
    for (phase, sum) in sums.into_iter().enumerate() {
        v.store_sum(&mut lanes, phase, sum);
    }
    fold(lanes)
}

/// The largest logits of a row, or a broken list.
#[inline(always)]
pub(super) fn largest<V: Vector, const PHASES: usize>(v: V, row: &[f32]) -> Top {
    let (full, last) = blocks(row);
    let mut top = Top::new();
    let mut threshold = v.splat(top.threshold());
    for (block_idx, block) in full.iter().chain(std::iter::once(&last)).enumerate() {
        for phase in 0..PHASES {
            let bits = v.not_at_most(v.load(block, phase), threshold) << (phase * V::WIDTH);
            if bits != 0 {
                threshold = v.splat(top.offer(block, block_idx * LANES, bits, row.len()));
                if top.is_broken() {
                    return top;
                }
            }
        }
    }
    top
}

/// Writes the row's exponentials and its logits, with 0 for -inf, in whole blocks.
#[inline(always)]
pub(super) fn exponentials<V: Vector, const PHASES: usize>(
    v: V,
    row: &[f32],
    anchor: Anchor,
    logits_out: &mut [Block],
    exp_out: &mut [Block],
) -> Exponentials {
    let (full, last) = blocks(row);
    let exp = Exp::new(v, anchor);
    let neg_inf = v.splat(f32::NEG_INFINITY);
    let mut sums = [v.zero_sum(); PHASES];
    let mut finite = v.all_true();
    for (block_idx, (logits, exps)) in logits_out.iter_mut().zip(exp_out).enumerate() {
        let block = full.get(block_idx).unwrap_or(&last);
        for (phase, sum) in sums.iter_mut().enumerate() {
            let x = v.load(block, phase);
            let possible = v.greater(x, neg_inf);
            finite = v.and(finite, possible);
            let p = exp.of(x);
            *sum = v.add(*sum, p);
            v.store(logits, phase, v.keep(possible, x));
            v.store(exps, phase, p);
        }
    }
    Exponentials { sum: fold_phases(v, sums), has_neg_inf: !v.is_all_true(finite) }
}

/// The running sums of one phase.
#[derive(Clone, Copy)]
struct Running<V: Vector> {
    sum: V::Sum,
    forward: V::Sum,
    backward: V::Sum,
}

/// Everything about a candidate row in one sweep.
#[inline(always)]
pub(super) fn pair<V: Vector, const PHASES: usize>(v: V, job: &Pair<'_>) -> PairSums {
    let (full, last) = blocks(job.candidate);
    let exp = Exp::new(v, job.anchor);
    let neg_inf = v.splat(f32::NEG_INFINITY);
    let mut top = job.top;
    let mut threshold = v.splat(top.threshold());
    let zero = v.zero_sum();
    let mut running = [Running::<V> { sum: zero, forward: zero, backward: zero }; PHASES];
    let mut finite = v.all_true();
    for (block_idx, (x, p)) in job.reference.iter().zip(job.reference_exp).enumerate() {
        let block = full.get(block_idx).unwrap_or(&last);
        for (phase, run) in running.iter_mut().enumerate() {
            let y = v.load(block, phase);
            let bits = v.not_at_most(y, threshold) << (phase * V::WIDTH);
            if bits != 0 {
                threshold = v.splat(top.offer(block, block_idx * LANES, bits, job.candidate.len()));
                if top.is_broken() {
                    return PairSums::unfinished(top);
                }
            }
            let possible = v.greater(y, neg_inf);
            finite = v.and(finite, possible);
            let q = exp.of(y);
            let difference = v.keep(possible, v.sub(v.load(x, phase), y));
            run.sum = v.add(run.sum, q);
            run.forward = v.add_product(run.forward, v.load(p, phase), difference);
            run.backward = v.add_product(run.backward, q, difference);
        }
    }
    PairSums {
        sum: fold_phases(v, running.iter().map(|run| run.sum)),
        forward: fold_phases(v, running.iter().map(|run| run.forward)),
        backward: fold_phases(v, running.iter().map(|run| run.backward)),
        top,
        has_neg_inf: !v.is_all_true(finite),
    }
}
