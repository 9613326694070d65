//! The AVX-512 variant: 16 elements at a time. Owns its intrinsics; the algorithm is `sweep`'s.

#![expect(
    clippy::inline_always,
    reason = "intrinsics become instructions only inside a function that enables them"
)]

use std::arch::x86_64::{
    __m512, __m512d, __mmask16, _CMP_GT_OQ, _CMP_NLE_UQ, _mm512_add_epi32, _mm512_add_pd,
    _mm512_castps_si512, _mm512_castps512_ps256, _mm512_castsi512_ps, _mm512_cmp_ps_mask,
    _mm512_cvtps_pd, _mm512_div_ps, _mm512_extractf32x8_ps, _mm512_fmadd_pd, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_mask_blend_ps, _mm512_mask_cmp_ps_mask, _mm512_maskz_mov_ps,
    _mm512_max_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_setzero_pd, _mm512_slli_epi32,
    _mm512_storeu_pd, _mm512_storeu_ps, _mm512_sub_ps,
};

use super::softcap;
use super::sweep::{self, Exponentials, Pair, PairSums, Scale};
use super::top::Top;
use super::{Block, LANES, LaneSums, Vector};

const PHASES: usize = LANES / Avx512::WIDTH;

/// Proof that the machine has AVX-512F and AVX-512DQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx512(());

impl Avx512 {
    /// The proof, where this machine has the instructions.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq");
        has_all.then_some(Self(()))
    }

    /// See [`sweep::largest`].
    pub(super) fn largest(self, row: &[f32]) -> Top {
        #[target_feature(enable = "avx512f,avx512dq")]
        fn run(v: Avx512, row: &[f32]) -> Top {
            sweep::largest::<_, PHASES>(v, row)
        }
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
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
        #[target_feature(enable = "avx512f,avx512dq")]
        fn run(
            v: Avx512,
            row: &[f32],
            scale: Scale,
            logits: &mut [Block],
            exps: &mut [Block],
        ) -> Exponentials {
            sweep::exponentials::<_, PHASES>(v, row, scale, logits, exps)
        }
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { run(self, row, scale, logits, exps) }
    }

    /// See [`sweep::pair`].
    pub(super) fn pair(self, job: &Pair<'_>) -> PairSums {
        #[target_feature(enable = "avx512f,avx512dq")]
        fn run(v: Avx512, job: &Pair<'_>) -> PairSums {
            sweep::pair::<_, PHASES>(v, job)
        }
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { run(self, job) }
    }

    /// See [`softcap::softcap`].
    pub(super) fn softcap(self, row: &[f32], cap: f32, out: &mut [f32]) {
        #[target_feature(enable = "avx512f,avx512dq")]
        fn run(v: Avx512, row: &[f32], cap: f32, out: &mut [f32]) {
            softcap::softcap::<_, PHASES>(v, row, cap, out);
        }
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { run(self, row, cap, out) }
    }

    /// Lower and upper half of the elements, in f64.
    #[expect(clippy::unused_self, reason = "it is the proof")]
    #[inline(always)]
    fn widen(self, value: __m512) -> [__m512d; 2] {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe {
            [
                _mm512_cvtps_pd(_mm512_castps512_ps256(value)),
                _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(value)),
            ]
        }
    }
}

impl Vector for Avx512 {
    type F32 = __m512;
    type Sum = [__m512d; 2];
    type Mask = __mmask16;

    const WIDTH: usize = 16;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, block: &Block, phase: usize) -> Self::F32 {
        assert!(phase < PHASES);
        // SAFETY: `self` proves that the machine has AVX-512F and DQ; the assertion keeps the
        // access inside the block.
        unsafe { _mm512_loadu_ps(block.as_ptr().add(phase * Self::WIDTH)) }
    }

    #[inline(always)]
    fn store(self, block: &mut Block, phase: usize, value: Self::F32) {
        assert!(phase < PHASES);
        // SAFETY: `self` proves that the machine has AVX-512F and DQ; the assertion keeps the
        // access inside the block.
        unsafe { _mm512_storeu_ps(block.as_mut_ptr().add(phase * Self::WIDTH), value) }
    }

    #[inline(always)]
    fn sub(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { _mm512_sub_ps(left, right) }
    }

    #[inline(always)]
    fn mul(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { _mm512_mul_ps(left, right) }
    }

    #[inline(always)]
    fn div(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { _mm512_div_ps(left, right) }
    }

    #[inline(always)]
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn add_exponent(self, value: Self::F32, power: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe {
            let power = _mm512_slli_epi32::<23>(_mm512_castps_si512(power));
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(value), power))
        }
    }

    #[inline(always)]
    fn and_greater(self, before: Self::Mask, left: Self::F32, right: Self::F32) -> Self::Mask {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { _mm512_mask_cmp_ps_mask::<_CMP_GT_OQ>(before, left, right) }
    }

    #[inline(always)]
    fn max(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { _mm512_max_ps(left, right) }
    }

    #[inline(always)]
    fn not_at_most(self, left: Self::F32, right: Self::F32) -> u32 {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { u32::from(_mm512_cmp_ps_mask::<_CMP_NLE_UQ>(left, right)) }
    }

    #[inline(always)]
    fn keep(self, mask: Self::Mask, value: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { _mm512_maskz_mov_ps(mask, value) }
    }

    #[inline(always)]
    fn select(self, mask: Self::Mask, yes: Self::F32, no: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { _mm512_mask_blend_ps(mask, no, yes) }
    }

    #[inline(always)]
    fn all_true(self) -> Self::Mask {
        __mmask16::MAX
    }

    #[inline(always)]
    fn is_all_true(self, mask: Self::Mask) -> bool {
        mask == __mmask16::MAX
    }

    #[inline(always)]
    fn zero_sum(self) -> Self::Sum {
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { [_mm512_setzero_pd(); 2] }
    }

    #[inline(always)]
    fn add(self, sum: Self::Sum, value: Self::F32) -> Self::Sum {
        let [low, high] = self.widen(value);
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { [_mm512_add_pd(sum[0], low), _mm512_add_pd(sum[1], high)] }
    }

    #[inline(always)]
    fn add_product(self, sum: Self::Sum, a: Self::F32, b: Self::F32) -> Self::Sum {
        let ([a_low, a_high], [b_low, b_high]) = (self.widen(a), self.widen(b));
        // SAFETY: `self` proves that the machine has AVX-512F and DQ.
        unsafe { [_mm512_fmadd_pd(a_low, b_low, sum[0]), _mm512_fmadd_pd(a_high, b_high, sum[1])] }
    }

    #[inline(always)]
    fn store_sum(self, lanes: &mut LaneSums, phase: usize, sum: Self::Sum) {
        assert!(phase < PHASES);
        // SAFETY: `self` proves that the machine has AVX-512F and DQ; the assertion keeps the
        // access inside the lanes.
        unsafe {
            let lanes = lanes.as_mut_ptr().add(phase * Self::WIDTH);
            _mm512_storeu_pd(lanes, sum[0]);
            _mm512_storeu_pd(lanes.add(8), sum[1]);
        }
    }
}
