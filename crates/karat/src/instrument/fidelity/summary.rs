//! From stored windows to rows of the tidy table. Values in, values out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::metric::token::{ModelScores, PairScores};
use crate::metric::{
    Misaligned, ModelDifference, ModelTrack, PairDifference, PairTrack, Ruler, equal_buckets,
    model_difference_rows, model_rows, octave_buckets, pair_difference_rows, pair_rows,
    position_rows,
};
use crate::plan::{FidelityPlan, Member, Pair, Part, Purpose, first_half_setting};
use crate::record::{
    Claim, Distribution, Estimate, Finding, Instrument, Severity, Unit, noise_floor,
};
use crate::stats::{Bootstrap, DecideError, LogHistogram, log_histogram};

use super::early;
use super::language::TextSums;
use super::noise;
use super::stopping::Stopping;
use super::window::scored_positions;

/// Stored results of one text, by window.
#[derive(Clone, Debug, Default)]
pub struct TextScores {
    /// Each member's own.
    pub own: BTreeMap<usize, BTreeMap<u32, ModelScores>>,
    /// Each comparison.
    pub pairs: BTreeMap<Pair, BTreeMap<u32, PairScores>>,
}

/// Why stored windows cannot be summarised.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// They are not of the same tokens.
    #[error(transparent)]
    Misaligned(#[from] Misaligned),
    /// The questions cannot be asked.
    #[error(transparent)]
    Decide(#[from] DecideError),
}

/// Rows and remarks of one text.
#[derive(Clone, Debug, Default)]
pub struct TextSummary {
    /// Rows, model by model, then comparison by comparison, then differences.
    pub estimates: Vec<Estimate>,
    /// Spread of the tokens' KLD, comparison by comparison.
    pub distributions: Vec<Distribution>,
    /// Statements that they support; they point into `estimates`.
    pub claims: Vec<Claim>,
    /// What is missing.
    pub findings: Vec<Finding>,
    /// What figures over several texts are made from.
    pub sums: TextSums,
    /// Windows that the rows are made from, ascending.
    pub windows: Vec<u32>,
    /// Whether the windows themselves decided when to stop: figures over several texts then have no
    /// interval that was made for a fixed number of them.
    pub is_early: bool,
}

/// The results of one model, or one comparison, on the windows that all share.
struct Aligned {
    own: BTreeMap<usize, Vec<ModelScores>>,
    pairs: BTreeMap<Pair, Vec<PairScores>>,
}

/// Summarises one text; of `scores`, the second are those of the windows' first halves, where they are
/// known. A member that lacks windows the original has is left out of every row, with
/// a finding: figures over different windows must not share a table.
pub fn summarize(
    plan: &FidelityPlan,
    text: usize,
    (scores, first_half): (&TextScores, &TextScores),
    bootstrap: &Bootstrap,
) -> Result<TextSummary, SummaryError> {
    let stopping = replay(plan, text, scores)?;
    let (windows, mut findings) = shared_windows(plan, text, scores, stopping.as_ref());
    let aligned = align(plan, (text, Part::SecondHalf), scores, &windows, &mut findings);
    let table = Table::new(plan, (text, Part::SecondHalf), &aligned, bootstrap);
    let mut estimates = table.own_rows();
    let (rows, pair_tracks) = table.pair_rows()?;
    estimates.extend(rows);
    estimates.extend(table.difference_rows(&pair_tracks)?);
    estimates.extend(noise::rows(plan, text, scores, bootstrap));
    let floor = noise_floor(&estimates, &plan.texts[text].name);
    findings.extend(noise::finding(&plan.texts[text].name, floor));
    let distributions = pair_tracks.keys().map(|pair| table.distribution(*pair)).collect();
    // What the assistant says begins elsewhere in each conversation.
    let scored = if plan.ruler.chat { 0..0 } else { scored_positions(plan.ruler.n_ctx as usize) };
    estimates.extend(table.position_rows(&pair_tracks, scored.start, &equal_buckets(scored)));
    if plan.first_half {
        let part = (text, Part::FirstHalf);
        let aligned = align(plan, part, first_half, &windows, &mut findings);
        let table = Table::new(plan, part, &aligned, bootstrap);
        estimates.extend(table.own_rows());
        let (rows, pair_tracks) = table.pair_rows()?;
        estimates.extend(rows);
        let buckets = octave_buckets(plan.ruler.n_ctx as usize / 2);
        estimates.extend(table.position_rows(&pair_tracks, 0, &buckets));
    }
    let mut claims = Vec::new();
    if let Some(stopping) = &stopping {
        findings.extend(early::apply(plan, text, stopping, &mut estimates));
        for answer in stopping.answers() {
            let Some(claim) = early::claim(plan, text, &answer, &estimates) else { continue };
            match noise::objection(&claim, &answer, floor) {
                Some(objection) => findings.push(objection),
                None => claims.push(claim),
            }
        }
    }
    let windows = windows.into_iter().collect();
    let sums = TextSums::new(&aligned.own, &aligned.pairs);
    let is_early = stopping.is_some_and(|stopping| stopping.is_early());
    Ok(TextSummary { estimates, distributions, claims, findings, sums, windows, is_early })
}

/// Reads stored windows in their random order, as the run did: which of them count follows from them.
///
/// Where the questions stay open although some candidate has the next window, those that lack it have
/// failed: they are asked nothing, and the reading is done again without them.
fn replay(
    plan: &FidelityPlan,
    text: usize,
    scores: &TextScores,
) -> Result<Option<Stopping>, DecideError> {
    let members = plan.members();
    let is_candidate = |&member: &usize| members[member].purpose == Purpose::Candidate;
    let mut candidates: Vec<usize> = (0..members.len()).filter(is_candidate).collect();
    loop {
        let Some(mut stopping) = Stopping::new(plan, text, candidates.clone())? else {
            return Ok(None);
        };
        for (pair, windows) in &scores.pairs {
            for (&window, scores) in windows {
                stopping.offer(window, *pair, scores.kld())?;
            }
        }
        let next = stopping.order().get(stopping.read().len());
        let has_next = |&member: &usize| {
            let windows = scores.pairs.get(&Pair { reference: 0, candidate: member });
            windows.zip(next).is_some_and(|(windows, next)| windows.contains_key(next))
        };
        if stopping.is_over() || !candidates.iter().any(has_next) {
            return Ok(Some(stopping));
        }
        candidates.retain(has_next);
    }
}

/// What the rows of one text are made from.
struct Table<'a> {
    plan: &'a FidelityPlan,
    scope: &'a str,
    aligned: &'a Aligned,
    bootstrap: &'a Bootstrap,
    members: Vec<Member>,
    /// Name of each member, unique in the run.
    labels: Vec<String>,
    /// Settings of each member's rows.
    settings: Vec<BTreeMap<String, String>>,
}

