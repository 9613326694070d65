//! The final softcap of a row of logits, c · tanh(x / c), where the engine leaves it to us. Owns the
//! hyperbolic tangent; never decides which rows are capped.
//!
//! The three operations are the engine's own, in its order: times the rounded 1/c, tanh, times c.
//! Only the tangent differs: the engine calls the C library once per element, which takes longer
//! than all else that is done to a row, and is within 2.2 units in the last place (glibc 2.36) where
//! this one is within 1.

#![expect(
    clippy::inline_always,
    reason = "intrinsics become instructions only inside a function that enables them"
)]

use super::exp::{Anchor, Exp};
use super::{Block, LANES, Vector};

/// Up to here the polynomial, beyond it the exponential. So a logit up to c takes the short way.
const NEAR: f32 = 1.0;
/// tanh is 1 in f32 from 9.02 on.
const FAR: f32 = 10.0;
/// tanh(t) ≈ t + t s (C0 + C1 s + ... + C7 s⁷), s = t², for |t| ≤ 1: least maximum relative error with
/// each coefficient rounded to f32 before the next ones are found (reweighted least squares). The
/// relative error is at most 5.0e-10, far below one rounding of f32.
const COEFFICIENTS: [f32; 8] = [
    -0.333_333_28,
    0.133_331_75,
    -0.053_950_716,
    0.021_774_355,
    -0.008_571_074,
    0.003_048_123_6,
    -0.000_821_204,
    0.000_116_208_64,
];

/// Constants of one cap in vectors.
struct Softcap<V: Vector> {
    v: V,
    cap: V::F32,
    per_cap: V::F32,
    exp: Exp<V>,
}

impl<V: Vector> Softcap<V> {
    #[inline(always)]
    fn new(v: V, cap: f32) -> Self {
        let exp = Exp::new(v, Anchor::new(0.0));
        Self { v, cap: v.splat(cap), per_cap: v.splat(1.0 / cap), exp }
    }

    #[inline(always)]
    fn of(&self, logits: V::F32) -> V::F32 {
        let v = self.v;
        let t = v.mul(logits, self.per_cap);
        let size = v.max(t, v.sub(v.splat(0.0), t));
        let mut tanh = self.near(t);
        if v.not_at_most(size, v.splat(NEAR)) != 0 {
            // NaN comes here and stays what the polynomial made of it: NaN.
            let is_far = v.and_greater(v.all_true(), size, v.splat(NEAR));
            tanh = v.select(is_far, self.far(t, size), tanh);
        }
        v.mul(tanh, self.cap)
    }

    /// tanh(t) for |t| ≤ [`NEAR`], nonsense beyond.
    #[inline(always)]
    fn near(&self, t: V::F32) -> V::F32 {
        let v = self.v;
        let square = v.mul(t, t);
        let [rest @ .., last] = COEFFICIENTS;
        let mut sum = v.splat(last);
        for coefficient in rest.into_iter().rev() {
            sum = v.mul_add(sum, square, v.splat(coefficient));
        }
        v.mul_add(t, v.mul(sum, square), t)
    }

    /// tanh(t) = ±(1 - 2 / (e^2|t| + 1)) for |t| ≥ [`NEAR`]; `size` is |t|.
    #[inline(always)]
    fn far(&self, t: V::F32, size: V::F32) -> V::F32 {
        let v = self.v;
        let saturates = v.and_greater(v.all_true(), size, v.splat(FAR));
        let size = v.select(saturates, v.splat(FAR), size);
        let exp = self.exp.of(v.mul(size, v.splat(2.0)));
        let below_one = v.div(v.splat(2.0), v.sub(exp, v.splat(-1.0)));
        let tanh = v.sub(v.splat(1.0), below_one);
        let is_negative = v.and_greater(v.all_true(), v.splat(0.0), t);
        v.select(is_negative, v.sub(v.splat(0.0), tanh), tanh)
    }
}

/// Writes the capped row to `out`.
///
/// Panics unless both have one length.
#[inline(always)]
pub(super) fn softcap<V: Vector, const PHASES: usize>(
    v: V,
    row: &[f32],
    cap: f32,
    out: &mut [f32],
) {
    assert_eq!(row.len(), out.len(), "a row is capped into one of its length");
    let softcap = Softcap::new(v, cap);
    let step = |from: &Block, to: &mut Block| {
        for phase in 0..PHASES {
            v.store(to, phase, softcap.of(v.load(from, phase)));
        }
    };
    let (full, rest) = row.as_chunks::<LANES>();
    let (full_out, rest_out) = out.as_chunks_mut::<LANES>();
    for (from, to) in full.iter().zip(full_out) {
        step(from, to);
    }
    let mut last = [0.0; LANES];
    last[..rest.len()].copy_from_slice(rest);
    let mut capped = last;
    step(&last, &mut capped);
    rest_out.copy_from_slice(&capped[..rest.len()]);
}
