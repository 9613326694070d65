//! The portable variant: one element at a time. Owns the plain meaning of each vector operation;
//! uses no instruction set of its own.

#![expect(
    clippy::inline_always,
    reason = "intrinsics become instructions only inside a function that enables them"
)]

use super::{Block, LaneSums, Vector};

/// Vectors of one element; every machine has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scalar;

impl Vector for Scalar {
    type F32 = f32;
    type Sum = f64;
    type Mask = bool;

    const WIDTH: usize = 1;

    #[inline(always)]
    fn splat(self, value: f32) -> f32 {
        value
    }

    #[inline(always)]
    fn load(self, block: &Block, phase: usize) -> f32 {
        block[phase]
    }

    #[inline(always)]
    fn store(self, block: &mut Block, phase: usize, value: f32) {
        block[phase] = value;
    }

    #[inline(always)]
    fn sub(self, left: f32, right: f32) -> f32 {
        left - right
    }

    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn add_exponent(self, value: f32, power: f32) -> f32 {
        f32::from_bits(value.to_bits().wrapping_add(power.to_bits() << 23))
    }

    #[inline(always)]
    fn and_greater(self, before: bool, left: f32, right: f32) -> bool {
        before && left > right
    }

    #[inline(always)]
    fn not_at_most(self, left: f32, right: f32) -> u32 {
        u32::from(left > right || left.is_nan() || right.is_nan())
    }

    #[inline(always)]
    fn keep(self, mask: bool, value: f32) -> f32 {
        if mask { value } else { 0.0 }
    }

    #[inline(always)]
    fn all_true(self) -> bool {
        true
    }

    #[inline(always)]
    fn is_all_true(self, mask: bool) -> bool {
        mask
    }

    #[inline(always)]
    fn zero_sum(self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn add(self, sum: f64, value: f32) -> f64 {
        sum + f64::from(value)
    }

    #[inline(always)]
    fn add_product(self, sum: f64, a: f32, b: f32) -> f64 {
        // The product is exact in f64, so this equals a fused multiply-add.
        sum + f64::from(a) * f64::from(b)
    }

    #[inline(always)]
    fn store_sum(self, lanes: &mut LaneSums, phase: usize, sum: f64) {
        lanes[phase] = sum;
    }
}
