//! The softcap against tanh in f64, and what must hold for any logit.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::{Kernel, Lcg};

/// Largest distance of tanh from its value, in units in the last place. Over all f32 it is 0.96; see
/// `every_f32_is_within_a_unit_in_the_last_place_and_none_falls`.
const WORST_ULP: f64 = 0.97;

/// The capped row, asserted to have the same bits with every instruction set.
#[track_caller]
fn capped(row: &[f32], cap: f32) -> Vec<f32> {
    let with = |kernel: Kernel| {
        let mut out = vec![7.0; row.len()];
        kernel.softcap(row, cap, &mut out);
        out
    };
    let bits = |row: &[f32]| row.iter().map(|logit| logit.to_bits()).collect::<Vec<_>>();
    let kernels = Kernel::all();
    let scalar = with(kernels[0]);
    for &kernel in &kernels[1..] {
        assert_eq!(bits(&with(kernel)), bits(&scalar), "{} against scalar", kernel.name());
    }
    scalar
}

#[track_caller]
fn check(logit: f32, cap: f32, want: f32) {
    assert_eq!(capped(&[logit], cap)[0].to_bits(), want.to_bits(), "{logit} capped at {cap}");
}

/// Distance of `got` from tanh(t), in units in the last place of an f32 there.
fn error_ulp(t: f32, got: f32) -> f64 {
    let want = f64::from(t).tanh();
    let rounded = want as f32;
    let unit = f64::from(rounded.abs().next_up()) - f64::from(rounded.abs());
    (f64::from(got) - want).abs() / unit
}

#[test]
fn ends_and_zeros_are_exact() {
    check(0.0, 30.0, 0.0);
    // The sign of zero is lost, which no sum over a row can tell.
    check(-0.0, 30.0, 0.0);
    check(f32::INFINITY, 30.0, 30.0);
    check(f32::NEG_INFINITY, 30.0, -30.0);
    check(f32::MAX, 50.0, 50.0);
    check(-300.0, 30.0, -30.0);
    assert!(capped(&[f32::NAN], 30.0)[0].is_nan());
}

#[test]
fn what_is_tiny_stays_what_it_is() {
    for logit in [f32::MIN_POSITIVE, f32::from_bits(1), 1e-20, -3e-5] {
        check(logit, 1.0, logit);
    }
}

#[test]
fn every_length_is_capped_whole() {
    let row: Vec<f32> = (0..50u8).map(|token| f32::from(token) * 2.0 - 40.0).collect();
    let whole = capped(&row, 30.0);
    for len in 0..row.len() {
        assert_eq!(capped(&row[..len], 30.0), whole[..len]);
        assert_eq!(capped(&row[len..], 30.0), whole[len..]);
    }
}

#[test]
fn tanh_is_within_a_unit_in_the_last_place_and_has_no_bias() {
    let (mut rng, mut worst, mut bias, n) = (Lcg(3), 0.0f64, 0.0, 1_000_000);
    let row: Vec<f32> = (0..n).map(|_| rng.normal() * 1.5).collect();
    for (&t, got) in row.iter().zip(capped(&row, 1.0)) {
        worst = worst.max(error_ulp(t, got));
        bias += f64::from(got) / f64::from(t).tanh() - 1.0;
    }
    assert!(worst < WORST_ULP, "{worst} units in the last place");
    assert!((bias / f64::from(n)).abs() < 1e-9, "mean relative error {:e}", bias / f64::from(n));
}

#[test]
#[ignore = "takes half a minute; run it after a change of the tangent"]
fn every_f32_is_within_a_unit_in_the_last_place_and_none_falls() {
    let kernel = Kernel::detect();
    let (mut worst, mut before) = ((0.0, 0.0), 0.0);
    let mut out = vec![0.0; 1 << 20];
    for first in (0..f32::INFINITY.to_bits()).step_by(1 << 20) {
        let row: Vec<f32> = (first..first + (1 << 20)).map(f32::from_bits).collect();
        kernel.softcap(&row, 1.0, &mut out);
        for (&t, &got) in row.iter().zip(&out).filter(|(t, _)| t.is_finite()) {
            assert!(got >= before, "tanh falls at {t}: from {before} to {got}");
            before = got;
            // Both are t below, and 1 above.
            let error = if (1e-5..9.5).contains(&t) { error_ulp(t, got) } else { 0.0 };
            if error > worst.0 {
                worst = (error, t);
            }
        }
    }
    println!("{} units in the last place at {}", worst.0, worst.1);
    assert!(worst.0 < WORST_ULP, "{} units in the last place at {}", worst.0, worst.1);
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(4),
        cases: 1000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_row_is_capped_oddly_and_in_order(
        row in prop::collection::vec(any::<u32>().prop_map(f32::from_bits), 0..80),
        cap in 1f32..100.0
    ) {
        let mut row: Vec<f32> = row.into_iter().filter(|logit| !logit.is_nan()).collect();
        row.sort_by(f32::total_cmp);
        let ordered = capped(&row, cap);
        prop_assert!(ordered.is_sorted());
        prop_assert!(ordered.iter().all(|logit| logit.abs() <= cap));
        let negated: Vec<f32> = row.iter().map(|logit| -logit).collect();
        for (up, down) in ordered.iter().zip(capped(&negated, cap)) {
            prop_assert_eq!((up + down).to_bits(), 0, "{} and {}", up, down);
        }
    }
}
