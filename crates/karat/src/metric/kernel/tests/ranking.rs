//! The five largest logits and what follows from them.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::super::{NO_TOKEN, TOP};
use super::measure;

/// By sorting: largest first, lower id first among equals, -inf left out.
fn sorted_top(row: &[f32]) -> [u32; TOP] {
    let mut tokens: Vec<usize> = (0..row.len()).filter(|&id| row[id] > f32::NEG_INFINITY).collect();
    tokens.sort_by(|&left, &right| row[right].total_cmp(&row[left]).then(left.cmp(&right)));
    let mut top = [NO_TOKEN; TOP];
    for (place, &token) in top.iter_mut().zip(&tokens) {
        *place = token as u32;
    }
    top
}

#[track_caller]
fn check(row: &[f32], want: [u32; TOP]) {
    let (own, pair) = measure(row, row, 0).expect("the row has a softmax");
    assert_eq!(own.top, want);
    assert_eq!(pair.candidate.top, want);
    let (_, pair) = measure(&vec![0.0; row.len()], row, 0).expect("the row has a softmax");
    assert_eq!(pair.candidate.top, want, "against a flat reference");
}

#[test]
fn lower_id_comes_first_among_equals() {
    check(&[1.0; 40], [0, 1, 2, 3, 4]);
    let mut row = [0.0; 40];
    row[39] = 1.0;
    row[20] = 1.0;
    check(&row, [20, 39, 0, 1, 2]);
}

#[test]
fn short_rows_leave_places_empty() {
    check(&[1.0, 3.0, 2.0], [1, 2, 0, NO_TOKEN, NO_TOKEN]);
    check(&[f32::NEG_INFINITY, 3.0, 2.0], [1, 2, NO_TOKEN, NO_TOKEN, NO_TOKEN]);
}

#[test]
fn rising_and_falling_rows_are_ranked() {
    let rising: Vec<f32> = (0..100u8).map(f32::from).collect();
    check(&rising, [99, 98, 97, 96, 95]);
    let falling: Vec<f32> = (0..100u8).rev().map(f32::from).collect();
    check(&falling, [0, 1, 2, 3, 4]);
}

#[track_caller]
fn check_overlap(reference: &[f32], candidate: &[f32], overlap: u8, same_top: bool) {
    let (_, pair) = measure(reference, candidate, 0).expect("the rows have a softmax");
    assert_eq!((pair.top5_overlap, pair.same_top), (overlap, same_top));
}

#[test]
fn overlap_counts_tokens_whatever_their_order() {
    let row = [9.0, 8.0, 7.0, 6.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    check_overlap(&row, &row, 5, true);
    check_overlap(&row, &[5.0, 6.0, 7.0, 8.0, 9.0, 0.0, 0.0, 0.0, 0.0, 0.0], 5, false);
    check_overlap(&row, &[9.0, 0.0, 0.0, 0.0, 0.0, 8.0, 8.0, 8.0, 8.0, 8.0], 1, true);
    check_overlap(&row, &[0.0, 0.0, 0.0, 0.0, 0.0, 8.0, 8.0, 8.0, 8.0, 8.0], 0, false);
}

#[test]
fn empty_places_are_not_in_common() {
    check_overlap(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], 3, true);
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(2),
        cases: 1000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn top_is_what_sorting_gives(
        // Few different values, so that ties are common.
        pairs in prop::collection::vec((0..12i8, 0..12i8, 0..8u8), 6..120)
    ) {
        let at = |level: i8, mask: bool| if mask { f32::NEG_INFINITY } else { f32::from(level) };
        let reference: Vec<f32> = pairs.iter().map(|&(x, _, mask)| at(x, mask == 0)).collect();
        let candidate: Vec<f32> = pairs.iter().map(|&(_, y, mask)| at(y, mask == 1)).collect();
        prop_assume!(reference.iter().any(|logit| logit.is_finite()));
        prop_assume!(candidate.iter().any(|logit| logit.is_finite()));
        let (own, pair) = measure(&reference, &candidate, 0)?;
        let (want, want_candidate) = (sorted_top(&reference), sorted_top(&candidate));
        prop_assert_eq!(own.top, want);
        prop_assert_eq!(pair.candidate.top, want_candidate);
        prop_assert_eq!(pair.same_top, want[0] == want_candidate[0]);
        let common = want.iter().filter(|id| **id != NO_TOKEN && want_candidate.contains(id));
        prop_assert_eq!(usize::from(pair.top5_overlap), common.count());
    }
}
