//! One step of a fidelity run: what it has come to so far, and why its worker may be stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::fidelity_group::Scored;
use crate::instrument::fidelity::stopping::Stopping;
use crate::metric::token::PairScores;
use crate::plan::{FidelityPlan, Pair, TrackOf};
use crate::ui::Progress;
use crate::units::{Span, count};
use crate::worker::{Failure, FailureKind};

/// What one step has come to so far.
#[derive(Default)]
pub(super) struct StepState {
    /// Members not tried again in this step.
    pub(super) dropped: BTreeSet<usize>,
    /// Windows this run scored.
    pub(super) scored: BTreeSet<u32>,
    /// Windows whose first halves this run scored.
    pub(super) first_halves: BTreeSet<u32>,
    /// Results that were stored before and came out different this time.
    pub(super) n_different: usize,
    /// Why members failed, one line each.
    pub(super) errors: Vec<String>,
    /// The engine's last lines at the last failure.
    pub(super) log: Vec<String>,
    /// Most bytes a worker held.
    pub(super) peak_memory_bytes: Option<u64>,
    /// The questions, where the run ends when they are answered.
    pub(super) stopping: Option<Stopping>,
    /// Sum and count of KLD per comparison with the first reference, for the progress line.
    running: BTreeMap<usize, (f64, usize)>,
}

impl StepState {
    /// Tells the questions of a window; whether all of them are answered.
    pub(super) fn has_decided(&mut self, window: u32, scored: &[Scored]) -> anyhow::Result<bool> {
        let Some(stopping) = &mut self.stopping else { return Ok(false) };
        for Scored { of, data, .. } in scored {
            if let TrackOf::Pair(pair) = of {
                stopping.offer(window, *pair, PairScores::decode(data)?.kld())?;
            }
        }
        Ok(stopping.is_over())
    }

    /// Keeps the mean KLD against the original of every candidate on the progress line.
    pub(super) fn show_running(
        &mut self,
        plan: &FidelityPlan,
        scored: &[Scored],
        progress: &Progress,
    ) {
        let members = plan.members();
        for Scored { of, data, .. } in scored {
            let TrackOf::Pair(Pair { reference: 0, candidate }) = of else { continue };
            if members[*candidate].purpose.is_noise() {
                continue;
            }
            if let Ok(scores) = PairScores::decode(data) {
                let (sum, n) = self.running.entry(*candidate).or_default();
                *sum += scores.kld().iter().sum::<f64>();
                *n += scores.len();
            }
        }
        let figures: Vec<String> = self
            .running
            .iter()
            .map(|(&member, (sum, n))| {
                format!("{} {:.4}", plan.label(&members[member]), sum / *n as f64)
            })
            .collect();
        progress.show(&format!("KLD {}", figures.join(" ")));
    }

    /// What the step's line on the terminal ends as.
    pub(super) fn closing(&self, elapsed: Duration) -> String {
        let counted = |n: usize, noun| (n > 0).then(|| count(n as u64, noun));
        let scored =
            [counted(self.scored.len(), "window"), counted(self.first_halves.len(), "half-window")];
        let scored: Vec<String> = scored.into_iter().flatten().collect();
        if !self.errors.is_empty() {
            "ended with failures".to_owned()
        } else if scored.is_empty() {
            "all windows were scored before".to_owned()
        } else {
            format!("{} in {}", scored.join(" and "), Span(elapsed))
        }
    }

    /// Notes a failure; whether the step can go on without the member to blame.
    pub(super) fn note(&mut self, plan: &FidelityPlan, failure: &Failure) -> bool {
        self.log.clone_from(&failure.log);
        let said = match failure.kind {
            FailureKind::Killed { signal: 9 } => format!("{failure} (--memory-budget limits it)"),
            _ => failure.to_string(),
        };
        let Some(member) = failure.model else {
            self.errors.push(said);
            return false;
        };
        let members = plan.members();
        let role =
            if members[member].purpose.is_noise() { " (again, for the noise floor)" } else { "" };
        self.errors.push(format!("{}{role}: {said}", plan.label(&members[member])));
        // Nothing can be compared without the original.
        member != 0 && self.dropped.insert(member)
    }
}

/// Why a worker was stopped before its end.
#[derive(Debug)]
pub(super) enum Interruption {
    /// Every question is answered.
    Decided,
    /// The parent failed.
    Failed(anyhow::Error),
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decided => f.write_str("every question is decided"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}
