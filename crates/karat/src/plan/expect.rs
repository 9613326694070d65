//! What a plan will take: time from an earlier run's throughput, memory as predicted from the headers.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{BlockPlan as _, FidelityPlan, SpeedPlan, TestKind, TrackOf};
use crate::memory::{process_bytes, scoring_bytes};
use crate::record::TextRecord;

/// Weights times tokens per second and thread where nothing was measured yet: a cautious guess for
/// a processor of the last ten years.
const GUESSED_THROUGHPUT_PER_THREAD: f64 = 4e9;

/// What a plan is expected to take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expectation {
    /// Time for what is not stored yet.
    pub time: Duration,
    /// Whether the time rests on a run of this machine, or on a guess.
    pub measured: bool,
    /// Peak memory of a worker in bytes.
    pub memory_bytes: u64,
    /// Workers, one after the other, that the figures of a text take.
    pub n_turns: usize,
}

/// Expects the cost of a plan of which `missing[text]` windows are left to score.
///
/// Time is weights × tokens over throughput. With a memory budget, members take turns, and the
/// reference computes in each; loading again is not counted.
pub fn expect(
    plan: &FidelityPlan,
    missing: &[u64],
    throughput: Option<f64>,
    memory_budget: Option<u64>,
) -> Expectation {
    let n_ctx = u64::from(plan.ruler.n_ctx);
    let mut tokens = missing.iter().sum::<u64>() * n_ctx;
    if plan.first_half {
        // Each window once more, up to its middle.
        tokens += tokens / 2;
    }
    let weights = |members: &BTreeSet<usize>| -> f64 {
        let all = plan.members();
        members.iter().map(|&member| plan.n_params[all[member].model] as f64).sum()
    };
    let groups = groups(plan, memory_budget.unwrap_or(u64::MAX));
    let figures: f64 = groups.figures.iter().map(weights).sum();
    let noise: f64 = groups.noise.iter().map(weights).sum();
    let noise_tokens: u64 = (0..missing.len())
        .filter(|&text| missing[text] > 0)
        .map(|text| plan.noise_windows(text) * n_ctx)
        .sum();
    let rate =
        throughput.unwrap_or(GUESSED_THROUGHPUT_PER_THREAD * f64::from(plan.n_threads.max(1)));
    let seconds = (figures * tokens as f64 + noise * noise_tokens as f64) / rate;
    let memory = |members: &BTreeSet<usize>| expected_memory(plan, members.iter().copied());
    Expectation {
        time: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
        measured: throughput.is_some(),
        memory_bytes: groups.figures.iter().chain(&groups.noise).map(memory).max().unwrap_or(0),
        n_turns: groups.figures.len(),
    }
}

/// Members that share a worker, group by group.
struct Groups {
    /// For the figures.
    figures: Vec<BTreeSet<usize>>,
    /// For the noise floor, which has workers of its own, where only the original takes part.
    noise: Vec<BTreeSet<usize>>,
}

fn groups(plan: &FidelityPlan, budget: u64) -> Groups {
    let members = plan.members();
    let is_noise = |of: &TrackOf| of.members().any(|member| members[member].purpose.is_noise());
    let (noise, figures) = plan.tracks().into_iter().partition(is_noise);
    let take_turns = |mut tracks: BTreeSet<TrackOf>| {
        let mut groups = Vec::new();
        while !tracks.is_empty() {
            let chosen = fitting_members(plan, tracks.iter().rev().copied(), budget);
            tracks.retain(|of| !of.members().all(|member| chosen.contains(&member)));
            groups.push(chosen);
        }
        groups
    };
    Groups { figures: take_turns(figures), noise: take_turns(noise) }
}

/// As many members of tracks, in their order, as fit a budget together; at least those of the first.
pub fn fitting_members(
    plan: &FidelityPlan,
    tracks: impl Iterator<Item = TrackOf>,
    budget: u64,
) -> BTreeSet<usize> {
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    for of in tracks {
        let with: BTreeSet<usize> = chosen.iter().copied().chain(of.members()).collect();
        if chosen.is_empty() || expected_memory(plan, with.iter().copied()) <= budget {
            chosen = with;
        }
    }
    chosen
}

/// The least that a worker needs: the comparison that takes most, alone, with its members' bytes.
pub fn least_memory(plan: &FidelityPlan) -> Option<(Vec<usize>, u64)> {
    let alone = |of: TrackOf| {
        let members: Vec<usize> = of.members().collect();
        let bytes = expected_memory(plan, members.iter().copied());
        (members, bytes)
    };
    plan.tracks().into_iter().map(alone).max_by_key(|(_, bytes)| *bytes)
}

/// Peak memory in bytes of a worker that holds these members at once: weights and vocabulary, once per
/// model; each member's context (both in the plan, from the headers); the rows that each thread
/// prepares (two, and two capped ones); the windows of the longest text and the figures of one; the
/// process itself.
pub fn expected_memory(plan: &FidelityPlan, members: impl Iterator<Item = usize>) -> u64 {
    let all = plan.members();
    let mut models = BTreeMap::new();
    let mut contexts: u64 = 0;
    for member in members {
        let bytes = plan.member_bytes.get(member).copied().unwrap_or_default();
        models.insert(all[member].model, bytes.model);
        contexts = contexts.saturating_add(bytes.context);
    }
    let rows = 4 * u64::from(plan.n_threads) * plan.n_vocab * 4;
    let scoring = scoring_bytes(plan.ruler.n_ctx);
    let parts = models.into_values().chain([process_bytes(), rows, scoring, window_bytes(plan)]);
    parts.fold(contexts, u64::saturating_add)
}

/// Bytes of the windows that a worker holds at most: four per token, and four per scored position.
fn window_bytes(plan: &FidelityPlan) -> u64 {
    let of_text = |(text, n_scored): (&TextRecord, &u64)| {
        let shown = text.windows.saturating_mul(u64::from(plan.ruler.n_ctx)).min(text.tokens);
        4 * (shown + n_scored)
    };
    plan.texts.iter().zip(&plan.n_scored).map(of_text).max().unwrap_or(0)
}

/// Weights read from a disk, bytes per second: a cautious guess.
const GUESSED_LOAD: f64 = 1e9;
/// Bytes of memory per second: a cautious guess.
const GUESSED_BANDWIDTH: f64 = 10e9;

/// Seconds that one block of a speed run may take, by a guess: loading, warm-up, filling of depths,
/// timed passes. Prompts take weights × tokens over throughput, generation bytes over bandwidth.
pub fn expect_speed(plan: &SpeedPlan) -> f64 {
    let throughput = GUESSED_THROUGHPUT_PER_THREAD * f64::from(plan.ruler.n_threads.max(1));
    let reps = f64::from(plan.ruler.reps);
    let of_model = |&model: &usize| {
        let anatomy = &plan.anatomy[model];
        let prompt = |tokens: u32| anatomy.n_params as f64 * f64::from(tokens) / throughput;
        // All of the file where its header does not tell.
        let moved = anatomy.weight_bytes.unwrap_or(plan.models[model].bytes);
        let token = moved as f64 / GUESSED_BANDWIDTH;
        let timed = plan.tests.iter().map(|test| {
            let filled = prompt(test.depth);
            filled
                + match test.kind {
                    TestKind::Pp => prompt(test.n_tokens) * (reps + 1.0),
                    TestKind::Tg => token * (f64::from(test.n_tokens) * reps + 1.0),
                }
        });
        plan.models[model].bytes as f64 / GUESSED_LOAD + timed.sum::<f64>()
    };
    plan.entries().iter().map(of_model).sum()
}
