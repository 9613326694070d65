//! The NEON variant: 4 elements at a time. Owns its intrinsics; the algorithm is `sweep`'s.

#![expect(
    clippy::inline_always,
    reason = "intrinsics become instructions only inside a function that enables them"
)]

use std::arch::aarch64::{
    float32x4_t, float64x2_t, uint32x4_t, vaddq_f64, vaddq_u32, vaddvq_u32, vandq_u32, vbslq_f32,
    vcgtq_f32, vcleq_f32, vcvt_f64_f32, vcvt_high_f64_f32, vdivq_f32, vdupq_n_f32, vdupq_n_f64,
    vdupq_n_u32, vfmaq_f32, vfmaq_f64, vget_low_f32, vld1q_f32, vld1q_u32, vmaxq_f32, vminvq_u32,
    vmulq_f32, vmvnq_u32, vreinterpretq_f32_u32, vreinterpretq_u32_f32, vshlq_n_u32, vst1q_f32,
    vst1q_f64, vsubq_f32,
};

use super::softcap;
use super::sweep::{self, Exponentials, Pair, PairSums, Scale};
use super::top::Top;
use super::{Block, LANES, LaneSums, Vector};

const PHASES: usize = LANES / Neon::WIDTH;

/// Proof that the machine has NEON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Neon(());

impl Neon {
    /// The proof, where this machine has the instructions.
    pub(super) fn detect() -> Option<Self> {
        let has_all = std::arch::is_aarch64_feature_detected!("neon");
        has_all.then_some(Self(()))
    }

    /// See [`sweep::largest`].
    pub(super) fn largest(self, row: &[f32]) -> Top {
        #[target_feature(enable = "neon")]
        fn run(v: Neon, row: &[f32]) -> Top {
            sweep::largest::<_, PHASES>(v, row)
        }
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { run(self, row) }
    }

    /// See [`sweep::exponentials`].
    pub(super) fn exponentials(
        self,
        row: &[f32],
        scale: Scale,
        logits: &mut [Block],
        exps: &mut [Block],
    ) -> Exponentials {
        #[target_feature(enable = "neon")]
        fn run(
            v: Neon,
            row: &[f32],
            scale: Scale,
            logits: &mut [Block],
            exps: &mut [Block],
        ) -> Exponentials {
            sweep::exponentials::<_, PHASES>(v, row, scale, logits, exps)
        }
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { run(self, row, scale, logits, exps) }
    }

    /// See [`sweep::pair`].
    pub(super) fn pair(self, job: &Pair<'_>) -> PairSums {
        #[target_feature(enable = "neon")]
        fn run(v: Neon, job: &Pair<'_>) -> PairSums {
            sweep::pair::<_, PHASES>(v, job)
        }
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { run(self, job) }
    }

    /// See [`softcap::softcap`].
    pub(super) fn softcap(self, row: &[f32], cap: f32, out: &mut [f32]) {
        #[target_feature(enable = "neon")]
        fn run(v: Neon, row: &[f32], cap: f32, out: &mut [f32]) {
            softcap::softcap::<_, PHASES>(v, row, cap, out);
        }
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { run(self, row, cap, out) }
    }

    /// Lower and upper half of the elements, in f64.
    #[expect(clippy::unused_self, reason = "it is the proof")]
    #[inline(always)]
    fn widen(self, value: float32x4_t) -> [float64x2_t; 2] {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { [vcvt_f64_f32(vget_low_f32(value)), vcvt_high_f64_f32(value)] }
    }
}

impl Vector for Neon {
    type F32 = float32x4_t;
    type Sum = [float64x2_t; 2];
    type Mask = uint32x4_t;

    const WIDTH: usize = 4;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { vdupq_n_f32(value) }
    }

    #[inline(always)]
    fn load(self, block: &Block, phase: usize) -> Self::F32 {
        assert!(phase < PHASES);
        // SAFETY: `self` proves that the machine has NEON; the assertion keeps the access
        // inside the block.
        unsafe { vld1q_f32(block.as_ptr().add(phase * Self::WIDTH)) }
    }

    #[inline(always)]
    fn store(self, block: &mut Block, phase: usize, value: Self::F32) {
        assert!(phase < PHASES);
        // SAFETY: `self` proves that the machine has NEON; the assertion keeps the access
        // inside the block.
        unsafe { vst1q_f32(block.as_mut_ptr().add(phase * Self::WIDTH), value) }
    }

    #[inline(always)]
    fn sub(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { vsubq_f32(left, right) }
    }

    #[inline(always)]
    fn mul(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { vmulq_f32(left, right) }
    }

    #[inline(always)]
    fn div(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { vdivq_f32(left, right) }
    }

    #[inline(always)]
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { vfmaq_f32(c, a, b) }
    }

    #[inline(always)]
    fn add_exponent(self, value: Self::F32, power: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe {
            let power = vshlq_n_u32::<23>(vreinterpretq_u32_f32(power));
            vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(value), power))
        }
    }

    #[inline(always)]
    fn and_greater(self, before: Self::Mask, left: Self::F32, right: Self::F32) -> Self::Mask {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { vandq_u32(before, vcgtq_f32(left, right)) }
    }

    #[inline(always)]
    fn max(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { vmaxq_f32(left, right) }
    }

    #[inline(always)]
    fn not_at_most(self, left: Self::F32, right: Self::F32) -> u32 {
        const BITS: [u32; 4] = [1, 2, 4, 8];
        // SAFETY: `self` proves that the machine has NEON; four elements are read of an
        // array of four.
        unsafe {
            vaddvq_u32(vandq_u32(vmvnq_u32(vcleq_f32(left, right)), vld1q_u32(BITS.as_ptr())))
        }
    }

    #[inline(always)]
    fn keep(self, mask: Self::Mask, value: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { vreinterpretq_f32_u32(vandq_u32(mask, vreinterpretq_u32_f32(value))) }
    }

    #[inline(always)]
    fn select(self, mask: Self::Mask, yes: Self::F32, no: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { vbslq_f32(mask, yes, no) }
    }

    #[inline(always)]
    fn all_true(self) -> Self::Mask {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { vdupq_n_u32(u32::MAX) }
    }

    #[inline(always)]
    fn is_all_true(self, mask: Self::Mask) -> bool {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { vminvq_u32(mask) == u32::MAX }
    }

    #[inline(always)]
    fn zero_sum(self) -> Self::Sum {
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { [vdupq_n_f64(0.0); 2] }
    }

    #[inline(always)]
    fn add(self, sum: Self::Sum, value: Self::F32) -> Self::Sum {
        let [low, high] = self.widen(value);
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { [vaddq_f64(sum[0], low), vaddq_f64(sum[1], high)] }
    }

    #[inline(always)]
    fn add_product(self, sum: Self::Sum, a: Self::F32, b: Self::F32) -> Self::Sum {
        let ([a_low, a_high], [b_low, b_high]) = (self.widen(a), self.widen(b));
        // SAFETY: `self` proves that the machine has NEON.
        unsafe { [vfmaq_f64(sum[0], a_low, b_low), vfmaq_f64(sum[1], a_high, b_high)] }
    }

    #[inline(always)]
    fn store_sum(self, lanes: &mut LaneSums, phase: usize, sum: Self::Sum) {
        assert!(phase < PHASES);
        // SAFETY: `self` proves that the machine has NEON; the assertion keeps the access
        // inside the lanes.
        unsafe {
            let lanes = lanes.as_mut_ptr().add(phase * Self::WIDTH);
            vst1q_f64(lanes, sum[0]);
            vst1q_f64(lanes.add(2), sum[1]);
        }
    }
}
