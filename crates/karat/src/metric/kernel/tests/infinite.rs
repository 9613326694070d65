//! What rows with infinite, huge or missing logits mean.

#![expect(clippy::float_cmp, reason = "infinities and negations are exact")]

use super::{Kernel, KernelError, Reference, divergences, kld_f64, measure};

const NEVER: f32 = f32::NEG_INFINITY;

/// 40 logits, so that there are whole blocks and a rest, with some replaced.
fn row(changes: &[(usize, f32)]) -> Vec<f32> {
    let mut row: Vec<f32> = (0..40u8).map(|token| f32::from(token % 7) * 0.75).collect();
    for &(token, logit) in changes {
        row[token] = logit;
    }
    row
}

#[track_caller]
fn check_error(reference: &[f32], candidate: &[f32], want: &KernelError) {
    assert_eq!(measure(reference, candidate, 0).as_ref(), Err(want));
}

/// NaN does not equal itself, so these are compared by token.
#[track_caller]
fn check_not_finite(changes: &[(usize, f32)], want_token: u32) {
    let (good, bad) = (row(&[]), row(changes));
    for (reference, candidate) in [(&good, &bad), (&bad, &good)] {
        match measure(reference, candidate, 0) {
            Err(KernelError::NotFinite { token, .. }) => assert_eq!(token, want_token),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn nan_is_refused_wherever_it_is() {
    // 6 is the argmax of the good row; 33 lies in the unfinished block.
    for token in [0, 6, 15, 16, 33, 39] {
        check_not_finite(&[(token, f32::NAN)], token as u32);
        check_not_finite(&[(token, -f32::NAN)], token as u32);
    }
}

#[test]
fn positive_infinity_is_refused_wherever_it_is() {
    for token in [0, 6, 15, 16, 33, 39] {
        check_not_finite(&[(token, f32::INFINITY)], token as u32);
    }
}

#[test]
fn first_broken_token_is_named() {
    check_not_finite(&[(20, f32::INFINITY), (5, f32::NAN), (39, f32::NAN)], 5);
    check_not_finite(&[(39, f32::NAN), (21, f32::INFINITY), (30, NEVER)], 21);
}

#[test]
fn row_of_nothing_but_negative_infinity_is_refused() {
    let want = KernelError::NoProbability { n_vocab: 40 };
    check_error(&row(&[]), &[NEVER; 40], &want);
    check_error(&[NEVER; 40], &row(&[]), &want);
}

#[test]
fn maximum_beyond_the_range_is_refused() {
    for max in [600_000.0, f32::MAX] {
        let want = KernelError::MaxOutOfRange { max, limit: 524_288.0 };
        check_error(&row(&[]), &row(&[(11, max)]), &want);
        check_error(&row(&[(39, max)]), &row(&[]), &want);
    }
    let want = KernelError::MaxOutOfRange { max: -600_000.0, limit: 524_288.0 };
    check_error(&row(&[]), &[-600_000.0; 40], &want);
}

#[test]
fn large_maximum_within_the_range_is_measured() {
    for level in [500_000.0, -500_000.0, 9000.0] {
        let reference: Vec<f32> = row(&[]).iter().map(|logit| level + logit).collect();
        let candidate: Vec<f32> = row(&[(9, 4.0)]).iter().map(|logit| level + logit).collect();
        let (kld, _) = divergences(&reference, &candidate);
        let want = kld_f64(&reference, &candidate);
        assert!((kld - want).abs() < 1e-7, "{level}: {kld} instead of {want}");
    }
}

#[test]
fn token_lost_by_the_candidate_is_infinitely_far() {
    for token in [0, 6, 17, 39] {
        let (kld, reverse_kld) = divergences(&row(&[]), &row(&[(token, NEVER)]));
        assert_eq!(kld, f64::INFINITY, "token {token}");
        assert!(reverse_kld > 0.0 && reverse_kld.is_finite(), "token {token}: {reverse_kld}");
    }
}

#[test]
fn token_gained_by_the_candidate_is_infinitely_far_the_other_way_round() {
    for token in [0, 6, 17, 39] {
        let (kld, reverse_kld) = divergences(&row(&[(token, NEVER)]), &row(&[]));
        assert_eq!(reverse_kld, f64::INFINITY, "token {token}");
        assert!(kld > 0.0 && kld.is_finite(), "token {token}: {kld}");
    }
}

#[test]
fn tokens_impossible_to_both_do_not_count() {
    let lost = [(3, NEVER), (20, NEVER), (38, NEVER)];
    let reference = row(&lost);
    let candidate = row(&[lost.as_slice(), &[(9, 4.0), (30, 1.0)]].concat());
    let without =
        |row: &[f32]| row.iter().copied().filter(|&logit| logit > NEVER).collect::<Vec<_>>();
    let (kld, reverse_kld) = divergences(&reference, &candidate);
    let (reference, candidate) = (without(&reference), without(&candidate));
    assert!((kld - kld_f64(&reference, &candidate)).abs() < 1e-7, "{kld}");
    assert!((reverse_kld - kld_f64(&candidate, &reference)).abs() < 1e-7, "{reverse_kld}");
    let (kld, reverse_kld) = divergences(&row(&lost), &row(&lost));
    assert_eq!((kld.to_bits(), reverse_kld.to_bits()), (0, 0));
}

#[test]
fn impossible_target_has_no_probability_and_infinite_nll() {
    let (stats, pair) =
        measure(&row(&[]), &row(&[(17, NEVER)]), 17).expect("the rows have a softmax");
    assert_eq!(pair.candidate.nll, f64::INFINITY);
    assert_eq!(pair.candidate.p_target.to_bits(), 0);
    assert_eq!(pair.delta_p, -stats.p_target);
}

#[test]
fn very_low_finite_logits_keep_their_distance() {
    // exp(-1000) is 0 in f32 and f64; the distance that a likely token has moved is not.
    let (kld, _) = divergences(&row(&[]), &row(&[(6, -1000.0)]));
    let want = kld_f64(&row(&[]), &row(&[(6, -1000.0)]));
    assert!((kld / want - 1.0).abs() < 1e-7, "{kld} instead of {want}");
    let (kld, reverse_kld) = divergences(&row(&[(6, f32::MIN)]), &row(&[]));
    assert!(kld < 1.0, "{kld}");
    assert!(reverse_kld > 1e36 && reverse_kld.is_finite(), "{reverse_kld}");
}

#[test]
fn wrong_lengths_and_targets_are_refused() {
    let kernel = Kernel::detect();
    let mut loaded = Reference::new(40);
    let want = KernelError::Length { got: 39, want: 40 };
    assert_eq!(loaded.load(kernel, &[0.0; 39], 0), Err(want.clone()));
    let target = KernelError::Target { target: 40, n_vocab: 40 };
    assert_eq!(loaded.load(kernel, &[0.0; 40], 40), Err(target));
    loaded.load(kernel, &[0.0; 40], 39).expect("the row is finite");
    assert_eq!(loaded.compare(kernel, &[0.0; 39]), Err(want));
}

#[test]
fn nothing_can_be_compared_with_a_row_that_failed_to_load() {
    let kernel = Kernel::detect();
    let mut loaded = Reference::new(40);
    assert_eq!(loaded.compare(kernel, &row(&[])), Err(KernelError::NothingLoaded));
    loaded.load(kernel, &row(&[]), 0).expect("the row is finite");
    loaded.load(kernel, &[NEVER; 40], 0).expect_err("the row has no softmax");
    assert_eq!(loaded.compare(kernel, &row(&[])), Err(KernelError::NothingLoaded));
    assert_eq!(loaded.stats(), None);
}

#[test]
fn reference_forgets_the_impossible_tokens_of_the_row_before() {
    let kernel = Kernel::detect();
    let mut loaded = Reference::new(40);
    loaded.load(kernel, &row(&[(4, NEVER)]), 0).expect("the row has a softmax");
    loaded.load(kernel, &row(&[]), 0).expect("the row is finite");
    let pair = loaded.compare(kernel, &row(&[])).expect("the row is finite");
    assert_eq!((pair.kld, pair.reverse_kld), (0.0, 0.0));
}
