//! Closed forms, exact zeros, and the size of the kernel's own error.

use super::super::exp::{Anchor, Exp};
use super::super::scalar::Scalar;
use super::{Kernel, Lcg, Reference, divergences, kld_f64, measure};

/// Reference with logits (0, gap), candidate with (0, other_gap), against the closed form.
#[track_caller]
fn check_two_tokens(gap: f32, other_gap: f32) {
    let sigmoid = |gap: f32| 1.0 / (1.0 + f64::from(-gap).exp());
    let (p, q) = (sigmoid(gap), sigmoid(other_gap));
    let (p_other, q_other) = (sigmoid(-gap), sigmoid(-other_gap));
    let want = p * (p / q).ln() + p_other * (p_other / q_other).ln();
    let (_, pair) = measure(&[0.0, gap], &[0.0, other_gap], 1).expect("the rows are finite");
    assert!((pair.kld - want).abs() < 1e-7, "kld {} instead of {want}", pair.kld);
    assert!((pair.delta_p - (q - p)).abs() < 1e-7, "delta-p {}", pair.delta_p);
    assert!((pair.candidate.nll + q.ln()).abs() < 1e-7, "nll {}", pair.candidate.nll);
}

#[test]
fn two_tokens_follow_the_closed_form() {
    for (gap, other_gap) in [(0.0, 1.0), (1.0, -1.0), (3.5, 3.25), (-12.0, 0.5), (0.0, 60.0)] {
        check_two_tokens(gap, other_gap);
    }
}

#[test]
fn flat_row_gives_every_token_the_same_probability() {
    for n_vocab in [1usize, 7, 16, 33, 4096] {
        let row = vec![-3.0; n_vocab];
        let (stats, _) = measure(&row, &row, 0).expect("the row is finite");
        let want = (n_vocab as f64).ln();
        // e^-3 / 2^n is rounded to f32 once, for all tokens alike.
        assert!((stats.lse_offset - want).abs() < 6e-8, "{n_vocab}: {}", stats.lse_offset);
        assert!((stats.nll - want).abs() < 6e-8);
    }
}

#[test]
fn flat_rows_at_different_levels_do_not_diverge() {
    let (kld, reverse_kld) = divergences(&[2.5; 1000], &[-40.0; 1000]);
    assert!(kld.abs() < 1.2e-7 && reverse_kld.abs() < 1.2e-7, "{kld:e}, {reverse_kld:e}");
}

#[test]
fn softmax_of_powers_of_two_is_known() {
    let ln_2 = std::f32::consts::LN_2;
    let row = [0.0, ln_2, 2.0 * ln_2, 0.0];
    let (stats, _) = measure(&row, &row, 2).expect("the row is finite");
    assert!((stats.p_target - 0.5).abs() < 1e-7, "{}", stats.p_target);
    assert!((stats.lse() - 8f64.ln()).abs() < 2e-7);
}

#[test]
fn row_against_itself_is_exactly_zero() {
    let mut rng = Lcg(5);
    for (n_vocab, spread) in [(3, 1.0), (1000, 3.0), (4099, 20.0), (5003, 90.0), (262_144, 2.0)] {
        let row: Vec<f32> = (0..n_vocab).map(|_| rng.normal() * spread).collect();
        let (_, pair) = measure(&row, &row, 2).expect("the row is finite");
        assert_eq!(
            (pair.kld.to_bits(), pair.reverse_kld.to_bits(), pair.delta_p.to_bits()),
            (0, 0, 0),
            "{n_vocab} tokens, spread {spread}: {pair:?}"
        );
        assert_eq!((pair.top5_overlap, pair.same_top), (n_vocab.min(5) as u8, true));
    }
}

#[test]
fn exponential_is_within_one_rounding_and_a_half_and_has_no_bias() {
    let exp = Exp::new(Scalar, Anchor::new(0.0));
    let (mut worst, mut sum, n) = (0.0f64, 0.0, 2_000_000);
    for idx in 0..n {
        let logit = -80.0 * (idx as f32 + 0.5) / n as f32;
        let error = f64::from(exp.of(logit)) / f64::from(logit).exp() - 1.0;
        worst = worst.max(error.abs());
        sum += error;
    }
    // One unit in the last place is 1.19e-7 of the smallest mantissa.
    assert!(worst < 1.5 * 1.2e-7, "largest relative error {worst:e}");
    assert!((sum / f64::from(n)).abs() < 1e-9, "mean relative error {:e}", sum / f64::from(n));
    assert_eq!(exp.of(0.0).to_bits(), 1f32.to_bits());
}

