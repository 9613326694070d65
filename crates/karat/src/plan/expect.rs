//! What a plan will take: time from an earlier run's throughput, memory as predicted from the headers.
//! Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{FidelityPlan, SpeedPlan, TestKind};
use crate::memory::process_bytes;

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
}

/// Expects the cost of a plan of which `missing[text]` windows are left to score.
///
/// Time is weights × tokens over throughput.
pub fn expect(plan: &FidelityPlan, missing: &[u64], throughput: Option<f64>) -> Expectation {
    let n_ctx = u64::from(plan.ruler.n_ctx);
    let mut tokens = missing.iter().sum::<u64>() * n_ctx;
    if plan.first_half {
        // Each window once more, up to its middle.
        tokens += tokens / 2;
    }
    let members = plan.members();
    let whole = members.iter().filter(|member| !member.purpose.is_noise());
    let weights: u64 = whole.map(|member| plan.n_params[member.model]).sum();
    let rate =
        throughput.unwrap_or(GUESSED_THROUGHPUT_PER_THREAD * f64::from(plan.n_threads.max(1)));
    let seconds = weights as f64 * tokens as f64 / rate;
    // The noise floor has a worker of its own, where only the original takes part.
    let indexes = 0..members.len();
    let scoring = indexes.clone().filter(|&i| !members[i].purpose.is_noise());
    let noise = indexes.filter(|&i| i == 0 || members[i].purpose.is_noise());
    Expectation {
        time: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
        measured: throughput.is_some(),
        memory_bytes: expected_memory(plan, scoring).max(expected_memory(plan, noise)),
    }
}

/// Peak memory in bytes of a worker that holds these members at once: weights and vocabulary, once per
/// model; each member's context (both in the plan, from the headers); the rows that each thread
/// prepares (two, and two capped ones); the process itself.
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
    models.into_values().chain([process_bytes(), rows]).fold(contexts, u64::saturating_add)
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
        let token = anatomy.weight_bytes as f64 / GUESSED_BANDWIDTH;
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
