//! Tests of the kernel, each on every instruction set of the machine that runs them.

mod exactness;
mod infinite;
mod oracle;
mod properties;
mod ranking;
mod softcap;

use super::{Kernel, KernelError, PairStats, Reference, RowStats};

/// Loads `reference` and compares `candidate` with it, and asserts that every instruction set gives
/// the same bits.
#[track_caller]
fn measure(
    reference: &[f32],
    candidate: &[f32],
    target: u32,
) -> Result<(RowStats, PairStats), KernelError> {
    let with = |kernel: Kernel| {
        let mut loaded = Reference::new(reference.len());
        let stats = *loaded.load(kernel, reference, target)?;
        Ok((stats, loaded.compare(kernel, candidate)?))
    };
    let kernels = Kernel::all();
    let scalar = with(kernels[0]);
    for &kernel in &kernels[1..] {
        let other = with(kernel);
        // Debug output shows every digit of a float and tells -0 from 0 and NaN from NaN.
        assert_eq!(format!("{other:?}"), format!("{scalar:?}"), "{} against scalar", kernel.name());
    }
    scalar
}

/// Both divergences of two rows that can be measured.
#[track_caller]
fn divergences(reference: &[f32], candidate: &[f32]) -> (f64, f64) {
    let (_, pair) = measure(reference, candidate, 0).expect("both rows have a softmax");
    (pair.kld, pair.reverse_kld)
}

/// KL(p‖q) of finite logits, all in f64.
fn kld_f64(reference: &[f32], candidate: &[f32]) -> f64 {
    let log_softmax = |row: &[f32]| {
        let max = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let sum: f64 = row.iter().map(|&logit| (f64::from(logit) - max).exp()).sum();
        row.iter().map(|&logit| f64::from(logit) - max - sum.ln()).collect::<Vec<_>>()
    };
    let (log_p, log_q) = (log_softmax(reference), log_softmax(candidate));
    log_p.iter().zip(&log_q).map(|(p, q)| p.exp() * (p - q)).sum()
}

/// The generator of the fixture, see `tests/fixtures/kernel/make.py`.
struct Lcg(u64);

impl Lcg {
    fn next24(&mut self) -> i64 {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        const STEP: u64 = 1_442_695_040_888_963_407;
        self.0 = self.0.wrapping_mul(FACTOR).wrapping_add(STEP);
        (self.0 >> 40) as i64
    }

    /// About normal, within ±2^23, standard deviation 2.4 million.
    fn bell(&mut self) -> i64 {
        let sum: i64 = (0..4).map(|_| self.next24()).sum();
        (sum - (1 << 25)) >> 2
    }

    /// About normal, standard deviation 1, with all digits of an f32.
    fn normal(&mut self) -> f32 {
        self.bell() as f32 / 2_421_634.0
    }
}