impl<'a> Table<'a> {
    fn new(
        plan: &'a FidelityPlan,
        (text, part): (usize, Part),
        aligned: &'a Aligned,
        bootstrap: &'a Bootstrap,
    ) -> Self {
        let members = plan.members();
        Self {
            plan,
            scope: &plan.texts[text].name,
            aligned,
            bootstrap,
            labels: members.iter().map(|member| plan.label(member)).collect(),
            settings: members
                .iter()
                .map(|member| {
                    let apart = (part == Part::FirstHalf).then(first_half_setting);
                    plan.setting(member).into_iter().chain(apart).collect()
                })
                .collect(),
            members,
        }
    }

    fn ruler(&self, member: usize) -> Ruler<'_> {
        Ruler { scope: self.scope, setting: &self.settings[member] }
    }

    fn track(&self, member: usize) -> Option<ModelTrack<'_>> {
        let windows = self.aligned.own.get(&member)?;
        Some(ModelTrack { name: &self.labels[member], windows })
    }

    fn own_rows(&self) -> Vec<Estimate> {
        let rows = |member| {
            let track = self.track(member)?;
            Some(model_rows(&track, &self.ruler(member), self.bootstrap))
        };
        (0..self.members.len()).filter_map(rows).flatten().collect()
    }

    fn pair_rows(&self) -> Result<(Vec<Estimate>, BTreeMap<Pair, PairTrack<'_>>), Misaligned> {
        let (mut rows, mut tracks) = (Vec::new(), BTreeMap::new());
        for pair in self.plan.pairs() {
            if self.members[pair.candidate].purpose.is_noise() {
                continue;
            }
            let (Some(candidate), Some(reference), Some(windows)) = (
                self.track(pair.candidate),
                self.track(pair.reference),
                self.aligned.pairs.get(&pair),
            ) else {
                continue;
            };
            let track = PairTrack::new(candidate, reference, windows)?;
            rows.extend(pair_rows(&track, &self.ruler(pair.candidate), self.bootstrap));
            tracks.insert(pair, track);
        }
        Ok((rows, tracks))
    }

    /// How the KLD of single tokens is spread, on the windows that the rows are made from.
    fn distribution(&self, pair: Pair) -> Distribution {
        let mut histogram = LogHistogram::default();
        for window in &self.aligned.pairs[&pair] {
            for kld in window.kld() {
                histogram.observe(*kld);
            }
        }
        let spread = histogram.finish();
        Distribution {
            instrument: Instrument::Fidelity,
            metric: "kld".to_owned(),
            candidate: self.labels[pair.candidate].clone(),
            reference: Some(self.labels[pair.reference].clone()),
            scope: self.scope.to_owned(),
            setting: self.settings[pair.candidate].clone(),
            unit: Unit::Nats,
            n: spread.n,
            zero: spread.zero,
            below: spread.below,
            above: spread.above,
            lowest: log_histogram::LOWEST,
            bins_per_decade: log_histogram::BINS_PER_DECADE,
            counts: spread.counts,
        }
    }

    /// KLD against the original, by position.
    fn position_rows(
        &self,
        pair_tracks: &BTreeMap<Pair, PairTrack<'_>>,
        first_scored: usize,
        buckets: &[Range<usize>],
    ) -> Vec<Estimate> {
        let of_original = pair_tracks.iter().filter(|(pair, _)| pair.reference == 0);
        let rows = |(pair, track): (&Pair, &PairTrack<'_>)| {
            let ruler = self.ruler(pair.candidate);
            position_rows(track, &ruler, first_scored, buckets, self.bootstrap)
        };
        of_original.flat_map(rows).collect()
    }

    fn difference_rows(
        &self,
        pair_tracks: &BTreeMap<Pair, PairTrack<'_>>,
    ) -> Result<Vec<Estimate>, Misaligned> {
        let mut rows = Vec::new();
        let is_candidate = |&member: &usize| self.members[member].purpose == Purpose::Candidate;
        let candidates: Vec<usize> = (0..self.members.len()).filter(is_candidate).collect();
        for (position, &versus) in candidates.iter().enumerate() {
            for &candidate in &candidates[position + 1..] {
                let ruler = self.ruler(candidate);
                if let (Some(one), Some(other)) = (self.track(candidate), self.track(versus)) {
                    let difference = ModelDifference::new(one, other)?;
                    rows.extend(model_difference_rows(&difference, &ruler, self.bootstrap));
                }
                for reference in self.plan.references() {
                    let track =
                        |candidate| pair_tracks.get(&Pair { reference, candidate }).copied();
                    if let (Some(one), Some(other)) = (track(candidate), track(versus)) {
                        let difference = PairDifference::new(one, other)?;
                        rows.extend(pair_difference_rows(&difference, &ruler, self.bootstrap));
                    }
                }
            }
        }
        Ok(rows)
    }
}

