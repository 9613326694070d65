//! `--until decided`: windows in random order, the plan's questions asked after each, and an end when
//! all are answered. Owns the replay that run and report share; reads and stores nothing.

use std::collections::BTreeMap;

use crate::plan::{FidelityPlan, Pair, Until};
use crate::stats::{
    Answer, ConfidenceSequence, DecideError, Decider, Family, Interval, Question, SequenceDesign,
    shuffled_windows,
};

/// The questions of one text and how far they are answered.
pub struct Stopping {
    order: Vec<u32>,
    candidates: Vec<usize>,
    decider: Decider,
    /// One per candidate: intervals of the means themselves, which share the error among them.
    means: Vec<ConfidenceSequence>,
    /// That at which these intervals hold together, as those of the decider's questions do.
    level: f64,
    /// Where margins are asked about: the orders of the candidates, whose differences are reported too.
    orders: Option<Decider>,
    /// KLD of each window, summed and divided by the average number of scored positions of a window,
    /// per candidate, as far as known: the mean of these over all windows is the mean over tokens,
    /// however unequal windows are.
    waiting: BTreeMap<u32, Vec<Option<f64>>>,
    /// Scored positions of a window, on average; `None` where all windows have the same.
    mean_scored: Option<f64>,
}

impl Stopping {
    /// `candidates`: members that take part. `None` where the plan reads everything, or where
    /// nothing is left to ask.
    pub fn new(
        plan: &FidelityPlan,
        text: usize,
        candidates: Vec<usize>,
    ) -> Result<Option<Self>, DecideError> {
        let Some(Until { error, margin, seed }) = plan.until else { return Ok(None) };
        let n_windows = plan.texts[text].windows;
        let n_candidates = candidates.len();
        let questions: Vec<Question> = match margin {
            None => Question::all_orders(n_candidates),
            Some(margin) => {
                (0..n_candidates).map(|candidate| Question::Margin { candidate, margin }).collect()
            }
        };
        if questions.is_empty() {
            return Ok(None);
        }
        // One error for the run: the texts share it.
        let error = error / plan.texts.len() as f64;
        let design = SequenceDesign { n_windows, tested: 0.0, error: error / n_candidates as f64 };
        let family = Family { n_candidates, n_windows, error };
        let orders = match margin {
            Some(_) if n_candidates > 1 => {
                Some(Decider::new(&Question::all_orders(n_candidates), family)?)
            }
            _ => None,
        };
        Ok(Some(Self {
            order: shuffled_windows(n_windows as u32, seed),
            means: vec![ConfidenceSequence::new(design); n_candidates],
            level: 1.0 - error,
            decider: Decider::new(&questions, family)?,
            orders,
            candidates,
            waiting: BTreeMap::new(),
            mean_scored: plan.mean_scored(text),
        }))
    }

    /// Windows in the order they are to be read.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// Gives a comparison's per-token KLD of one window. Windows and comparisons may come in any
    /// order; a window is read when it is complete and its turn has come, and none after the end.
    pub fn offer(&mut self, window: u32, pair: Pair, kld: &[f64]) -> Result<(), DecideError> {
        let asked = |&candidate: &usize| pair == Pair { reference: 0, candidate };
        let Some(index) = self.candidates.iter().position(asked) else { return Ok(()) };
        let waiting = self.waiting.entry(window).or_default();
        waiting.resize(self.candidates.len(), None);
        waiting[index] =
            Some(kld.iter().sum::<f64>() / self.mean_scored.unwrap_or(kld.len() as f64));
        while !self.is_over() {
            let next = self.order[self.decider.n_read() as usize];
            let complete: Option<Vec<f64>> =
                self.waiting.get(&next).and_then(|means| means.iter().copied().collect());
            let Some(means) = complete else { break };
            self.decider.observe(&means)?;
            if let Some(orders) = &mut self.orders {
                orders.observe(&means)?;
            }
            for (sequence, &mean) in self.means.iter_mut().zip(&means) {
                sequence.observe(mean);
            }
        }
        Ok(())
    }

    /// Whether reading on would answer nothing more.
    pub fn is_over(&self) -> bool {
        self.decider.is_decided() || self.decider.n_read() == self.order.len() as u64
    }

    /// Windows read so far.
    pub fn read(&self) -> &[u32] {
        &self.order[..self.decider.n_read() as usize]
    }

    /// Whether it ended before the text did.
    pub fn is_early(&self) -> bool {
        self.read().len() < self.order.len()
    }

    /// Every question and its answer; candidates by member.
    pub fn answers(&self) -> Vec<Answer> {
        self.by_member(self.decider.answers())
    }

    /// The orders of the candidates, asked about or not; candidates by member.
    pub fn orders(&self) -> Vec<Answer> {
        self.by_member(self.orders.as_ref().unwrap_or(&self.decider).answers())
    }

    fn by_member(&self, mut answers: Vec<Answer>) -> Vec<Answer> {
        for answer in &mut answers {
            answer.question = match answer.question {
                Question::Order { candidate, versus } => Question::Order {
                    candidate: self.candidates[candidate],
                    versus: self.candidates[versus],
                },
                Question::Margin { candidate, margin } => {
                    Question::Margin { candidate: self.candidates[candidate], margin }
                }
            };
        }
        answers
    }

    /// The interval of a candidate's own mean, by member: the question's own where its mean was asked
    /// about, so that interval and answer agree. Its level is that of the intervals of all means of the
    /// text together.
    pub fn mean_interval(&self, member: usize) -> Option<Interval> {
        let about = |answer: &Answer| matches!(answer.question, Question::Margin { candidate, .. } if candidate == member);
        if let Some(answer) = self.answers().iter().find(|answer| about(answer)) {
            return answer.interval;
        }
        let index = self.candidates.iter().position(|&candidate| candidate == member)?;
        let interval = self.means[index].interval()?;
        Some(Interval { level: self.level, ..interval })
    }
}
