//! What the store has of a behaviour plan: replies, and how they were judged. Owns which of several
//! counts, and what is still to be asked or judged; asks and judges nothing.

use anyhow::Context as _;

use crate::plan::{BehaviourPlan, TurnOf};
use crate::store::Store;
use crate::task::{Attempt, Judged, Outcome, Replied, Reply};

/// The attempts of a plan as far as they are stored.
#[derive(Clone, Copy)]
pub(super) struct StoredAttempts<'a> {
    pub(super) store: &'a Store,
    pub(super) plan: &'a BehaviourPlan,
}

/// A reply, and which of those to its question it is.
pub(super) struct Newest {
    pub(super) ask: u32,
    pub(super) replied: Replied,
}

impl StoredAttempts<'_> {
    /// The reply that counts: the last one.
    pub(super) fn newest(self, model: usize, turn: TurnOf) -> anyhow::Result<Option<Newest>> {
        let sample = self.store.samples(&self.plan.identity(model, turn))?.pop();
        let Some((ask, replied)) = sample else { return Ok(None) };
        let id = &self.plan.instances[turn.instance].id;
        let replied = serde_json::from_value(replied)
            .with_context(|| format!("a reply to {id} in the store is damaged"))?;
        Ok(Some(Newest { ask, replied }))
    }

    /// Stores one more reply.
    pub(super) fn put_reply(
        self,
        model: usize,
        turn: TurnOf,
        replied: &Replied,
    ) -> anyhow::Result<()> {
        let ask = self.newest(model, turn)?.map_or(0, |newest| newest.ask + 1);
        let identity = self.plan.identity(model, turn);
        Ok(self.store.put_sample(&identity, ask, &serde_json::to_value(replied)?)?)
    }

    /// How a reply, or its beginning, was judged last by the plan's scorer.
    fn judged(self, judging: &str) -> anyhow::Result<Option<(u32, Judged)>> {
        let Some((index, judged)) = self.store.samples(judging)?.pop() else { return Ok(None) };
        let judged = serde_json::from_value(judged).context("a score in the store is damaged")?;
        Ok(Some((index, judged)))
    }

    /// Stores one more judgement.
    pub(super) fn put_judged(self, judging: &str, judged: &Judged) -> anyhow::Result<()> {
        let index = self.judged(judging)?.map_or(0, |(index, _)| index + 1);
        Ok(self.store.put_sample(judging, index, &serde_json::to_value(judged)?)?)
    }

    /// What a model is still to be asked: questions without a reply, and those that failed.
    pub(super) fn to_ask(self, model: usize) -> anyhow::Result<Vec<TurnOf>> {
        let mut to_ask = Vec::new();
        for turn in self.plan.turns() {
            let newest = self.newest(model, turn)?;
            let is_answered =
                newest.is_some_and(|newest| matches!(newest.replied.reply, Reply::Answer(_)));
            if !is_answered {
                to_ask.push(turn);
            }
        }
        Ok(to_ask)
    }

    /// Whether a reply is still to be judged by the plan's scorer, or again, because it could not be
    /// judged where it was tried.
    pub(super) fn is_to_judge(self, judging: &str, reply: &Reply) -> anyhow::Result<bool> {
        Ok(self.judged(judging)?.is_none_or(|(_, judged)| {
            judged.score.outcome == Outcome::Error && matches!(reply, Reply::Answer(_))
        }))
    }

    /// Whether every question is answered, and every answer judged.
    pub(super) fn is_complete(self) -> anyhow::Result<bool> {
        for model in 0..self.plan.models.len() {
            if !self.to_ask(model)?.is_empty() {
                return Ok(false);
            }
            for turn in self.plan.turns() {
                let Some(Newest { ask, replied }) = self.newest(model, turn)? else { continue };
                let judging = self.plan.judging(model, turn, ask, None);
                if self.is_to_judge(&judging, &replied.reply)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// A model's attempts in the order they were asked, and how many replies are not judged yet.
    pub(super) fn attempts(self, model: usize) -> anyhow::Result<(Vec<Attempt>, u64)> {
        let (mut attempts, mut n_unjudged) = (Vec::new(), 0);
        for turn in self.plan.turns() {
            let Some(Newest { ask, replied }) = self.newest(model, turn)? else { continue };
            let judging = |budget| self.plan.judging(model, turn, ask, budget);
            let Some((_, judged)) = self.judged(&judging(None))? else {
                n_unjudged += 1;
                continue;
            };
            let instance = &self.plan.instances[turn.instance];
            let mut attempt = Attempt::new(instance, turn.repeat, replied, judged);
            for &budget in &self.plan.budgets {
                let at = self.judged(&judging(Some(budget)))?;
                attempt.at_budgets.extend(at.map(|(_, judged)| (budget, judged.score)));
            }
            attempts.push(attempt);
        }
        Ok((attempts, n_unjudged))
    }
}