/// The windows that figures rest on: those the original has, as far as they were asked for.
fn shared_windows(
    plan: &FidelityPlan,
    text: usize,
    scores: &TextScores,
    stopping: Option<&Stopping>,
) -> (BTreeSet<u32>, Vec<Finding>) {
    let planned = plan.texts[text].windows;
    let scope = &plan.texts[text].name;
    let within = |window: &&u32| u64::from(**window) < planned;
    let mut shared: BTreeSet<u32> = scores
        .own
        .get(&0)
        .map(|windows| windows.keys().filter(within).copied().collect())
        .unwrap_or_default();
    let mut findings = Vec::new();
    if let Some(stopping) = stopping {
        shared.retain(|window| stopping.read().contains(window));
    } else if (shared.len() as u64) < planned {
        let got = shared.len();
        let message = format!("{scope}: {got} of {planned} windows scored; figures are of those");
        findings.push(Finding { severity: Severity::Warning, message });
    }
    (shared, findings)
}

/// Restricts everything to these windows, and drops who lacks some of them.
fn align(
    plan: &FidelityPlan,
    (text, part): (usize, Part),
    scores: &TextScores,
    shared: &BTreeSet<u32>,
    findings: &mut Vec<Finding>,
) -> Aligned {
    let name = &plan.texts[text].name;
    let scope = match part {
        Part::FirstHalf => format!("{name}, first halves"),
        Part::SecondHalf => name.clone(),
    };
    let mut warn = |message| findings.push(Finding { severity: Severity::Warning, message });
    let mut own = BTreeMap::new();
    for (member, described) in plan.members().iter().enumerate() {
        if described.purpose.is_noise() {
            continue;
        }
        let windows = scores.own.get(&member);
        match windows.and_then(|windows| take(windows, shared)) {
            Some(windows) if !windows.is_empty() => {
                own.insert(member, windows);
            }
            _ if shared.is_empty() => {}
            _ => {
                let name = plan.label(described);
                let got = windows.map_or(0, BTreeMap::len);
                let want = shared.len();
                warn(format!("{scope}: {name} is left out, it has {got} of {want} windows"));
            }
        }
    }
    let complete = |(pair, windows): (&Pair, &BTreeMap<u32, PairScores>)| {
        Some((*pair, take(windows, shared)?))
    };
    let pairs = scores.pairs.iter().filter_map(complete).collect();
    Aligned { own, pairs }
}

fn take<S: Clone>(windows: &BTreeMap<u32, S>, wanted: &BTreeSet<u32>) -> Option<Vec<S>> {
    wanted.iter().map(|window| windows.get(window).cloned()).collect()
}
