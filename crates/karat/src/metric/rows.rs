//! From figures to rows of the tidy table.
//! Owns who and what a row names; never computes a figure.

use std::collections::BTreeMap;

use super::track::{ModelDifference, ModelTrack, PairDifference, PairTrack};
use super::{
    Figure, MODEL_DIFFERENCE_METRICS, MODEL_METRICS, Metric, PAIR_DIFFERENCE_METRICS, PAIR_METRICS,
};
use crate::record::{Estimate, Instrument};
use crate::stats::Bootstrap;

/// What the figures were measured on: part of every row.
#[derive(Clone, Copy, Debug)]
pub struct Ruler<'a> {
    /// Short name of the text.
    pub scope: &'a str,
    /// Settings, e.g. `n_ctx = 512`.
    pub setting: &'a BTreeMap<String, String>,
}

/// Whose figures they are: the name columns of a row.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) candidate: &'a str,
    pub(super) reference: Option<&'a str>,
    pub(super) versus: Option<&'a str>,
    pub(super) n_windows: usize,
}

/// Rows of one model on its own: `ppl`.
pub fn model_rows(track: &ModelTrack, ruler: &Ruler, bootstrap: &Bootstrap) -> Vec<Estimate> {
    let subject = Subject {
        candidate: track.name,
        reference: None,
        versus: None,
        n_windows: track.windows.len(),
    };
    rows(&figures(MODEL_METRICS, track, bootstrap), subject, ruler)
}

/// Rows of one candidate minus another, where no reference is needed: `ln_ppl_ratio`.
pub fn model_difference_rows(
    models: &ModelDifference,
    ruler: &Ruler,
    bootstrap: &Bootstrap,
) -> Vec<Estimate> {
    let subject = Subject {
        candidate: models.candidate.name,
        reference: None,
        versus: Some(models.versus.name),
        n_windows: models.candidate.windows.len(),
    };
    rows(&figures(MODEL_DIFFERENCE_METRICS, models, bootstrap), subject, ruler)
}

/// Rows of a candidate against a reference: `ln_ppl_ratio`, all of KLD, `reverse_kld_mean`,
/// `same_top_p`, `top5_overlap`, `delta_p_mean`, `delta_p_rms`.
pub fn pair_rows(pair: &PairTrack, ruler: &Ruler, bootstrap: &Bootstrap) -> Vec<Estimate> {
    let subject = Subject {
        candidate: pair.candidate.name,
        reference: Some(pair.reference.name),
        versus: None,
        n_windows: pair.windows.len(),
    };
    rows(&figures(PAIR_METRICS, pair, bootstrap), subject, ruler)
}

/// Rows of one candidate minus another against the same reference: `kld_mean_diff`,
/// `same_top_p_diff`.
pub fn pair_difference_rows(
    pairs: &PairDifference,
    ruler: &Ruler,
    bootstrap: &Bootstrap,
) -> Vec<Estimate> {
    let subject = Subject {
        candidate: pairs.candidate.candidate.name,
        reference: Some(pairs.candidate.reference.name),
        versus: Some(pairs.versus.candidate.name),
        n_windows: pairs.candidate.windows.len(),
    };
    rows(&figures(PAIR_DIFFERENCE_METRICS, pairs, bootstrap), subject, ruler)
}

fn figures<I>(metrics: &[&dyn Metric<I>], input: &I, bootstrap: &Bootstrap) -> Vec<Figure> {
    metrics.iter().flat_map(|metric| metric.figures(input, bootstrap)).collect()
}

fn rows(figures: &[Figure], subject: Subject, ruler: &Ruler) -> Vec<Estimate> {
    figures.iter().map(|figure| row(figure, subject, ruler)).collect()
}

