//! Judging replies from the store. Comes after a model's last answer, because code that runs in the
//! sandbox beside an answer that is being timed would slow it down; and in every run, because the
//! scorer may be another one than the replies were judged with. Asks nothing.

use super::stored_attempts::{Newest, StoredAttempts};
use crate::instrument::behaviour::budget::beginning;
use crate::plan::TurnOf;
use crate::task::score::Means;
use crate::task::{Judged, Reply};

/// Judges what is not judged yet of one model, each answer also as far as it goes within each budget
/// that it exceeds. Gives how many were. `alive`: called before each, with the instance.
pub(super) fn judge(
    stored: StoredAttempts<'_>,
    model: usize,
    means: Means<'_>,
    alive: &dyn Fn(&str),
) -> anyhow::Result<u64> {
    let mut n_judged = 0;
    for turn in stored.plan.turns() {
        let Some(Newest { ask, replied }) = stored.newest(model, turn)? else { continue };
        alive(&stored.plan.instances[turn.instance].id);
        let once = |reply: &Reply, budget| {
            let judging = stored.plan.judging(model, turn, ask, budget);
            judge_once(stored, (&judging, turn), reply, means)
        };
        n_judged += u64::from(once(&replied.reply, None)?);
        let Reply::Answer(answer) = &replied.reply else { continue };
        for &budget in &stored.plan.budgets {
            if let Some(beginning) = beginning(answer, budget) {
                once(&Reply::Answer(Box::new(beginning)), Some(budget))?;
            }
        }
    }
    Ok(n_judged)
}

/// Whether it was still to be judged.
fn judge_once(
    stored: StoredAttempts<'_>,
    (judging, turn): (&str, TurnOf),
    reply: &Reply,
    means: Means<'_>,
) -> anyhow::Result<bool> {
    if !stored.is_to_judge(judging, reply)? {
        return Ok(false);
    }
    let (score, answer_in_thinking) = stored.plan.instances[turn.instance].score(reply, means);
    stored.put_judged(judging, &Judged { score, answer_in_thinking })?;
    Ok(true)
}
