//! What a confidence sequence does with one stream of values.
//! Owns the small cases; how often sequences are wrong is simulated in `tests/`.

use proptest::prelude::*;

use super::confidence_sequence::{ConfidenceSequence, SequenceDesign, Side, Standing};
use super::interval::Interval;
use super::sequence_bound::WARM_UP;

fn read(values: &[f64], n_windows: u64, tested: f64) -> ConfidenceSequence {
    let design = SequenceDesign { n_windows, tested, error: 0.05 };
    let mut sequence = ConfidenceSequence::new(design);
    for &value in values {
        sequence.observe(value);
    }
    sequence
}

/// `n` values around `centre`, from -1 to 1 around it.
fn around(centre: f64, n: u32) -> Vec<f64> {
    (0..n).map(|i| centre + (f64::from(i * 7 % 11) - 5.0) / 5.0).collect()
}

#[track_caller]
fn check_side(values: &[f64], n_windows: u64, tested: f64, want: Option<Side>) {
    let got = read(values, n_windows, tested).decided().map(|(side, _)| side);
    assert_eq!(got, want);
}

#[test]
fn clear_differences_are_decided_early_and_on_their_side() {
    check_side(&around(2.0, 50), 251, 0.0, Some(Side::Higher));
    check_side(&around(-2.0, 50), 251, 0.0, Some(Side::Lower));
    check_side(&around(2.0, 50), 251, 4.0, Some(Side::Lower));
}

#[test]
fn nothing_is_decided_before_a_bet_was_played() {
    check_side(&around(1e6, WARM_UP as u32), 251, 0.0, None);
    assert_eq!(read(&around(1e6, WARM_UP as u32), 251, 0.0).interval(), None);
}

#[test]
fn the_last_window_decides_whatever_is_left() {
    let mut values = around(0.0, 66);
    values[65] += 0.01;
    let mean = values.iter().sum::<f64>() / 66.0;
    assert_eq!(read(&values[..65], 66, 0.0).decided(), None);
    let whole = read(&values, 66, 0.0);
    assert_eq!(whole.decided(), Some((Side::Higher, 66)));
    assert_eq!(whole.interval(), Some(Interval { lo: mean, hi: mean, level: 0.95 }));
}

#[test]
fn an_exact_tie_stays_open_to_the_end() {
    // 0.1 + 0.2 - 0.3 is no zero in floating point.
    let values = [0.1, 0.2, -0.3].repeat(22);
    assert_eq!(read(&values, 66, 0.0).standing(), Standing::Open { needed: None });
    check_side(&[0.0; 66], 66, 0.0, None);
    check_side(&[0.1; 66], 66, 0.1, None);
}

#[test]
fn windows_beyond_the_text_are_ignored() {
    let mut sequence = read(&around(2.0, 30), 30, 0.0);
    let before = sequence.interval();
    sequence.observe(-1e9);
    assert_eq!((sequence.n_read(), sequence.interval()), (30, before));
}

#[test]
fn a_value_that_is_not_finite_leaves_the_question_open() {
    for value in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let mut values = vec![value];
        values.extend(around(2.0, 29));
        for n_windows in [30, 251] {
            let sequence = read(&values, n_windows, 0.0);
            assert_eq!(sequence.standing(), Standing::Open { needed: None });
            assert_eq!((sequence.mean(), sequence.interval()), (None, None));
        }
    }
}

#[test]
fn an_answer_is_not_taken_back() {
    let mut values = around(2.0, 60);
    let decided = read(&values, 251, 0.0).decided();
    assert!(decided.is_some_and(|(_, after)| after < 60));
    values.extend(around(-9.0, 191));
    assert_eq!(read(&values, 251, 0.0).decided(), decided);
}

#[test]
fn looks_that_contradict_each_other_leave_no_interval() {
    let mut values = around(2.0, 60);
    values.extend(around(-9.0, 130));
    assert_eq!(read(&values, 251, 0.0).interval(), None);
}

#[test]
fn interval_shrinks_and_stays_inside_the_ones_before() {
    let values = around(0.3, 200);
    let mut last = Interval { lo: f64::NEG_INFINITY, hi: f64::INFINITY, level: 0.95 };
    for n in [21, 30, 60, 120, 200] {
        let next = read(&values[..n], 201, 0.0).interval().unwrap();
        assert!(last.lo <= next.lo && next.hi <= last.hi, "{last:?} then {next:?}");
        last = next;
    }
    assert!(last.hi - last.lo < 0.1, "{last:?}");
}

#[test]
fn needed_windows_are_about_those_it_takes() {
    for (centre, early) in [(1.0, 25), (0.4, 60), (0.2, 100)] {
        let values = around(centre, 400);
        let Standing::Open { needed: Some(needed) } = read(&values[..early], 400, 0.0).standing()
        else {
            panic!("{centre} is decided after {early} windows");
        };
        let (_, after) = read(&values, 400, 0.0).decided().unwrap();
        assert!(needed.abs_diff(after) <= 1 + after / 10, "said {needed}, took {after}");
    }
}

#[test]
fn a_difference_too_small_to_show_early_needs_the_whole_text() {
    let standing = read(&around(0.001, 60), 66, 0.0).standing();
    assert_eq!(standing, Standing::Open { needed: None });
}

proptest! {
    /// The fact that everything rests on: the next window, drawn from those unread, is worth
    /// exactly the mean that the tested mean of all leaves for them.
    #[test]
    fn unread_mean_of_the_true_mean_is_the_mean_of_the_unread(
        values in prop::collection::vec(-100.0..100.0, 1..60), read_share in 0.0..1.0,
    ) {
        let n_read = (values.len() as f64 * read_share) as usize;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let sequence = read(&values[..n_read], values.len() as u64, mean);
        let unread = sequence.unread_mean(mean, n_read as u64, values[..n_read].iter().sum());
        let want = values[n_read..].iter().sum::<f64>() / (values.len() - n_read) as f64;
        prop_assert!((unread - want).abs() < 1e-9);
    }

    #[test]
    fn interval_and_answer_never_disagree(
        values in prop::collection::vec(-1.0..2.0, 21..150), tested in -1.0..2.0,
    ) {
        let sequence = read(&values, 151, tested);
        if let Some(Interval { lo, hi, .. }) = sequence.interval() {
            match sequence.decided() {
                Some((Side::Higher, _)) => prop_assert!(lo >= tested),
                Some((Side::Lower, _)) => prop_assert!(hi <= tested),
                None => prop_assert!(lo < tested && tested < hi),
            }
        }
    }

    #[test]
    fn interval_follows_shift_and_scale(
        values in prop::collection::vec(-20_i32..20, 25..80), shift in -5_i32..5,
    ) {
        let map = |to: &dyn Fn(f64) -> f64, tested: f64| {
            let values: Vec<f64> = values.iter().map(|&value| to(value.into())).collect();
            read(&values, 90, tested)
        };
        let plain = map(&|x| x, 0.0);
        let moved = map(&|x| 4.0 * (x + f64::from(shift)), 4.0 * f64::from(shift));
        prop_assert_eq!(plain.decided(), moved.decided());
        if let (Some(plain), Some(moved)) = (plain.interval(), moved.interval()) {
            let want = |x: f64| 4.0 * (x + f64::from(shift));
            prop_assert!((moved.lo - want(plain.lo)).abs() < 1e-8);
            prop_assert!((moved.hi - want(plain.hi)).abs() < 1e-8);
        }
    }
}
