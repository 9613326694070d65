//! A group of tracks that one worker scores together: which fit, in what order, and the worker's job.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::instrument::fidelity::stopping::Stopping;
use crate::plan::{FidelityPlan, Member, Pair, Part, TrackOf, fitting_members};
use crate::store::TrackId;
use crate::worker::{CutJob, CutWindow, FidelityJob, Job, Load, ScoredTrack};

/// Tracks that lack the same windows of a text: they are scored together.
pub(super) struct Group {
    pub(super) tracks: BTreeMap<TrackOf, TrackId>,
    pub(super) windows: Vec<u32>,
    pub(super) work: Work,
}

/// Kinds of work of a text, the least urgent first: a worker does one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Work {
    /// The original once more.
    NoiseFloor,
    /// The windows' first halves.
    FirstHalves,
    /// What the figures are made from.
    Figures,
}

impl Work {
    /// What a track is part of.
    pub(super) fn of(track: TrackOf, members: &[Member]) -> Self {
        if track.members().any(|member| members[member].purpose.is_noise()) {
            Self::NoiseFloor
        } else if track.part() == Part::FirstHalf {
            Self::FirstHalves
        } else {
            Self::Figures
        }
    }
}

impl Group {
    /// Members that take part, ascending: a job's indexes point into this list.
    pub(super) fn members(&self) -> Vec<usize> {
        let all = self.tracks.keys().flat_map(|of| of.members());
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The part of a window that is scored.
    fn part(&self) -> Part {
        if self.work == Work::FirstHalves { Part::FirstHalf } else { Part::SecondHalf }
    }

    /// What the worker that cuts its windows is to do.
    pub(super) fn cut_job(&self, plan: &FidelityPlan, text: usize) -> Job {
        Job::Cut(CutJob {
            // The vocabulary that counts is the original's, whoever takes part.
            vocabulary: plan.models[0].path.clone().into(),
            text: plan.texts[text].path.clone().into(),
            ruler: plan.ruler.clone(),
            windows: self.windows.clone(),
            part: self.part(),
        })
    }

    /// What the worker that scores them is to do.
    pub(super) fn job(&self, plan: &FidelityPlan, windows: Vec<CutWindow>) -> Job {
        let (all, members) = (plan.members(), self.members());
        let load = |&member: &usize| Load {
            path: plan.models[all[member].model].path.clone().into(),
            kv: all[member].kv,
            n_ubatch: all[member].n_ubatch,
        };
        let local = |member: usize| members.binary_search(&member).unwrap_or(0);
        let own = self.tracks.keys().filter_map(|of| of.own()).map(local);
        let pairs_of_plan: Vec<Pair> = self.tracks.keys().filter_map(|of| of.pair()).collect();
        let pairs = pairs_of_plan.iter().map(|pair| Pair {
            reference: local(pair.reference),
            candidate: local(pair.candidate),
        });
        // The worst tokens are those of the figures, against the original.
        let is_shown = |pair: &Pair| self.work == Work::Figures && pair.reference == 0;
        let worst = pairs_of_plan.iter().enumerate().filter(|(_, pair)| is_shown(pair));
        Job::Fidelity(FidelityJob {
            members: members.iter().map(load).collect(),
            own: own.collect(),
            pairs: pairs.collect(),
            worst: worst.map(|(index, _)| index).collect(),
            vocabulary: plan.models[0].path.clone().into(),
            ruler: plan.ruler.clone(),
            windows,
            part: self.part(),
            n_threads: plan.n_threads,
        })
    }
}

/// As many of the tracks as fit the memory budget together, at least the first; the others take
/// their turn in a later group. Which tracks share a pass does not change their results.
pub(super) fn within_budget(
    plan: &FidelityPlan,
    tracks: BTreeMap<TrackOf, TrackId>,
    budget: u64,
) -> BTreeMap<TrackOf, TrackId> {
    // Comparisons first: they bring both of their members, whose own scores then come along.
    let chosen = fitting_members(plan, tracks.keys().rev().copied(), budget);
    let fits = |of: &TrackOf| of.members().all(|member| chosen.contains(&member));
    tracks.into_iter().filter(|(of, _)| fits(of)).collect()
}

/// Windows in the order they are to be read.
pub(super) fn in_order(mut windows: Vec<u32>, stopping: Option<&Stopping>) -> Vec<u32> {
    if let Some(stopping) = stopping {
        let turn = |window: &u32| stopping.order().iter().position(|other| other == window);
        windows.sort_by_key(turn);
    }
    windows
}

/// What is stored of one track of a window.
pub(super) struct Scored {
    /// Whose, by the plan's own indexes.
    pub(super) of: TrackOf,
    /// The per-token results.
    pub(super) data: Vec<u8>,
    /// The worst tokens as JSON, where they were wanted.
    pub(super) worst: Option<String>,
}

/// A window as the worker sent it.
pub(super) fn decode(tracks: &[ScoredTrack], members: &[usize]) -> anyhow::Result<Vec<Scored>> {
    let global = |local: usize| {
        members.get(local).copied().context("the worker named a model that it was not given")
    };
    let decode = |track: &ScoredTrack| {
        let of = track.of.renamed(global)?;
        let data = BASE64.decode(&track.data).context("the worker sent an unreadable window")?;
        let worst = track.worst.as_ref().map(serde_json::to_string).transpose()?;
        Ok(Scored { of, data, worst })
    };
    tracks.iter().map(decode).collect()
}
