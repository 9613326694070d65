//! The noise floor: how far the original is from itself, and what that forbids to claim. Values in,
//! values out.

use super::summary::TextScores;
use crate::plan::{FidelityPlan, Pair, Purpose, TrackOf};
use crate::record::{Claim, Estimate, Finding, Instrument, NOISE_FLOOR_KLD, Severity, Unit};
use crate::stats::{Answer, Bootstrap, Question, WindowSums, mean};

/// The original against itself, in a second context and with another ubatch, on the few windows where
/// it was run again.
pub(super) fn rows(
    plan: &FidelityPlan,
    text: usize,
    scores: &TextScores,
    bootstrap: &Bootstrap,
) -> Vec<Estimate> {
    let members = plan.members();
    let row = |pair: Pair| {
        let metric = match members[pair.candidate].purpose {
            Purpose::Rerun => NOISE_FLOOR_KLD,
            Purpose::OtherUbatch => "noise_floor_kld_ubatch",
            Purpose::Reference | Purpose::Candidate => return None,
        };
        // A run of another length may have stored others.
        let planned = plan.planned_windows(text, TrackOf::Pair(pair));
        let stored = scores.pairs.get(&pair)?.iter();
        let stored = stored.filter(|(window, _)| planned.contains(window));
        let windows: Vec<&[f64]> = stored.map(|(_, scores)| scores.kld()).collect();
        if windows.is_empty() {
            return None;
        }
        let sums = WindowSums::new(windows.iter().map(|window| window.iter().copied()));
        let summary = mean(&sums, bootstrap);
        let interval = summary.as_ref().and_then(|summary| summary.interval);
        let original = plan.label(&members[pair.reference]);
        Some(Estimate {
            instrument: Instrument::Fidelity,
            metric: metric.to_owned(),
            candidate: original.clone(),
            reference: Some(original),
            versus: None,
            scope: plan.texts[text].name.clone(),
            setting: plan.setting(&members[pair.candidate]),
            value: summary.as_ref().map(|summary| summary.value),
            lo: interval.map(|interval| interval.lo),
            hi: interval.map(|interval| interval.hi),
            level: interval.map(|interval| interval.level),
            n: windows.len() as u64,
            unit: Unit::Nats,
        })
    };
    plan.pairs().into_iter().filter_map(row).collect()
}

/// Says so where the device does not repeat its own results.
pub(super) fn finding(scope: &str, floor: f64) -> Option<Finding> {
    (floor > 0.0).then(|| Finding {
        severity: Severity::Warning,
        message: format!(
            "{scope}: this device does not repeat its own results: run again, the original is up to \
             {floor:.2e} nats (KLD mean) from itself, the floor below which nothing is claimed"
        ),
    })
}

/// Why an answer is not claimed after all, where its difference is within the noise floor (nats).
pub(super) fn objection(claim: &Claim, answer: &Answer, floor: f64) -> Option<Finding> {
    let tested = match answer.question {
        Question::Order { .. } => 0.0,
        Question::Margin { margin, .. } => margin,
    };
    let difference = (answer.mean? - tested).abs();
    (floor > 0.0 && difference <= floor).then(|| Finding {
        severity: Severity::Note,
        message: format!(
            "cannot tell: \"{}\" rests on a difference of {difference:.2e} nats, within the noise \
             floor of {floor:.2e} nats",
            claim.statement
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Side, Standing};

    const ORDER: Question = Question::Order { candidate: 1, versus: 2 };
    const MARGIN: Question = Question::Margin { candidate: 1, margin: 0.01 };

    #[track_caller]
    fn check(question: Question, mean: f64, floor: f64, claimed: bool) {
        let standing = Standing::Decided { side: Side::Lower, after: 9 };
        let answer = Answer { question, standing, mean: Some(mean), interval: None };
        let claim = Claim { statement: "x is nearer than y".to_owned(), estimates: Vec::new() };
        let objection = objection(&claim, &answer, floor);
        assert_eq!(objection.is_none(), claimed);
        if let Some(objection) = objection {
            assert!(objection.message.starts_with("cannot tell: \"x is nearer than y\""));
        }
    }

    #[test]
    fn without_noise_every_answer_is_claimed() {
        check(ORDER, -1e-12, 0.0, true);
        check(MARGIN, 0.01, 0.0, true);
    }

    #[test]
    fn an_order_within_the_floor_is_not_claimed() {
        check(ORDER, -2e-4, 1e-4, true);
        check(ORDER, -5e-5, 1e-4, false);
        check(ORDER, 1e-4, 1e-4, false);
    }

    #[test]
    fn a_margin_is_not_claimed_within_the_floor_of_it() {
        check(MARGIN, 0.0098, 1e-4, true);
        check(MARGIN, 0.00995, 1e-4, false);
    }

    #[test]
    fn only_a_device_that_differs_from_itself_is_remarked_upon() {
        assert_eq!(finding("english", 0.0), None);
        let message = finding("english", 1.5e-4).unwrap().message;
        assert!(message.contains("1.50e-4 nats"), "{message}");
    }
}
