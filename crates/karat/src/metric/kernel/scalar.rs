//! The portable variant: one element at a time. Owns the plain meaning of each vector operation;
//! uses no instruction set of its own.

use super::{Block, LaneSums, Vector};

/// Vectors of one element; every machine has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scalar;

impl Vector for Scalar {
    type F32 = f32;
    type Sum = f64;
    type Mask = bool;

    const WIDTH: usize = 1;

    #[inline]
    fn splat(self, value: f32) -> f32 {
        value
    }

    #[inline]
    fn load(self, block: &Block, phase: usize) -> f32 {
        block[phase]
    }

    #[inline]
    fn store(self, block: &mut Block, phase: usize, value: f32) {
        block[phase] = value;
    }

    #[inline]
    fn sub(self, left: f32, right: f32) -> f32 {
        left - right
    }

    #[inline]
    fn mul(self, left: f32, right: f32) -> f32 {
        left * right
    }

    #[inline]
    fn div(self, left: f32, right: f32) -> f32 {
        left / right
    }

    #[inline]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline]
    fn add_exponent(self, value: f32, power: f32) -> f32 {
        f32::from_bits(value.to_bits().wrapping_add(power.to_bits() << 23))
    }

    #[inline]
    fn and_greater(self, before: bool, left: f32, right: f32) -> bool {
        before && left > right
    }

    #[inline]
    fn max(self, left: f32, right: f32) -> f32 {
        if left > right { left } else { right }
    }

    #[inline]
    fn not_at_most(self, left: f32, right: f32) -> u32 {
        u32::from(left > right || left.is_nan() || right.is_nan())
    }

    #[inline]
    fn keep(self, mask: bool, value: f32) -> f32 {
        if mask { value } else { 0.0 }
    }

    #[inline]
    fn select(self, mask: bool, yes: f32, no: f32) -> f32 {
        if mask { yes } else { no }
    }

    #[inline]
    fn all_true(self) -> bool {
        true
    }

    #[inline]
    fn is_all_true(self, mask: bool) -> bool {
        mask
    }

    #[inline]
    fn zero_sum(self) -> f64 {
        0.0
    }

    #[inline]
    fn add(self, sum: f64, value: f32) -> f64 {
        sum + f64::from(value)
    }

    #[inline]
    fn add_product(self, sum: f64, a: f32, b: f32) -> f64 {
        // The product is exact in f64, so this equals a fused multiply-add.
        sum + f64::from(a) * f64::from(b)
    }

    #[inline]
    fn store_sum(self, lanes: &mut LaneSums, phase: usize, sum: f64) {
        lanes[phase] = sum;
    }
}
