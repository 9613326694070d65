//! Better, not worse, worse or cannot tell: for each measurement, for all texts of a pair, for the pair.
//! Owns the decisions; all of a run's share one error by Holm's method.

use crate::record::Verdict;
use crate::stats::holm_levels;

use super::measurement::Measurement;

/// The level at which each measurement is judged, so that all claims together are wrong with
/// probability `alpha` at most.
///
/// The unit of Holm's method is the measurement: of one whose truth is a loss beyond the margin, only
/// "not worse" or "better" would be wrong, and both need the same p value; of one without a difference,
/// "better" or "worse", which are two sides of one test. So each costs its level once.
pub(super) fn levels(measurements: &[&Measurement<'_>], alpha: f64) -> Vec<f64> {
    let p_values: Vec<f64> = measurements.iter().map(|one| one.p_value()).collect();
    holm_levels(&p_values, alpha)
}

/// What one measurement says at its level. A loss that is shown to be smaller than the margin is "not
/// worse", however surely it is there: different and relevant are two things.
pub(super) fn standing(measurement: &Measurement<'_>, level: f64) -> Verdict {
    let differs = measurement.p_differs <= level;
    if differs && measurement.gain > 0.0 {
        Verdict::Better
    } else if 2.0 * measurement.p_not_worse <= level {
        Verdict::NotWorse
    } else if differs && measurement.gain < 0.0 {
        Verdict::Worse
    } else {
        Verdict::CannotTell
    }
}

/// All texts together; `None` without any. One text suffices for better or worse where none says the
/// opposite; not worse takes all of them.
pub(super) fn of_texts(standings: &[Verdict]) -> Option<Verdict> {
    let has = |wanted: Verdict| standings.contains(&wanted);
    if standings.is_empty() {
        return None;
    }
    Some(match (has(Verdict::Better), has(Verdict::Worse)) {
        (true, true) => Verdict::CannotTell,
        (true, false) => Verdict::Better,
        (false, true) => Verdict::Worse,
        (false, false) if has(Verdict::CannotTell) => Verdict::CannotTell,
        (false, false) => Verdict::NotWorse,
    })
}

/// Which instrument an answer is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decider {
    Tasks,
    Texts,
}

/// Tasks and texts together. What a build does counts for more than what it expects of a text: where
/// tasks were asked and do not tell, a difference that texts show decides, but texts that show none do
/// not vouch for the tasks.
pub(super) fn joined(tasks: Option<Verdict>, texts: Option<Verdict>) -> Option<(Verdict, Decider)> {
    match (tasks, texts) {
        (Some(Verdict::CannotTell), Some(shown @ (Verdict::Better | Verdict::Worse)))
        | (None, Some(shown)) => Some((shown, Decider::Texts)),
        (Some(tasks), _) => Some((tasks, Decider::Tasks)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Better, CannotTell, NotWorse, Worse};

    #[track_caller]
    fn check_texts(standings: &[Verdict], want: Option<Verdict>) {
        assert_eq!(of_texts(standings), want);
    }

    #[test]
    fn texts_that_disagree_tell_nothing() {
        check_texts(&[Better, Worse, NotWorse], Some(CannotTell));
        check_texts(&[Better, CannotTell], Some(Better));
        check_texts(&[NotWorse, Worse], Some(Worse));
        check_texts(&[NotWorse, NotWorse], Some(NotWorse));
        check_texts(&[NotWorse, CannotTell], Some(CannotTell));
        check_texts(&[], None);
    }

    #[test]
    fn texts_decide_only_where_tasks_do_not() {
        assert_eq!(joined(Some(CannotTell), Some(Worse)), Some((Worse, Decider::Texts)));
        assert_eq!(joined(Some(CannotTell), Some(NotWorse)), Some((CannotTell, Decider::Tasks)));
        assert_eq!(joined(None, Some(NotWorse)), Some((NotWorse, Decider::Texts)));
        assert_eq!(joined(Some(NotWorse), Some(Worse)), Some((NotWorse, Decider::Tasks)));
        assert_eq!(joined(Some(CannotTell), Some(CannotTell)), Some((CannotTell, Decider::Tasks)));
        assert_eq!(joined(None, Some(CannotTell)), Some((CannotTell, Decider::Texts)));
        assert_eq!(joined(None, None), None);
    }
}
