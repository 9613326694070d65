//! Rows that the engine leaves uncapped and the kernel caps are the rows that the engine caps itself,
//! but for the rounding of its C library's tanh. So what is known of the engine's rows (that they are
//! llama-perplexity's bit for bit, see `peer_divergence`) is known of those that are scored.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use karat::backend::Logits as _;
use karat::backend::embedded_logits::{EmbeddedLogits, Vocabulary};
use karat::metric::kernel::Kernel;
use karat_llama::Threads;
use lab::{BASE, Tokens};

/// How far apart two logits may be, in units in the last place: one of ours and 2.2 of glibc's tanhf
/// (2.36; other C libraries promise less), and what the last product makes of them.
const WORST_ULP: u32 = 4;

/// Steps from one f32 to the other.
fn steps(left: f32, right: f32) -> u32 {
    let ordered = |value: f32| {
        let bits = value.to_bits().cast_signed();
        if bits < 0 { i32::MIN - bits } else { bits }
    };
    ordered(left).abs_diff(ordered(right))
}

#[track_caller]
fn check(build: &str, vocabulary: Vocabulary) {
    let path = lab::builds([build]).remove(0);
    let mut own = lab::load(std::slice::from_ref(&path), 1).remove(0);
    let threads = Threads::new(1).unwrap();
    let mut uncapped =
        EmbeddedLogits::load(&path, &lab::params(), &threads, vocabulary, || ()).unwrap();
    let kernel = Kernel::detect();
    let text = Tokens::read(&own, "english");
    let mut capped = vec![0.0; own.n_vocab()];
    let (mut worst, mut n_equal, mut n) = (0, 0, 0);
    for window in text.windows(2) {
        let want = lab::scored_rows(&mut own, &window);
        uncapped.restart();
        let rows = uncapped.advance(&window.input, window.scored()).unwrap();
        assert_eq!(rows.len(), want.len());
        for (row, (want, _)) in want.iter().enumerate() {
            kernel.softcap(rows.row(row), rows.softcap().unwrap(), &mut capped);
            for (&got, &want) in capped.iter().zip(want) {
                let steps = steps(got, want);
                worst = worst.max(steps);
                n_equal += usize::from(steps == 0);
                n += 1;
            }
        }
    }
    let found = format!("{build}: {n_equal} of {n} logits equal, the worst {worst} steps apart");
    assert!(worst <= WORST_ULP, "{found}");
    // A tangent or an order of operations that is another would move most of them.
    assert!(2 * n_equal > n, "{found}");
}

#[test]
fn capped_by_the_kernel_an_originals_rows_are_the_engines_own() {
    check(BASE, Vocabulary::Whole);
}

#[test]
fn a_model_without_its_vocabulary_gives_the_same_rows() {
    check("base-Q4_0", Vocabulary::Size);
}
