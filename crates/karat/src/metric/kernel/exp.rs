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

/// Largest magnitude of a row's maximum. Beyond, round(t / ln 2) in f32 strays so far from the
/// nearest integer that r leaves the range of the polynomial; and f32 logits are coarser than 1/32.
pub(super) const LARGEST_MAX: f32 = 524_288.0;
/// Logits more than this many powers of two below the anchor count as probability 0.
const DEPTH: f64 = 124.0;
/// How far, in nats, a row's maximum may lie above its anchor before f32 overflows.
const HEADROOM: f32 = 80.0;
/// How far below; further down small probabilities would fall out of range.
const SINK: f32 = 20.0;

/// The scale of a row: its exponentials are `exp(logit) / 2^power`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Anchor {
    /// A whole number.
    power: f32,
    /// Logits at or below this are taken as probability 0.
    dead: f32,
    /// The logit it was made for.
    logit: f32,
}

impl Anchor {
    /// Scale at which the exponential of `logit` is about 1; `logit` is brought within
    /// ±[`LARGEST_MAX`].
    pub(super) fn new(logit: f32) -> Self {
        let logit = logit.clamp(-LARGEST_MAX, LARGEST_MAX);
        let power = (logit * std::f32::consts::LOG2_E).round();
        let dead = ((f64::from(power) - DEPTH) * std::f64::consts::LN_2) as f32;
        Self { power, dead, logit }
    }

    /// Whether sums made with this anchor are good for a row of that maximum.
    pub(super) fn fits(&self, max: f32) -> bool {
        let above = max - self.logit;
        (-SINK..=HEADROOM).contains(&above)
    }

    /// Whether all these logits are large enough to count.
    pub(super) fn all_alive(&self, logits: &[f32]) -> bool {
        logits.iter().all(|&logit| logit > self.dead)
    }

    /// `ln Σ exp(logit - max)` from the sum of exponentials at this scale.
    pub(super) fn lse_offset(self, sum: f64, max: f32) -> f64 {
        // At the scale of its own maximum (exactly, by a power of two) a row gives the same bits
        // whatever anchor it was summed with.
        let own = Self::new(max);
        let sum = sum * 2f64.powi((self.power - own.power) as i32);
        sum.ln() + (f64::from(own.power) * std::f64::consts::LN_2 - f64::from(max))
    }
}

/// Constants of one row in vectors.
#[derive(Clone, Copy)]
pub(super) struct Exp<V: Vector> {
    v: V,
    dead: V::F32,
    round: V::F32,
}

impl<V: Vector> Exp<V> {
    #[inline(always)]
    pub(super) fn new(v: V, anchor: Anchor) -> Self {
        Self {
            v,
            dead: v.splat(anchor.dead),
            // Rounds and subtracts the scale's power in one go: both are integers below 2^23.
            round: v.splat(ROUND - anchor.power),
        }
    }

    /// Which logits are large enough to count; true before and now.
    #[inline(always)]
    pub(super) fn alive(&self, before: V::Mask, logits: V::F32) -> V::Mask {
        self.v.and_greater(before, logits, self.dead)
    }

    /// Exponentials of `WIDTH` logits at the row's scale; nonsense for those that do not count.
    #[inline(always)]
    pub(super) fn of(&self, logits: V::F32) -> V::F32 {
        let v = self.v;
        let rounded = v.mul_add(logits, v.splat(std::f32::consts::LOG2_E), self.round);
        let n = v.sub(rounded, self.round);
        let rest = v.mul_add(n, v.splat(-LN2_HIGH), logits);
        let rest = v.mul_add(n, v.splat(-LN2_LOW), rest);
        let mut sum = v.mul_add(v.splat(C6), rest, v.splat(C5));
        for coefficient in [C4, C3, 0.5, 1.0, 1.0] {
            sum = v.mul_add(sum, rest, v.splat(coefficient));
        }
        v.add_exponent(sum, rounded)
    }
}
