//! The exponential of the sweeps: f32, about 1 ulp, without bias. Owns range reduction, polynomial
//! and the scale of a row; never sums.
//!
//! exp(t) = 2^n · e^r with n = round(t / ln 2), r = t - n ln 2. The scale of a row is a whole power
//! of two, so that scaling is exact and no rounded `logit - max` enters the exponent: what is
//! left is the rounding of r and of the polynomial, equal for equal logits in every row.

#![expect(
    clippy::inline_always,
    reason = "intrinsics become instructions only inside a function that enables them"
)]

use super::Vector;

/// 1.5 · 2^23: adding it to a small f32 rounds that to an integer and leaves it in the low bits.
const ROUND: f32 = 12_582_912.0;
/// ln 2 rounded to f32, and what that leaves out: t - n · `LN2_HIGH` is exact in f32.
const LN2_HIGH: f32 = std::f32::consts::LN_2;
const LN2_LOW: f32 = -1.904_654_3e-9;
/// e^r ≈ 1 + r + r²/2 + r³ (C3 + C4 r + C5 r² + C6 r³) for |r| ≤ 0.3468: least maximum relative
/// error with the first three held, found by reweighted least squares in extended precision.
/// The relative error is at most 4.0e-9 and 4e-10 on average, far below one rounding of f32.
const C3: f32 = 0.166_665_35;
const C4: f32 = 0.041_667_238;
const C5: f32 = 0.008_367_51;
const C6: f32 = 0.001_386_375_6;

/// Up to this magnitude logits are reduced as they are; above, f32 logits are coarser than 1/2048
/// and are first moved by the anchor, which is exact for all that are near it.
const LARGEST_UNMOVED: f32 = 8192.0;
/// Logits more than this many powers of two below the anchor count as probability 0.
const DEPTH: f64 = 124.0;
/// How far, in nats, a row's maximum may lie above its anchor before f32 overflows.
const HEADROOM: f32 = 80.0;
/// How far below; further down small probabilities would fall out of range.
const SINK: f32 = 20.0;

/// The scale of a row: its exponentials are `exp(logit - shift) / 2^power`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Anchor {
    shift: f32,
    power: f32,
    /// Moved logits at or below this are taken as probability 0.
    dead: f32,
    /// The logit it was made for.
    logit: f32,
}

impl Anchor {
    /// Scale at which the exponential of `logit` (finite) is about 1.
    pub(super) fn new(logit: f32) -> Self {
        let shift = if logit.abs() <= LARGEST_UNMOVED { 0.0 } else { logit };
        let power = ((logit - shift) * std::f32::consts::LOG2_E).round();
        let dead = ((f64::from(power) - DEPTH) * std::f64::consts::LN_2) as f32;
        Self { shift, power, dead, logit }
    }

    /// Whether sums made with this anchor are good for a row of that maximum.
    pub(super) fn fits(&self, max: f32) -> bool {
        let above = max - self.logit;
        (-SINK..=HEADROOM).contains(&above)
    }

    /// `ln Σ exp(logit - max)` from the sum of exponentials at this scale.
    pub(super) fn lse_offset(self, sum: f64, max: f32) -> f64 {
        let own = Self::new(max);
        if own.shift.to_bits() == self.shift.to_bits() {
            // At the scale of its own maximum (exactly, by a power of two) a row gives the same
            // bits whatever anchor it was summed with.
            let sum = sum * 2f64.powi((self.power - own.power) as i32);
            return sum.ln() + own.base(max);
        }
        sum.ln() + self.base(max)
    }

    /// Log of the scale, relative to `max`.
    fn base(self, max: f32) -> f64 {
        f64::from(self.power) * std::f64::consts::LN_2 + (f64::from(self.shift) - f64::from(max))
    }
}

/// Constants of one row in vectors.
#[derive(Clone, Copy)]
pub(super) struct Exp<V: Vector> {
    v: V,
    shift: V::F32,
    dead: V::F32,
    round: V::F32,
}

impl<V: Vector> Exp<V> {
    #[inline(always)]
    pub(super) fn new(v: V, anchor: Anchor) -> Self {
        Self {
            v,
            shift: v.splat(anchor.shift),
            dead: v.splat(anchor.dead),
            // Rounds and subtracts the scale's power in one go: both are integers below 2^24.
            round: v.splat(ROUND - anchor.power),
        }
    }

    /// Exponentials of `WIDTH` logits at the row's scale, +0 for those too small to count, -inf
    /// among them.
    #[inline(always)]
    pub(super) fn of(&self, logits: V::F32) -> V::F32 {
        let v = self.v;
        let moved = v.sub(logits, self.shift);
        let counts = v.greater(moved, self.dead);
        let rounded = v.mul_add(moved, v.splat(std::f32::consts::LOG2_E), self.round);
        let n = v.sub(rounded, self.round);
        let rest = v.mul_add(n, v.splat(-LN2_HIGH), moved);
        let rest = v.mul_add(n, v.splat(-LN2_LOW), rest);
        let mut sum = v.mul_add(v.splat(C6), rest, v.splat(C5));
        for coefficient in [C4, C3, 0.5, 1.0, 1.0] {
            sum = v.mul_add(sum, rest, v.splat(coefficient));
        }
        v.keep(counts, v.add_exponent(sum, rounded))
    }
}
