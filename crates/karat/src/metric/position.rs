//! KLD by position in the window: does a build drift as the context grows?
//! Owns the buckets of positions and their rows; never knows how windows are cut.

use std::ops::Range;

use super::Figure;
use super::rows::{Ruler, Subject, row};
use super::token::PairScores;
use super::track::PairTrack;
use crate::record::{Estimate, Unit};
use crate::stats::{Bootstrap, WindowSums, mean};

/// Buckets of a half whose positions all have a long context: eighths see any drift that windows
/// can separate from noise.
const BUCKETS: usize = 8;
/// The setting that names a row's bucket.
const POSITION: &str = "position";

/// At most eight runs of positions, equally wide but for a shorter last one.
pub fn equal_buckets(scored: Range<usize>) -> Vec<Range<usize>> {
    let width = scored.len().div_ceil(BUCKETS).max(1);
    let end = scored.end;
    scored.step_by(width).map(|first| first..end.min(first + width)).collect()
}

/// Position 0, position 1, then twice as many each time: near the window's beginning every
/// doubling of the context counts alike.
pub fn octave_buckets(n_positions: usize) -> Vec<Range<usize>> {
    let firsts = std::iter::successors(Some(0), |&first| Some((2 * first).max(1)));
    firsts
        .take_while(|&first| first < n_positions)
        .map(|first| first..n_positions.min((2 * first).max(1)))
        .collect()
}

/// `kld_mean` of each bucket of positions, with the setting `position = FIRST..LAST` (both ends
/// included) added to the ruler's.
///
/// `first_scored`: position of the windows' first scored token; the others follow without a gap.
/// A row is the token mean over all windows, with windows as the resampling unit, like `kld_mean`
/// itself: the means of the buckets, weighted by their tokens, are the mean of all. Neighbouring
/// buckets share their windows, so their intervals are not independent.
pub fn position_rows(
    pair: &PairTrack,
    ruler: &Ruler,
    first_scored: usize,
    buckets: &[Range<usize>],
    bootstrap: &Bootstrap,
) -> Vec<Estimate> {
    let subject = Subject {
        candidate: pair.candidate.name,
        reference: Some(pair.reference.name),
        versus: None,
        n_windows: pair.windows.len(),
    };
    let bucket_row = |bucket: &Range<usize>| {
        let columns = bucket.start - first_scored..bucket.end - first_scored;
        let tokens = |window: &PairScores| -> Vec<f64> {
            let kld = window.kld();
            kld[columns.start.min(kld.len())..columns.end.min(kld.len())].to_vec()
        };
        let sums = WindowSums::new(pair.windows.iter().map(tokens));
        let mean = mean(&sums, bootstrap).map(|mean| mean.within(0.0, f64::INFINITY));
        let mut setting = ruler.setting.clone();
        setting.insert(POSITION.to_owned(), name(bucket));
        let ruler = Ruler { scope: ruler.scope, setting: &setting };
        row(&Figure::new("kld_mean", Unit::Nats, mean), subject, &ruler)
    };
    buckets.iter().map(bucket_row).collect()
}

/// `256..287`, or `0` for a single position.
fn name(bucket: &Range<usize>) -> String {
    match bucket.len() {
        1 => bucket.start.to_string(),
        _ => format!("{}..{}", bucket.start, bucket.end - 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::token::ModelScores;
    use super::super::track::ModelTrack;
    use super::super::track::tests::pair_scores;
    use super::*;
    use crate::stats::Resampling;

    #[track_caller]
    fn check(buckets: &[Range<usize>], names: &[&str]) {
        assert_eq!(buckets.iter().map(name).collect::<Vec<_>>(), names);
    }

    #[test]
    fn a_half_is_cut_into_eighths() {
        let names = [
            "256..287", "288..319", "320..351", "352..383", "384..415", "416..447", "448..479",
            "480..510",
        ];
        check(&equal_buckets(256..511), &names);
    }

    #[test]
    fn short_windows_have_fewer_buckets() {
        check(&equal_buckets(4..7), &["4", "5", "6"]);
        check(&equal_buckets(9..18), &["9..10", "11..12", "13..14", "15..16", "17"]);
        check(&equal_buckets(5..5), &[]);
    }

    #[test]
    fn octaves_double() {
        let names = ["0", "1", "2..3", "4..7", "8..15", "16..31", "32..63", "64..127", "128..255"];
        check(&octave_buckets(256), &names);
        check(&octave_buckets(11), &["0", "1", "2..3", "4..7", "8..10"]);
        check(&octave_buckets(1), &["0"]);
        check(&octave_buckets(0), &[]);
    }

    #[test]
    fn buckets_cover_every_position_once() {
        for n in 0..700 {
            let covered = |buckets: Vec<Range<usize>>| buckets.into_iter().flatten().collect();
            let octaves: Vec<usize> = covered(octave_buckets(n));
            let equal: Vec<usize> = covered(equal_buckets(n..2 * n));
            assert_eq!(octaves, (0..n).collect::<Vec<_>>());
            assert_eq!(equal, (n..2 * n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_bucket_is_the_mean_of_its_tokens_over_all_windows() {
        let kld = |values: [f64; 4]| pair_scores(&values.map(|kld| (kld, 0.0, 0.0, 5, true)));
        let windows = [kld([1.0, 2.0, 3.0, 10.0]), kld([5.0, 6.0, 7.0, 20.0])];
        let own = vec![ModelScores { nll: vec![0.0; 4] }; 2];
        let model = |name| ModelTrack { name, windows: &own };
        let pair = PairTrack::new(model("q"), model("r"), &windows).unwrap();
        let setting = BTreeMap::from([("n_ctx".to_owned(), "9".to_owned())]);
        let ruler = Ruler { scope: "text", setting: &setting };
        let bootstrap = Bootstrap::new(Resampling::with_seed(1));
        let rows = position_rows(&pair, &ruler, 4, &[4..7, 7..8], &bootstrap);
        let values: Vec<_> = rows.iter().map(|row| row.value).collect();
        assert_eq!(values, [Some(4.0), Some(15.0)]);
        assert_eq!(rows[0].setting["position"], "4..6");
        assert_eq!((rows[1].setting["position"].as_str(), rows[1].n), ("7", 2));
        assert_eq!(rows[0].lo, Some(0.0));
    }
}