/// Mean error of KLD over rows like a model's, with noise of that standard deviation.
#[track_caller]
fn check_mean_error(noise: f32, limit: f64) {
    let (n_rows, n_vocab) = (200, 2048);
    let mut rng = Lcg(11);
    let kernel = Kernel::detect();
    let mut loaded = Reference::new(n_vocab);
    let (mut sum, mut worst) = (0.0, 0.0f64);
    for row_idx in 0..n_rows {
        let mut reference: Vec<f32> = (0..n_vocab).map(|_| rng.normal() * 2.5).collect();
        for rank in 0..20usize {
            // From one certain token to twenty equal ones.
            let token = rng.next24() as usize % n_vocab;
            reference[token] = 16.0 - (rank * (row_idx % 10)) as f32 * 0.2 + rng.normal();
        }
        let candidate: Vec<f32> =
            reference.iter().map(|logit| logit + rng.normal() * noise).collect();
        loaded.load(kernel, &reference, 0).expect("the row is finite");
        let got = loaded.compare(kernel, &candidate).expect("the row is finite").kld;
        let error = got - kld_f64(&reference, &candidate);
        sum += error;
        worst = worst.max(error.abs());
    }
    let mean = sum / n_rows as f64;
    println!("noise {noise}: mean {mean:e}, worst {worst:e}");
    assert!(mean.abs() < limit, "noise {noise}: mean error {mean:e} nats");
    assert!(worst < 2e-7, "noise {noise}: worst error {worst:e} nats");
}

#[test]
fn mean_kld_agrees_with_f64_to_1e_8() {
    for noise in [1e-5, 0.01, 0.1, 0.5, 3.0] {
        check_mean_error(noise, 1e-8);
    }
}

#[test]
fn rows_one_rounding_apart_go_below_zero_by_less_than_the_documented_bound() {
    let mut rng = Lcg(17);
    let mut least = f64::INFINITY;
    for _ in 0..300 {
        let row: Vec<f32> = (0..64).map(|_| rng.normal() * 4.0).collect();
        let next: Vec<f32> = row.iter().map(|logit| logit.next_up()).collect();
        let (kld, reverse_kld) = divergences(&row, &next);
        least = least.min(kld).min(reverse_kld);
    }
    println!("least {least:e}");
    // Were it never negative, the doc comment of `PairStats::kld` would be wrong.
    assert!(least < 0.0 && least > -2e-7, "{least:e}");
}

#[test]
fn candidate_far_above_the_guessed_scale_is_swept_again() {
    let mut reference = vec![0.0; 100];
    reference[3] = 10.0;
    for height in [50.0, 79.0, 81.0, 300.0, 100_000.0] {
        let mut candidate = reference.clone();
        candidate[50] = height;
        let (_, pair) = measure(&reference, &candidate, 50).expect("the rows are finite");
        let want = kld_f64(&reference, &candidate);
        assert!((pair.kld / want - 1.0).abs() < 1e-7, "{height}: {} not {want}", pair.kld);
        assert!(pair.candidate.nll.abs() < 1e-7, "{height}: {}", pair.candidate.nll);
    }
}

#[test]
fn scores_of_a_row_do_not_depend_on_what_it_is_compared_with() {
    let mut rng = Lcg(23);
    let row: Vec<f32> = (0..1001).map(|_| rng.normal() * 5.0).collect();
    let (own, _) = measure(&row, &row, 77).expect("the row is finite");
    for level in [-15.0, 0.0, 7.3, 60.0] {
        let other: Vec<f32> = (0..1001).map(|_| level + rng.normal()).collect();
        let (_, pair) = measure(&other, &row, 77).expect("the row is finite");
        assert_eq!(pair.candidate, own, "against a row at {level}");
    }
}
