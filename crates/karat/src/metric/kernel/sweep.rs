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

/// Which logits a sweep is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// All within 85 nats below the anchor, as almost every row has them. Faster; the sums are
    /// void if it turns out otherwise.
    Near,
    /// Any that have a softmax, -inf included.
    Any,
}

/// How a sweep takes its exponentials.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub anchor: Anchor,
    pub range: Range,
}

/// Result of [`exponentials`].
pub(super) struct Exponentials {
    /// Σ exp, at the row's anchor.
    pub sum: f64,
    /// Whether all logits were near, see [`Range::Near`].
    pub all_near: bool,
}

/// A candidate row and the reference row it meets.
pub(super) struct Pair<'a> {
    /// The reference's logits, with 0 in place of -inf; `ceil(n_vocab / LANES)` blocks.
    pub reference: &'a [Block],
    /// The reference's exponentials at its own anchor, 0 where they do not count.
    pub reference_exp: &'a [Block],
    /// The candidate's logits, `n_vocab` of them.
    pub candidate: &'a [f32],
    /// For the candidate's exponentials.
    pub scale: Scale,
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
    /// Whether all candidate logits were near, see [`Range::Near`].
    pub all_near: bool,
}

/// The row's blocks, the last one filled up where the row ends inside it.
fn blocks(row: &[f32]) -> (&[Block], Option<Block>) {
    let (full, rest) = row.as_chunks::<LANES>();
    let mut last = [PADDING; LANES];
    last[..rest.len()].copy_from_slice(rest);
    (full, (!rest.is_empty()).then_some(last))
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

/// The largest logits seen so far, and the threshold in vectors.
struct Ranking<V: Vector> {
    v: V,
    top: Top,
    threshold: V::F32,
    row_len: usize,
}

impl<V: Vector> Ranking<V> {
    #[inline(always)]
    fn new(v: V, top: Top, row_len: usize) -> Self {
        Self { v, top, threshold: v.splat(top.threshold()), row_len }
    }

    /// Takes one vector; false once the row is known to be broken.
    #[inline(always)]
    fn observe(&mut self, values: V::F32, block: &Block, block_idx: usize, phase: usize) -> bool {
        let bits = self.v.not_at_most(values, self.threshold) << (phase * V::WIDTH);
        if bits == 0 {
            return true;
        }
        let threshold = self.top.offer(block, block_idx * LANES, bits, self.row_len);
        self.threshold = self.v.splat(threshold);
        !self.top.is_broken()
    }
}

/// A lower bound of the fifth largest logit, from a quarter of the row: the fifth largest of the
/// lanes' maxima there. Spares the list most of the logits it would take in and push out again.
#[inline(always)]
fn lower_bound<V: Vector, const PHASES: usize>(v: V, full: &[Block]) -> f32 {
    let mut maxima = [f32::NEG_INFINITY; LANES];
    let mut running = [v.splat(f32::NEG_INFINITY); PHASES];
    for block in &full[..full.len() / 4] {
        for (phase, max) in running.iter_mut().enumerate() {
            *max = v.max(v.load(block, phase), *max);
        }
    }
    for (phase, &max) in running.iter().enumerate() {
        v.store(&mut maxima, phase, max);
    }
    Top::new().offer(&maxima, 0, (1 << LANES) - 1, LANES)
}

/// The largest logits of a row, or a broken list.
#[inline(always)]
pub(super) fn largest<V: Vector, const PHASES: usize>(v: V, row: &[f32]) -> Top {
    let (full, last) = blocks(row);
    let mut ranking =
        Ranking::new(v, Top::with_bound(lower_bound::<V, PHASES>(v, full)), row.len());
    for (block_idx, block) in full.iter().chain(&last).enumerate() {
        for phase in 0..PHASES {
            if !ranking.observe(v.load(block, phase), block, block_idx, phase) {
                return ranking.top;
            }
        }
    }
    ranking.top
}

/// The state of [`exponentials`].
struct Filling<V: Vector, const PHASES: usize> {
    v: V,
    exp: Exp<V>,
    sums: [V::Sum; PHASES],
    near: V::Mask,
}

impl<V: Vector, const PHASES: usize> Filling<V, PHASES> {
    #[inline(always)]
    fn step<const ANY: bool>(&mut self, xs: &Block, logits: &mut Block, exps: &mut Block) {
        let v = self.v;
        for (phase, sum) in self.sums.iter_mut().enumerate() {
            let mut x = v.load(xs, phase);
            let mut p = self.exp.of(x);
            self.near = self.exp.alive(self.near, x);
            if ANY {
                p = v.keep(self.exp.alive(v.all_true(), x), p);
                x = v.keep(v.and_greater(v.all_true(), x, v.splat(f32::NEG_INFINITY)), x);
            }
            *sum = v.add(*sum, p);
            v.store(logits, phase, x);
            v.store(exps, phase, p);
        }
    }
}

/// Writes the row's exponentials and its logits, with 0 for -inf, in whole blocks.
///
/// Panics unless both outputs have `ceil(row.len() / LANES)` blocks.
#[inline(always)]
pub(super) fn exponentials<V: Vector, const PHASES: usize>(
    v: V,
    row: &[f32],
    scale: Scale,
    logits_out: &mut [Block],
    exp_out: &mut [Block],
) -> Exponentials {
    match scale.range {
        Range::Near => fill::<V, PHASES, false>(v, row, scale.anchor, logits_out, exp_out),
        Range::Any => fill::<V, PHASES, true>(v, row, scale.anchor, logits_out, exp_out),
    }
}

#[inline(always)]
fn fill<V: Vector, const PHASES: usize, const ANY: bool>(
    v: V,
    row: &[f32],
    anchor: Anchor,
    logits_out: &mut [Block],
    exp_out: &mut [Block],
) -> Exponentials {
    let (full, last) = blocks(row);
    let (logits, logits_last) = logits_out.split_at_mut(full.len());
    let (exps, exps_last) = exp_out.split_at_mut(full.len());
    let sums = [v.zero_sum(); PHASES];
    let mut state = Filling::<V, PHASES> { v, exp: Exp::new(v, anchor), sums, near: v.all_true() };
    for idx in 0..full.len() {
        state.step::<ANY>(&full[idx], &mut logits[idx], &mut exps[idx]);
    }
    let mut all_near = v.is_all_true(state.near);
    if let Some(last) = last {
        // The padding is never near.
        state.step::<true>(&last, &mut logits_last[0], &mut exps_last[0]);
        all_near &= anchor.all_alive(&row[full.len() * LANES..]);
    }
    Exponentials { sum: fold_phases(v, state.sums), all_near }
}

/// The running sums of one phase of [`pair`].
#[derive(Clone, Copy)]
struct Running<V: Vector> {
    sum: V::Sum,
    forward: V::Sum,
    backward: V::Sum,
}

/// The state of [`pair`].
struct Pairing<V: Vector, const PHASES: usize> {
    v: V,
    exp: Exp<V>,
    ranking: Ranking<V>,
    running: [Running<V>; PHASES],
    near: V::Mask,
}

impl<V: Vector, const PHASES: usize> Pairing<V, PHASES> {
    /// Takes one block of x, P and y; false once the row is known to be broken.
    #[inline(always)]
    fn step<const ANY: bool>(&mut self, idx: usize, xs: &Block, ps: &Block, ys: &Block) -> bool {
        let v = self.v;
        for (phase, run) in self.running.iter_mut().enumerate() {
            let y = v.load(ys, phase);
            if !self.ranking.observe(y, ys, idx, phase) {
                return false;
            }
            let mut q = self.exp.of(y);
            let mut difference = v.sub(v.load(xs, phase), y);
            self.near = self.exp.alive(self.near, y);
            if ANY {
                let possible = v.and_greater(v.all_true(), y, v.splat(f32::NEG_INFINITY));
                q = v.keep(self.exp.alive(v.all_true(), y), q);
                difference = v.keep(possible, difference);
            }
            run.sum = v.add(run.sum, q);
            run.forward = v.add_product(run.forward, v.load(ps, phase), difference);
            run.backward = v.add_product(run.backward, q, difference);
        }
        true
    }

    #[inline(always)]
    fn finish(self, all_near: bool) -> PairSums {
        let v = self.v;
        PairSums {
            sum: fold_phases(v, self.running.iter().map(|run| run.sum)),
            forward: fold_phases(v, self.running.iter().map(|run| run.forward)),
            backward: fold_phases(v, self.running.iter().map(|run| run.backward)),
            top: self.ranking.top,
            all_near,
        }
    }
}

/// Everything about a candidate row in one sweep.
///
/// Panics unless the reference has `ceil(candidate.len() / LANES)` blocks.
#[inline(always)]
pub(super) fn pair<V: Vector, const PHASES: usize>(v: V, job: &Pair<'_>) -> PairSums {
    match job.scale.range {
        Range::Near => pair_in_range::<V, PHASES, false>(v, job),
        Range::Any => pair_in_range::<V, PHASES, true>(v, job),
    }
}

#[inline(always)]
fn pair_in_range<V: Vector, const PHASES: usize, const ANY: bool>(
    v: V,
    job: &Pair<'_>,
) -> PairSums {
    let (full, last) = blocks(job.candidate);
    let (xs, xs_last) = job.reference.split_at(full.len());
    let (ps, ps_last) = job.reference_exp.split_at(full.len());
    let zero = v.zero_sum();
    let mut state = Pairing::<V, PHASES> {
        v,
        exp: Exp::new(v, job.scale.anchor),
        ranking: Ranking::new(v, job.top, job.candidate.len()),
        running: [Running { sum: zero, forward: zero, backward: zero }; PHASES],
        near: v.all_true(),
    };
    for idx in 0..full.len() {
        if !state.step::<ANY>(idx, &xs[idx], &ps[idx], &full[idx]) {
            return state.finish(false);
        }
    }
    let mut all_near = v.is_all_true(state.near);
    if let Some(ys) = last {
        // The padding is never near.
        state.step::<true>(full.len(), &xs_last[0], &ps_last[0], &ys);
        all_near &= job.scale.anchor.all_alive(&job.candidate[full.len() * LANES..]);
    }
    state.finish(all_near)
}
