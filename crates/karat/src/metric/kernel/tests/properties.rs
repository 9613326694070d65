//! What must hold for any rows.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::{divergences, measure};

/// Errors of two f32 exponentials, see `PairStats::kld`.
const ROUNDING: f64 = 2e-7;

/// How far a divergence from `reference` may fall below zero: as `PairStats::kld` says.
fn shortfall(reference: &[f32], candidate: &[f32]) -> f64 {
    let max = reference.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut distance) = (0.0, 0.0);
    for (&x, &y) in reference.iter().zip(candidate) {
        let weight = (f64::from(x) - f64::from(max)).exp();
        sum += weight;
        if weight > 0.0 && y > f32::NEG_INFINITY {
            distance += weight * (f64::from(x) - f64::from(y)).abs();
        }
    }
    ROUNDING + 6e-8 * distance / sum
}

/// One logit: mostly ordinary, sometimes tied, far below, masked or impossible.
fn logit() -> impl Strategy<Value = f32> {
    prop_oneof![
        20 => -30f32..30.0,
        4 => (-3i8..4).prop_map(f32::from),
        1 => -2000f32..-80.0,
        1 => Just(f32::MIN),
        1 => Just(f32::NEG_INFINITY),
    ]
}

/// Two rows of equal length: any vector width, with and without a rest.
fn rows(logit: impl Strategy<Value = f32>) -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    prop::collection::vec((logit, -1f32..1.0, 0..4u8), 1..150).prop_map(|cells| {
        let moved = |&(x, step, kind): &(f32, f32, u8)| match kind {
            0 => x,
            1 => x + step,
            2 => x + step * 0.001,
            _ => step * 20.0,
        };
        (cells.iter().map(|cell| cell.0).collect(), cells.iter().map(moved).collect())
    })
}

fn possible(row: &[f32]) -> bool {
    row.iter().any(|&logit| logit > -524_288.0)
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        cases: 1000,
        ..ProptestConfig::default()
    })]

    // `measure` asserts that all instruction sets agree to the bit.
    #[test]
    fn divergences_of_any_rows_are_numbers_and_not_negative(
        (reference, candidate) in rows(logit())
    ) {
        prop_assume!(possible(&reference) && possible(&candidate));
        let (stats, pair) = measure(&reference, &candidate, 0)?;
        prop_assert!(pair.kld >= -shortfall(&reference, &candidate), "{}", pair.kld);
        let least = -shortfall(&candidate, &reference);
        prop_assert!(pair.reverse_kld >= least, "{}", pair.reverse_kld);
        prop_assert!(stats.lse_offset >= -ROUNDING && stats.nll >= -ROUNDING);
        prop_assert!((-1.0 - ROUNDING..=1.0 + ROUNDING).contains(&pair.delta_p));
    }

    #[test]
    fn any_row_against_itself_is_exactly_zero((row, _) in rows(logit())) {
        prop_assume!(possible(&row));
        let (_, pair) = measure(&row, &row, 0)?;
        let bits = (pair.kld.to_bits(), pair.reverse_kld.to_bits(), pair.delta_p.to_bits());
        prop_assert_eq!(bits, (0, 0, 0));
    }

    #[test]
    fn order_of_the_tokens_does_not_matter(
        (reference, candidate) in rows(-30f32..30.0), turn in 0..1000usize
    ) {
        let turned = |row: &[f32]| {
            let mut row = row.to_vec();
            row.rotate_left(turn % reference.len());
            row.reverse();
            row
        };
        let before = divergences(&reference, &candidate);
        let after = divergences(&turned(&reference), &turned(&candidate));
        prop_assert!((before.0 - after.0).abs() <= 1e-12 * (1.0 + before.0));
        prop_assert!((before.1 - after.1).abs() <= 1e-12 * (1.0 + before.1));
    }

    #[test]
    fn common_offset_of_a_row_does_not_matter(
        cells in prop::collection::vec((-20_000i16..20_000, -500i16..500), 1..150),
        offset in -60i8..60
    ) {
        // Steps of 1/1024, so that adding the offset is exact in f32.
        let logit = |steps: i32| steps as f32 / 1024.0;
        let reference: Vec<f32> = cells.iter().map(|cell| logit(cell.0.into())).collect();
        let candidate: Vec<f32> =
            cells.iter().map(|cell| logit(i32::from(cell.0) + i32::from(cell.1))).collect();
        let moved: Vec<f32> = candidate.iter().map(|logit| logit + f32::from(offset)).collect();
        let before = divergences(&reference, &candidate);
        let after = divergences(&reference, &moved);
        prop_assert!((before.0 - after.0).abs() <= ROUNDING, "{before:?} {after:?}");
        prop_assert!((before.1 - after.1).abs() <= ROUNDING, "{before:?} {after:?}");
    }

    #[test]
    fn alignment_does_not_matter((reference, candidate) in rows(-30f32..30.0), skip in 0..17usize) {
        let shifted = |row: &[f32]| [vec![7.0; skip], row.to_vec()].concat();
        let (x, y) = (shifted(&reference), shifted(&candidate));
        prop_assert_eq!(measure(&x[skip..], &y[skip..], 0)?, measure(&reference, &candidate, 0)?);
    }
}
