//! The choice of instruction set. Owns detection and dispatch; never computes.

use super::scalar::Scalar;
use super::softcap;
use super::sweep::{self, Exponentials, Pair, PairSums, Scale};
use super::top::Top;
use super::{Block, LANES};

#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};

/// An instruction set this machine has, chosen once and passed to every call.
///
/// All of them return the same bits; they differ in speed only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel(Isa);

/// Each holds the proof that the machine has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Isa {
    Scalar(Scalar),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
}

impl Kernel {
    /// The fastest one this machine has.
    pub fn detect() -> Self {
        Self::all().pop().unwrap_or(Self(Isa::Scalar(Scalar)))
    }

    /// Every one this machine has, slowest first; `scalar` is always there.
    pub fn all() -> Vec<Self> {
        let mut found = vec![Isa::Scalar(Scalar)];
        #[cfg(target_arch = "x86_64")]
        found.extend(Avx2::detect().map(Isa::Avx2));
        #[cfg(target_arch = "x86_64")]
        found.extend(Avx512::detect().map(Isa::Avx512));
        #[cfg(target_arch = "aarch64")]
        found.extend(Neon::detect().map(Isa::Neon));
        found.into_iter().map(Self).collect()
    }

    /// Lower-case name for reports, e.g. `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Isa::Scalar(_) => "scalar",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Isa::Neon(_) => "neon",
        }
    }

    /// Writes c · tanh(x / c) of every logit x of `row` to `out`, with c = `cap`, finite and above 0.
    ///
    /// The engine's own operations in f32, in its order, with a tanh that is within one unit in the
    /// last place; odd and never falling. ±inf becomes ±c, NaN stays NaN, as in the engine. All
    /// instruction sets give the same bits.
    ///
    /// # Panics
    /// Where `out` is not as long as `row`.
    pub fn softcap(self, row: &[f32], cap: f32, out: &mut [f32]) {
        match self.0 {
            Isa::Scalar(v) => softcap::softcap::<_, LANES>(v, row, cap, out),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(v) => v.softcap(row, cap, out),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(v) => v.softcap(row, cap, out),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon(v) => v.softcap(row, cap, out),
        }
    }

    /// See [`sweep::largest`].
    pub(super) fn largest(self, row: &[f32]) -> Top {
        match self.0 {
            Isa::Scalar(v) => sweep::largest::<_, LANES>(v, row),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(v) => v.largest(row),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(v) => v.largest(row),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon(v) => v.largest(row),
        }
    }

    /// See [`sweep::exponentials`].
    pub(super) fn exponentials(
        self,
        row: &[f32],
        scale: Scale,
        logits: &mut [Block],
        exps: &mut [Block],
    ) -> Exponentials {
        match self.0 {
            Isa::Scalar(v) => sweep::exponentials::<_, LANES>(v, row, scale, logits, exps),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(v) => v.exponentials(row, scale, logits, exps),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(v) => v.exponentials(row, scale, logits, exps),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon(v) => v.exponentials(row, scale, logits, exps),
        }
    }

    /// See [`sweep::pair`].
    pub(super) fn pair(self, job: &Pair<'_>) -> PairSums {
        match self.0 {
            Isa::Scalar(v) => sweep::pair::<_, LANES>(v, job),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(v) => v.pair(job),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(v) => v.pair(job),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon(v) => v.pair(job),
        }
    }
}
