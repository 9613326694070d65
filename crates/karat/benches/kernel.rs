//! Speed of the metrics kernel: one reference row, three candidates, by vocabulary size and
//! instruction set. Owns the rows it is measured on.
//!
//! `cargo bench -p karat --bench kernel`. The item rate counts one logit element of one candidate
//! as one item, with the preparation of the reference included, so ns per element and candidate is
//! its inverse (1.00 Gitem/s is 1 ns); read the fastest column on a machine that does other things.

use divan::Bencher;
use divan::counter::ItemsCount;
use karat::metric::kernel::{Kernel, Reference};

const N_CANDIDATES: usize = 3;
const VOCABULARIES: [usize; 4] = [8192, 32_000, 128_256, 262_144];

fn main() {
    divan::main();
}

/// Logits like a model's: a bell of standard deviation about 2.5 and a few likely tokens above it.
fn row(n_vocab: usize, seed: u64, noise: f32) -> Vec<f32> {
    let mut base = Lcg(1);
    let mut own = Lcg(seed);
    let mut row: Vec<f32> = (0..n_vocab).map(|_| base.bell() * 2.5 + own.bell() * noise).collect();
    for rank in 0..20u16 {
        let token = base.next() as usize % n_vocab;
        row[token] = 18.0 - f32::from(rank) * 0.5 + own.bell() * noise;
    }
    row
}

struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    /// Sum of four uniforms, scaled to a standard deviation of 1.
    fn bell(&mut self) -> f32 {
        let sum: f32 = (0..4).map(|_| self.next() as f32 / (1u64 << 31) as f32 - 0.5).sum();
        sum * 3f32.sqrt()
    }
}

fn measure(bencher: Bencher<'_, '_>, n_vocab: usize, name: &str) {
    let Some(kernel) = Kernel::all().into_iter().find(|kernel| kernel.name() == name) else {
        return;
    };
    let logits = row(n_vocab, 0, 0.0);
    let candidates: Vec<_> =
        (1..=N_CANDIDATES as u64).map(|seed| row(n_vocab, seed, 0.2)).collect();
    let mut reference = Reference::new(n_vocab);
    bencher.counter(ItemsCount::new(n_vocab * N_CANDIDATES)).bench_local(|| {
        reference.load(kernel, &logits, 7).expect("the row is finite");
        let mut sum = 0.0;
        for candidate in &candidates {
            sum += reference.compare(kernel, candidate).expect("the row is finite").kld;
        }
        sum
    });
}

/// The final softcap of one row, with this machine's best instruction set; an item is one logit.
#[divan::bench(args = VOCABULARIES, sample_count = 200)]
fn softcap(bencher: Bencher<'_, '_>, n_vocab: usize) {
    let kernel = Kernel::detect();
    let logits = row(n_vocab, 0, 0.0);
    let mut capped = vec![0.0; n_vocab];
    bencher.counter(ItemsCount::new(n_vocab)).bench_local(|| {
        kernel.softcap(&logits, 30.0, &mut capped);
        capped.last().copied()
    });
}

#[divan::bench(args = VOCABULARIES, sample_count = 30)]
fn scalar(bencher: Bencher<'_, '_>, n_vocab: usize) {
    measure(bencher, n_vocab, "scalar");
}

#[cfg(target_arch = "x86_64")]
#[divan::bench(args = VOCABULARIES, sample_count = 200)]
fn avx2(bencher: Bencher<'_, '_>, n_vocab: usize) {
    measure(bencher, n_vocab, "avx2");
}

#[cfg(target_arch = "x86_64")]
#[divan::bench(args = VOCABULARIES, sample_count = 200)]
fn avx512(bencher: Bencher<'_, '_>, n_vocab: usize) {
    measure(bencher, n_vocab, "avx512");
}

#[cfg(target_arch = "aarch64")]
#[divan::bench(args = VOCABULARIES, sample_count = 200)]
fn neon(bencher: Bencher<'_, '_>, n_vocab: usize) {
    measure(bencher, n_vocab, "neon");
}
