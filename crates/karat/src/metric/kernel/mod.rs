//! The arithmetic of the fidelity pass: one row of reference logits against one row of candidate
//! logits, in one sweep over the vocabulary.
//!
//! Owns softmax, divergences and top-5 of single rows, f32 in, f64 sums, with an instruction set
//! chosen once at run time. Never allocates per row, averages over tokens, or does I/O.
//!
//! One generic algorithm (`sweep`, `exp`) is written against the trait `Vector`; each
//! instruction set is one file that implements it. Sums always run in `LANES` lanes and are
//! folded in one order, so every instruction set returns the same bits.

mod error;
mod exp;
mod isa;
mod reference;
mod row;
mod scalar;
mod softcap;
mod sweep;
mod top;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

#[cfg(test)]
mod tests;

pub use error::KernelError;
pub use isa::Kernel;
pub use reference::Reference;
pub use row::{NO_TOKEN, PairStats, RowStats, TOP};

/// Lanes of every sum, whatever the width of the instruction set: element `i` goes to lane
/// `i % LANES`.
const LANES: usize = 16;

/// `LANES` logits in a row: the unit of every sweep.
type Block = [f32; LANES];

/// One f64 sum per lane.
type LaneSums = [f64; LANES];

/// Vectors of one instruction set.
///
/// The value itself is the proof that the machine has the instructions: a type that needs some
/// can only be had from its own `detect`, which is what makes these methods safe to call.
trait Vector: Copy {
    /// `WIDTH` f32 elements.
    type F32: Copy;
    /// `WIDTH` f64 running sums.
    type Sum: Copy;
    /// One truth value per element.
    type Mask: Copy;

    /// Elements per vector; divides `LANES`.
    const WIDTH: usize;

    fn splat(self, value: f32) -> Self::F32;
    /// Elements `phase * WIDTH ..` of the block; panics where the block has none.
    fn load(self, block: &Block, phase: usize) -> Self::F32;
    /// Counterpart of `load`.
    fn store(self, block: &mut Block, phase: usize, value: Self::F32);
    fn sub(self, left: Self::F32, right: Self::F32) -> Self::F32;
    fn mul(self, left: Self::F32, right: Self::F32) -> Self::F32;
    fn div(self, left: Self::F32, right: Self::F32) -> Self::F32;
    /// `a * b + c`, rounded once.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// Adds the lowest nine bits of `power` to the exponent of `value`, as integers.
    fn add_exponent(self, value: Self::F32, power: Self::F32) -> Self::F32;
    /// `before` and `left > right`; the latter is false for NaN.
    fn and_greater(self, before: Self::Mask, left: Self::F32, right: Self::F32) -> Self::Mask;
    /// The larger of each two; either or NaN where one is NaN.
    fn max(self, left: Self::F32, right: Self::F32) -> Self::F32;
    /// Bit `i` set where element `i` is *not* `left <= right`: greater, or NaN.
    fn not_at_most(self, left: Self::F32, right: Self::F32) -> u32;
    /// `value` where the mask is true, else +0.
    fn keep(self, mask: Self::Mask, value: Self::F32) -> Self::F32;
    /// `yes` where the mask is true, else `no`.
    fn select(self, mask: Self::Mask, yes: Self::F32, no: Self::F32) -> Self::F32;
    fn all_true(self) -> Self::Mask;
    fn is_all_true(self, mask: Self::Mask) -> bool;

    fn zero_sum(self) -> Self::Sum;
    /// `sum + value` in f64.
    fn add(self, sum: Self::Sum, value: Self::F32) -> Self::Sum;
    /// `sum + a * b` in f64; the product of two f32 is exact there.
    fn add_product(self, sum: Self::Sum, a: Self::F32, b: Self::F32) -> Self::Sum;
    /// Writes the sums to lanes `phase * WIDTH ..`.
    fn store_sum(self, lanes: &mut LaneSums, phase: usize, sum: Self::Sum);
}
