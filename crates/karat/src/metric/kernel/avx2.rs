//! The AVX2 variant: 8 elements at a time. Owns its intrinsics; the algorithm is `sweep`'s.

#![expect(
    clippy::inline_always,
    reason = "intrinsics become instructions only inside a function that enables them"
)]

use std::arch::x86_64::{
    __m256, __m256d, _CMP_GT_OQ, _CMP_NLE_UQ, _mm256_add_epi32, _mm256_add_pd, _mm256_and_ps,
    _mm256_blendv_ps, _mm256_castps_si256, _mm256_castps256_ps128, _mm256_castsi256_ps,
    _mm256_cmp_ps, _mm256_cvtps_pd, _mm256_div_ps, _mm256_extractf128_ps, _mm256_fmadd_pd,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_movemask_ps, _mm256_mul_ps,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_pd, _mm256_slli_epi32, _mm256_storeu_pd,
    _mm256_storeu_ps, _mm256_sub_ps,
};

use super::softcap;
use super::sweep::{self, Exponentials, Pair, PairSums, Scale};
use super::top::Top;
use super::{Block, LANES, LaneSums, Vector};

const PHASES: usize = LANES / Avx2::WIDTH;

/// Proof that the machine has AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx2(());

impl Avx2 {
    /// The proof, where this machine has the instructions.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        has_all.then_some(Self(()))
    }

    /// See [`sweep::largest`].
    pub(super) fn largest(self, row: &[f32]) -> Top {
        #[target_feature(enable = "avx2,fma")]
        fn run(v: Avx2, row: &[f32]) -> Top {
            sweep::largest::<_, PHASES>(v, row)
        }
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
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
        #[target_feature(enable = "avx2,fma")]
        fn run(
            v: Avx2,
            row: &[f32],
            scale: Scale,
            logits: &mut [Block],
            exps: &mut [Block],
        ) -> Exponentials {
            sweep::exponentials::<_, PHASES>(v, row, scale, logits, exps)
        }
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { run(self, row, scale, logits, exps) }
    }

    /// See [`sweep::pair`].
    pub(super) fn pair(self, job: &Pair<'_>) -> PairSums {
        #[target_feature(enable = "avx2,fma")]
        fn run(v: Avx2, job: &Pair<'_>) -> PairSums {
            sweep::pair::<_, PHASES>(v, job)
        }
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { run(self, job) }
    }

    /// See [`softcap::softcap`].
    pub(super) fn softcap(self, row: &[f32], cap: f32, out: &mut [f32]) {
        #[target_feature(enable = "avx2,fma")]
        fn run(v: Avx2, row: &[f32], cap: f32, out: &mut [f32]) {
            softcap::softcap::<_, PHASES>(v, row, cap, out);
        }
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { run(self, row, cap, out) }
    }

    /// Lower and upper half of the elements, in f64.
    #[expect(clippy::unused_self, reason = "it is the proof")]
    #[inline(always)]
    fn widen(self, value: __m256) -> [__m256d; 2] {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe {
            [
                _mm256_cvtps_pd(_mm256_castps256_ps128(value)),
                _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(value)),
            ]
        }
    }
}

impl Vector for Avx2 {
    type F32 = __m256;
    type Sum = [__m256d; 2];
    type Mask = __m256;

    const WIDTH: usize = 8;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, block: &Block, phase: usize) -> Self::F32 {
        assert!(phase < PHASES);
        // SAFETY: `self` proves that the machine has AVX2 and FMA; the assertion keeps the access
        // inside the block.
        unsafe { _mm256_loadu_ps(block.as_ptr().add(phase * Self::WIDTH)) }
    }

    #[inline(always)]
    fn store(self, block: &mut Block, phase: usize, value: Self::F32) {
        assert!(phase < PHASES);
        // SAFETY: `self` proves that the machine has AVX2 and FMA; the assertion keeps the access
        // inside the block.
        unsafe { _mm256_storeu_ps(block.as_mut_ptr().add(phase * Self::WIDTH), value) }
    }

    #[inline(always)]
    fn sub(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_sub_ps(left, right) }
    }

    #[inline(always)]
    fn mul(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_mul_ps(left, right) }
    }

    #[inline(always)]
    fn div(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_div_ps(left, right) }
    }

    #[inline(always)]
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn add_exponent(self, value: Self::F32, power: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe {
            let power = _mm256_slli_epi32::<23>(_mm256_castps_si256(power));
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(value), power))
        }
    }

    #[inline(always)]
    fn and_greater(self, before: Self::Mask, left: Self::F32, right: Self::F32) -> Self::Mask {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_and_ps(before, _mm256_cmp_ps::<_CMP_GT_OQ>(left, right)) }
    }

    #[inline(always)]
    fn max(self, left: Self::F32, right: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_max_ps(left, right) }
    }

    #[inline(always)]
    fn not_at_most(self, left: Self::F32, right: Self::F32) -> u32 {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NLE_UQ>(left, right)) as u32 }
    }

    #[inline(always)]
    fn keep(self, mask: Self::Mask, value: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_and_ps(mask, value) }
    }

    #[inline(always)]
    fn select(self, mask: Self::Mask, yes: Self::F32, no: Self::F32) -> Self::F32 {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_blendv_ps(no, yes, mask) }
    }

    #[inline(always)]
    fn all_true(self) -> Self::Mask {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_castsi256_ps(_mm256_set1_epi32(-1)) }
    }

    #[inline(always)]
    fn is_all_true(self, mask: Self::Mask) -> bool {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { _mm256_movemask_ps(mask) == 0xFF }
    }

    #[inline(always)]
    fn zero_sum(self) -> Self::Sum {
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { [_mm256_setzero_pd(); 2] }
    }

    #[inline(always)]
    fn add(self, sum: Self::Sum, value: Self::F32) -> Self::Sum {
        let [low, high] = self.widen(value);
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { [_mm256_add_pd(sum[0], low), _mm256_add_pd(sum[1], high)] }
    }

    #[inline(always)]
    fn add_product(self, sum: Self::Sum, a: Self::F32, b: Self::F32) -> Self::Sum {
        let ([a_low, a_high], [b_low, b_high]) = (self.widen(a), self.widen(b));
        // SAFETY: `self` proves that the machine has AVX2 and FMA.
        unsafe { [_mm256_fmadd_pd(a_low, b_low, sum[0]), _mm256_fmadd_pd(a_high, b_high, sum[1])] }
    }

    #[inline(always)]
    fn store_sum(self, lanes: &mut LaneSums, phase: usize, sum: Self::Sum) {
        assert!(phase < PHASES);
        // SAFETY: `self` proves that the machine has AVX2 and FMA; the assertion keeps the access
        // inside the lanes.
        unsafe {
            let lanes = lanes.as_mut_ptr().add(phase * Self::WIDTH);
            _mm256_storeu_pd(lanes, sum[0]);
            _mm256_storeu_pd(lanes.add(4), sum[1]);
        }
    }
}