/// One row. A figure that has run to infinity (exp of a huge mean) is undefined like any other.
pub(super) fn row(figure: &Figure, subject: Subject, ruler: &Ruler) -> Estimate {
    let summary = figure.summary.filter(|summary| summary.value.is_finite());
    let interval = summary
        .and_then(|summary| summary.interval)
        .filter(|interval| interval.lo.is_finite() && interval.hi.is_finite());
    Estimate {
        instrument: Instrument::Fidelity,
        metric: figure.name.to_owned(),
        candidate: subject.candidate.to_owned(),
        reference: subject.reference.map(str::to_owned),
        versus: subject.versus.map(str::to_owned),
        scope: ruler.scope.to_owned(),
        setting: ruler.setting.clone(),
        value: summary.map(|summary| summary.value),
        lo: interval.map(|interval| interval.lo),
        hi: interval.map(|interval| interval.hi),
        level: interval.map(|interval| interval.level),
        n: subject.n_windows as u64,
        unit: figure.unit,
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::{ModelScores, PairScores};
    use super::super::track::tests::pair_scores;
    use super::*;
    use crate::stats::Resampling;

    const REFERENCE_NLL: [[f64; 2]; 2] = [[1.0, 2.0], [3.0, 4.0]];

    /// Two windows of two tokens, with every metric easy to work out.
    fn two_windows() -> Vec<PairScores> {
        vec![
            pair_scores(&[(0.0, 0.5, 0.5, 5, true), (1.0, 0.5, -0.5, 4, false)]),
            pair_scores(&[(2.0, 0.0, 0.0, 5, true), (5.0, 1.0, -0.25, 2, true)]),
        ]
    }

    fn model_scores(nll: [[f64; 2]; 2]) -> Vec<ModelScores> {
        nll.iter().map(|window| ModelScores { nll: window.to_vec() }).collect()
    }

    fn with_ruler(rows: impl Fn(&Ruler, &Bootstrap) -> Vec<Estimate>) -> Vec<Estimate> {
        let setting = BTreeMap::from([("n_ctx".to_owned(), "512".to_owned())]);
        let bootstrap = Bootstrap::new(Resampling::with_seed(1));
        rows(&Ruler { scope: "english", setting: &setting }, &bootstrap)
    }

    /// All rows of a candidate against a reference.
    fn rows_of_pair(candidate_nll: [[f64; 2]; 2], scores: &[PairScores]) -> Vec<Estimate> {
        let candidate = model_scores(candidate_nll);
        let reference = model_scores(REFERENCE_NLL);
        let candidate = ModelTrack { name: "q4_0", windows: &candidate };
        let reference = ModelTrack { name: "bf16", windows: &reference };
        let pair = PairTrack::new(candidate, reference, scores).unwrap();
        with_ruler(|ruler, bootstrap| pair_rows(&pair, ruler, bootstrap))
    }

    #[track_caller]
    fn check(rows: &[Estimate], metric: &str, value: Option<f64>) {
        let row = rows.iter().find(|row| row.metric == metric).expect("the metric has a row");
        match (row.value, value) {
            (Some(got), Some(want)) => {
                assert!((got - want).abs() < 1e-12, "{metric}: got {got}, want {want}");
            }
            (got, want) => assert_eq!(got, want, "{metric}"),
        }
    }

    #[test]
    fn a_pair_has_these_rows_in_this_order() {
        let rows = rows_of_pair(REFERENCE_NLL, &two_windows());
        let names: Vec<&str> = rows.iter().map(|row| row.metric.as_str()).collect();
        assert_eq!(
            names,
            [
                "ln_ppl_ratio",
                "kld_mean",
                "kld_median",
                "kld_p90",
                "kld_p95",
                "kld_p99",
                "kld_p99_9",
                "kld_max",
                "kld_design_effect",
                "reverse_kld_mean",
                "same_top_p",
                "top5_overlap",
                "delta_p_mean",
                "delta_p_rms",
            ]
        );
    }

    #[test]
    fn figures_of_a_pair_are_worked_out_over_tokens() {
        let rows = rows_of_pair([[2.0, 2.0], [3.0, 5.0]], &two_windows());
        check(&rows, "ln_ppl_ratio", Some(0.5));
        check(&rows, "kld_mean", Some(2.0));
        check(&rows, "kld_median", Some(1.5));
        check(&rows, "kld_p90", Some(4.1));
        check(&rows, "kld_p99_9", Some(4.991));
        check(&rows, "kld_max", Some(5.0));
        // Window means 0.5 and 3.5: variance of the mean 2.25; of four tokens 14 / 3 / 4.
        check(&rows, "kld_design_effect", Some(27.0 / 14.0));
        check(&rows, "reverse_kld_mean", Some(0.5));
        check(&rows, "same_top_p", Some(0.75));
        check(&rows, "top5_overlap", Some(0.8));
        check(&rows, "delta_p_mean", Some(-0.0625));
        check(&rows, "delta_p_rms", Some(0.375));
    }

    #[test]
    fn rows_say_whose_they_are_and_on_what() {
        let rows = rows_of_pair(REFERENCE_NLL, &two_windows());
        for row in &rows {
            assert_eq!((row.candidate.as_str(), row.reference.as_deref()), ("q4_0", Some("bf16")));
            assert_eq!((row.versus.as_deref(), row.n), (None, 2));
            assert_eq!((row.scope.as_str(), row.setting["n_ctx"].as_str()), ("english", "512"));
        }
    }

    #[test]
    fn intervals_stay_within_what_a_metric_can_be() {
        let rows = rows_of_pair(REFERENCE_NLL, &two_windows());
        // Two windows have Student's interval, 12.7 standard errors wide to either side.
        for (metric, lo, hi) in [("same_top_p", 0.0, 1.0), ("delta_p_rms", 0.0, 1.0)] {
            let row = rows.iter().find(|row| row.metric == metric).unwrap();
            assert_eq!((row.lo, row.hi, row.level), (Some(lo), Some(hi), Some(0.95)), "{metric}");
        }
        let kld = rows.iter().find(|row| row.metric == "kld_mean").unwrap();
        assert_eq!(kld.lo, Some(0.0));
        assert!(kld.hi > Some(10.0));
    }

    #[test]
    fn a_model_against_itself_is_exactly_no_distance_away() {
        let scores = vec![pair_scores(&[(0.0, 0.0, 0.0, 5, true); 2]); 2];
        let rows = rows_of_pair(REFERENCE_NLL, &scores);
        for row in rows.iter().filter(|row| row.metric != "kld_design_effect") {
            let want = f64::from(matches!(row.metric.as_str(), "same_top_p" | "top5_overlap"));
            assert_eq!(row.value, Some(want), "{}", row.metric);
            // Shares that are 1 in all windows seen need not be so in others.
            let has_interval = want == 0.0 && row.metric != "kld_max";
            let end = has_interval.then_some(0.0);
            assert_eq!((row.lo, row.hi), (end, end), "{}", row.metric);
        }
        check(&rows, "kld_design_effect", None);
    }

    #[test]
    fn an_impossible_token_leaves_mean_and_maximum_without_value() {
        let mut scores = two_windows();
        scores[1] = pair_scores(&[(2.0, 0.0, 0.0, 5, true), (f64::INFINITY, 1.0, -0.25, 2, true)]);
        let rows = rows_of_pair([[1.0, 2.0], [3.0, f64::INFINITY]], &scores);
        for metric in ["ln_ppl_ratio", "kld_mean", "kld_p90", "kld_max", "kld_design_effect"] {
            check(&rows, metric, None);
        }
        check(&rows, "kld_median", Some(1.5));
        check(&rows, "same_top_p", Some(0.75));
        let undefined = rows.iter().find(|row| row.metric == "kld_mean").unwrap();
        assert_eq!((undefined.lo, undefined.hi, undefined.level), (None, None, None));
    }

    #[test]
    fn perplexity_is_exp_of_the_mean_and_so_are_its_ends() {
        let scores = model_scores(REFERENCE_NLL);
        let track = ModelTrack { name: "bf16", windows: &scores };
        let rows = with_ruler(|ruler, bootstrap| model_rows(&track, ruler, bootstrap));
        check(&rows, "ppl", Some(2.5_f64.exp()));
        // Window means 1.5 and 3.5: standard error 1, and t(0.975) with one degree of freedom.
        let half_width = 12.706_204_736_174_7;
        let (lo, hi) = (rows[0].lo.unwrap().ln(), rows[0].hi.unwrap().ln());
        assert!((lo - (2.5 - half_width)).abs() < 1e-9 && (hi - (2.5 + half_width)).abs() < 1e-9);
        assert_eq!((rows.len(), rows[0].reference.as_deref()), (1, None));
    }

    #[test]
    fn perplexity_beyond_all_numbers_has_no_value() {
        let scores = model_scores([[800.0, 900.0], [1e3, 1e3]]);
        let track = ModelTrack { name: "broken", windows: &scores };
        let rows = with_ruler(|ruler, bootstrap| model_rows(&track, ruler, bootstrap));
        assert_eq!((rows[0].value, rows[0].lo, rows[0].hi), (None, None, None));
    }

    #[test]
    fn differences_are_candidate_minus_versus() {
        let left = two_windows();
        let right = vec![
            pair_scores(&[(0.0, 0.5, 0.5, 5, true), (0.0, 0.5, -0.5, 4, false)]),
            pair_scores(&[(2.0, 0.0, 0.0, 5, false), (5.0, 1.0, -0.25, 2, false)]),
        ];
        let nll = model_scores(REFERENCE_NLL);
        let other_nll = model_scores([[1.0, 2.0], [3.0, 2.0]]);
        let reference = ModelTrack { name: "bf16", windows: &nll };
        let candidate = ModelTrack { name: "q4_0", windows: &nll };
        let versus = ModelTrack { name: "q6_k", windows: &other_nll };

        let models = ModelDifference::new(candidate, versus).unwrap();
        let rows = with_ruler(|ruler, boot| model_difference_rows(&models, ruler, boot));
        check(&rows, "ln_ppl_ratio", Some(0.5));
        assert_eq!((rows.len(), rows[0].reference.as_deref()), (1, None));
        assert_eq!(rows[0].versus.as_deref(), Some("q6_k"));

        let pairs = PairDifference::new(
            PairTrack::new(candidate, reference, &left).unwrap(),
            PairTrack::new(versus, reference, &right).unwrap(),
        );
        let pairs = pairs.unwrap();
        let rows = with_ruler(|ruler, boot| pair_difference_rows(&pairs, ruler, boot));
        check(&rows, "kld_mean_diff", Some(0.25));
        check(&rows, "same_top_p_diff", Some(0.5));
        assert_eq!((rows.len(), rows[0].reference.as_deref()), (2, Some("bf16")));
        assert_eq!(rows[0].versus.as_deref(), Some("q6_k"));
    }

    #[test]
    fn no_windows_have_rows_without_values() {
        let track = ModelTrack { name: "bf16", windows: &[] };
        let pair = PairTrack::new(track, track, &[]).unwrap();
        let rows = with_ruler(|ruler, bootstrap| pair_rows(&pair, ruler, bootstrap));
        assert_eq!(rows.len(), 14);
        assert!(rows.iter().all(|row| row.value.is_none() && row.lo.is_none() && row.n == 0));
    }
}
