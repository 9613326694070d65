//! The part of a run under way that times models on servers: one answer per model and block, in the
//! plan's order, each stored as it comes. A request that fails is a recorded failure of its block; the
//! others go on.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;

use super::backends::{self, Patient};
use super::block_series;
use super::recorded_run::{RecordedRun, RunStep};
use crate::clock::Stopwatch;
use crate::generation::{FailureKind, GenerationFailure};
use crate::instrument::speed::control::ask::ask;
use crate::plan::{BlockPlan as _, ControlPlan, ControlSample, Turn};
use crate::record::Outcome;
use crate::settings::ModelName;
use crate::ui::Progress;
use crate::units::Span;

/// A server that hung up so many times in a row is gone.
const GONE_AFTER: u32 = 2;

/// The part of a run that asks servers the control prompt.
pub(super) struct ControlRun<'r, 's> {
    run: &'r mut RecordedRun<'s>,
    plan: ControlPlan,
    /// Where each model is.
    servers: Vec<ModelName>,
    patient: Patient,
    /// One step per entry.
    steps: Vec<RunStep>,
}

impl<'r, 's> ControlRun<'r, 's> {
    /// Announces a step per entry of the plan.
    pub(super) fn begin(
        run: &'r mut RecordedRun<'s>,
        plan: ControlPlan,
        answer_timeout: Duration,
    ) -> anyhow::Result<Self> {
        let servers = plan.models.iter().map(|model| ModelName::parse(&model.path));
        let servers = servers.collect::<Result<Vec<_>, _>>()?;
        let mut steps = Vec::new();
        for entry in 0..plan.entries().len() {
            let (name, prompt, blocks) = (plan.label(entry), &plan.prompt.name, plan.blocks);
            let title = format!("speed of {name}: {prompt}; {blocks} blocks");
            steps.push(run.announce(&plan.identity(entry), title)?);
        }
        // No worker takes part.
        let patient = Patient { worker_timeout: answer_timeout, answer_timeout };
        Ok(Self { run, plan, servers, patient, steps })
    }

    /// Asks for every answer that is missing. A server that is gone is asked no more: the same command
    /// goes on from there.
    pub(super) fn measure(mut self) -> anyhow::Result<()> {
        let watch = Stopwatch::start();
        let turns = self.plan.turns();
        let mut progress = self.run.session.ui.progress("speed", turns.len() as u64, "answers");
        let stored = block_series::stored(&self.run.store, &self.plan)?;
        progress.set(stored.len() as u64);
        let mut lost: BTreeMap<String, u32> = BTreeMap::new();
        for turn in turns.iter().filter(|turn| !stored.contains(&(turn.entry, turn.block))) {
            let address = address(&self.servers[self.plan.entries()[turn.entry]]).to_owned();
            let n_lost = lost.entry(address).or_default();
            if *n_lost >= GONE_AFTER {
                self.fail(turn.entry, None);
                continue;
            }
            *n_lost = match self.turn(*turn, &mut progress)? {
                // It was waited for already.
                Some(FailureKind::Unreachable) => GONE_AFTER,
                Some(FailureKind::HungUp) => *n_lost + 1,
                _ => 0,
            };
        }
        let has_failed = self.steps.iter().any(|step| step.record.outcome == Outcome::Failed);
        progress.finish(&match (has_failed, turns.len() - stored.len()) {
            (true, _) => "ended with failures".to_owned(),
            (false, 0) => "all blocks were answered before".to_owned(),
            (false, n) => format!("{n} answers in {}", Span(watch.elapsed())),
        });
        for step in self.steps {
            if let Some(error) = &step.record.error {
                self.run.session.ui.warn(&format!("{}: {error}", step.record.title));
            }
            self.run.record(step)?;
        }
        Ok(())
    }

    /// One model in one block; how it failed, where it did.
    fn turn(&mut self, turn: Turn, progress: &mut Progress) -> anyhow::Result<Option<FailureKind>> {
        let watch = Stopwatch::start();
        let model = self.plan.entries()[turn.entry];
        let name = &self.servers[model];
        let mut backend = backends::fresh_server(name, &self.patient)?
            .with_context(|| format!("{name} is on no server"))?;
        let answered = backends::check_identity(&mut *backend, self.plan.served[model].as_deref())
            .and_then(|()| ask(&mut *backend, &self.plan));
        self.steps[turn.entry].record.seconds += watch.elapsed().as_secs_f64();
        match answered {
            Ok(sample) => {
                let identity = self.plan.identity(turn.entry);
                let data = serde_json::to_value(&sample)?;
                self.run.store.put_sample(&identity, turn.block, &data)?;
                progress.advance(1);
                progress.show(&self.shown(turn, &sample));
                Ok(None)
            }
            Err(failure) => {
                self.fail(turn.entry, Some((turn.block, &failure)));
                Ok(Some(failure.kind))
            }
        }
    }

    /// Adds to a step that one of its answers failed, or that a block was not asked for because its
    /// server is gone, which is told once.
    fn fail(&mut self, entry: usize, failed: Option<(u32, &GenerationFailure)>) {
        const NOT_ASKED: &str = "later blocks were not asked for, because the server is gone";
        let step = &mut self.steps[entry].record;
        step.outcome = Outcome::Failed;
        let error = match failed {
            Some((block, failure)) => format!("block {}: {failure}", block + 1),
            None => NOT_ASKED.to_owned(),
        };
        step.error = Some(match step.error.take() {
            Some(earlier) if earlier.ends_with(&error) => earlier,
            Some(earlier) => format!("{earlier}; {error}"),
            None => error,
        });
    }

    /// An answer that has just come, for the progress line.
    fn shown(&self, turn: Turn, sample: &ControlSample) -> String {
        let tokens = sample.answer.tokens.total.map(|tokens| format!("{tokens} tokens in "));
        format!(
            "{}: {}{:.1} s",
            self.plan.label(turn.entry),
            tokens.unwrap_or_default(),
            sample.answer.timings.total_s
        )
    }
}

/// Models with the same address go together when it does.
fn address(name: &ModelName) -> &str {
    match name {
        ModelName::OpenAi { base, .. } => base,
        ModelName::File(_) | ModelName::Ollama(_) => "ollama",
    }
}
