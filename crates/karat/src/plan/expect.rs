//! What a plan will take: time from an earlier run's throughput, memory from the headers. Pure.

use std::time::Duration;

use super::FidelityPlan;

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
    let tokens = missing.iter().sum::<u64>() * n_ctx;
    let members = plan.members();
    let whole = members.iter().filter(|member| !member.purpose.is_noise());
    let weights: u64 = whole.map(|member| plan.n_params[member.model]).sum();
    let rate =
        throughput.unwrap_or(GUESSED_THROUGHPUT_PER_THREAD * f64::from(plan.n_threads.max(1)));
    let seconds = weights as f64 * tokens as f64 / rate;
    Expectation {
        time: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
        measured: throughput.is_some(),
        memory_bytes: expected_memory(plan, 0..plan.members().len()),
    }
}

/// Peak memory in bytes of a worker that holds these members at once.
///
/// The files (mapped or repacked, they are resident once read) and, per context, twice the scored
/// rows of a piece at `n_vocab` f32: the engine computes them in one buffer and hands them out in
/// another.
pub fn expected_memory(plan: &FidelityPlan, members: impl Iterator<Item = usize>) -> u64 {
    let all = plan.members();
    let rows = u64::from(plan.ruler.n_ubatch).min(u64::from(plan.ruler.n_ctx) / 2);
    let outputs = 2 * rows * plan.n_vocab * 4;
    members.map(|member| plan.models[all[member].model].bytes + outputs).sum()
}
