//! The speed part of a run under way: one process per model and block, in the plan's order, each
//! stored as it ends. One that dies is a recorded failure of that block; the others go on.

use std::collections::BTreeSet;
use std::time::Duration;

use super::block_series;
use super::recorded_run::{RecordedRun, RunStep};
use crate::clock::Stopwatch;
use crate::model::Stamps;
use crate::plan::{BlockPlan as _, SpeedPlan, SpeedSample, SpeedTest, TestKind, Turn};
use crate::record::Outcome;
use crate::ui::Progress;
use crate::units::{Span, count};
use crate::worker::{Job, Message, SpeedJob, Supervisor, SweepJob, WorkerError};

/// A sweep reads at least this much, and four times the last-level cache.
const SWEEP_BYTES: u64 = 256 << 20;

/// The speed part of a run.
pub(super) struct SpeedRun<'r, 's> {
    run: &'r mut RecordedRun<'s>,
    plan: SpeedPlan,
    /// The files as they were when they were hashed.
    stamps: Stamps,
    supervisor: Supervisor,
    /// One step per entry, then the sweep.
    steps: Vec<RunStep>,
    /// How the workers of each step failed.
    failures: Vec<Failures>,
}

impl<'r, 's> SpeedRun<'r, 's> {
    /// Announces the steps of the run's speed plan.
    pub(super) fn begin(
        run: &'r mut RecordedRun<'s>,
        plan: SpeedPlan,
        stamps: Stamps,
        worker_timeout: Duration,
    ) -> anyhow::Result<Self> {
        let supervisor = Supervisor {
            program: run.session.environment.program.clone(),
            silence: worker_timeout,
        };
        let tests: Vec<String> = plan.tests.iter().map(SpeedTest::title).collect();
        let tests = tests.join(", ");
        let mut planned: Vec<(String, String)> = (0..plan.entries().len())
            .map(|entry| {
                let (name, blocks) = (plan.label(entry), plan.blocks);
                (plan.identity(entry), format!("speed of {name}: {tests}; {blocks} blocks"))
            })
            .collect();
        if has_sweep(&plan) {
            let threads = count(u64::from(plan.ruler.n_threads), "thread");
            let title = format!("memory bandwidth read by {threads}");
            planned.push((plan.sweep_identity(), title));
        }
        let announced = planned.into_iter().map(|(identity, title)| run.announce(&identity, title));
        let steps = announced.collect::<anyhow::Result<Vec<_>>>()?;
        let failures = vec![Failures::default(); steps.len()];
        Ok(Self { run, plan, stamps, supervisor, steps, failures })
    }

    /// Makes every measurement that is missing; one that fails does not stop the others.
    pub(super) fn measure(mut self) -> anyhow::Result<()> {
        self.sweep()?;
        let watch = Stopwatch::start();
        let turns = self.plan.turns();
        let mut progress =
            self.run.session.ui.progress("speed", turns.len() as u64, "measurements");
        let stored = block_series::stored(&self.run.store, &self.plan)?;
        progress.set(stored.len() as u64);
        for turn in turns.iter().filter(|turn| !stored.contains(&(turn.entry, turn.block))) {
            if !self.is_hopeless(turn.entry)? {
                self.turn(*turn, &mut progress)?;
            }
            progress.advance(1);
        }
        for (entry, failures) in self.failures.iter().enumerate() {
            let is_given_up = entry < self.plan.entries().len() && self.is_hopeless(entry)?;
            self.steps[entry].record.error = failures.told(is_given_up);
        }
        let has_failed = self.steps.iter().any(|step| step.record.outcome == Outcome::Failed);
        progress.finish(&match (has_failed, turns.len() - stored.len()) {
            (true, _) => "ended with failures".to_owned(),
            (false, 0) => "all blocks were measured before".to_owned(),
            (false, n) => format!("{n} measurements in {}", Span(watch.elapsed())),
        });
        let mut told = BTreeSet::new();
        for step in self.steps {
            // A model's second series fails as its first one does.
            if let Some(error) = step.record.error.clone()
                && told.insert(error.clone())
            {
                self.run.session.ui.warn(&format!("{}: {error}", step.record.title));
            }
            self.run.record(step)?;
        }
        Ok(())
    }

    /// Whether the model of an entry has never been measured, and its first two attempts failed alike.
    fn is_hopeless(&self, entry: usize) -> anyhow::Result<bool> {
        let entries = self.plan.entries();
        let of_model = (0..entries.len()).filter(|&other| entries[other] == entries[entry]);
        let mut errors = Vec::new();
        for other in of_model {
            if !self.run.store.samples(&self.plan.identity(other))?.is_empty() {
                return Ok(false);
            }
            errors.extend(&self.failures[other].0);
        }
        let n_failed: usize = errors.iter().map(|(_, names)| names.len()).sum();
        Ok(n_failed >= 2 && errors.iter().all(|(error, _)| *error == errors[0].0))
    }

    /// One model in one block.
    fn turn(&mut self, turn: Turn, progress: &mut Progress) -> anyhow::Result<()> {
        let model = &self.plan.models[self.plan.entries()[turn.entry]];
        let job = Job::Speed(SpeedJob {
            model: model.path.clone().into(),
            tests: self.plan.tests.clone(),
            ruler: self.plan.ruler.clone(),
            prompt: self.plan.prompt.as_ref().map(|prompt| prompt.path.clone().into()),
            // Of the block alone, so that all models of a block get the same draws.
            seed: self.plan.seed.wrapping_add(u64::from(turn.block)),
        });
        let mut sample = None;
        let watch = Stopwatch::start();
        let outcome = self.supervisor.run(&job, |message| {
            if let Message::Speed(measured) = message {
                sample = Some(measured);
            }
            Ok::<(), anyhow::Error>(())
        });
        self.stamps.check()?;
        let name = format!("block {}", turn.block + 1);
        if self.note(turn.entry, &name, outcome, watch)?
            && let Some(sample) = sample
        {
            let identity = self.plan.identity(turn.entry);
            self.run.store.put_sample(&identity, turn.block, &serde_json::to_value(&sample)?)?;
            progress.show(&self.shown(turn, &sample));
        }
        Ok(())
    }

    /// Adds to a step how one of its workers ended; whether it ended well.
    fn note(
        &mut self,
        index: usize,
        name: &str,
        outcome: Result<Option<u64>, WorkerError<anyhow::Error>>,
        watch: Stopwatch,
    ) -> anyhow::Result<bool> {
        let step = &mut self.steps[index].record;
        step.seconds += watch.elapsed().as_secs_f64();
        match outcome {
            Ok(peak) => {
                step.peak_memory_bytes = step.peak_memory_bytes.max(peak);
                Ok(true)
            }
            Err(WorkerError::Failed(failure)) => {
                self.failures[index].add(failure.to_string(), name);
                step.engine_log = failure.log;
                step.outcome = Outcome::Failed;
                Ok(false)
            }
            Err(WorkerError::Caller(error)) => Err(error),
            Err(error) => Err(error.into()),
        }
    }

    /// The rates of a measurement that has just ended, for the progress line.
    fn shown(&self, turn: Turn, sample: &SpeedSample) -> String {
        let rates = self.plan.tests.iter().enumerate().filter_map(|(index, test)| {
            let rate = sample.rate(index, test.n_tokens)?;
            Some(format!("{} {rate:.0}", test.title()))
        });
        let rates: Vec<String> = rates.take(2).collect();
        format!("{}: {} tok/s", self.plan.label(turn.entry), rates.join(", "))
    }

    /// Reads memory as fast as it goes, once per series.
    fn sweep(&mut self) -> anyhow::Result<()> {
        let identity = self.plan.sweep_identity();
        if !has_sweep(&self.plan) || !self.run.store.samples(&identity)?.is_empty() {
            return Ok(());
        }
        let cache = self.plan.last_level_cache.unwrap_or(0);
        let wanted = SWEEP_BYTES.max(cache.saturating_mul(4));
        let bytes = wanted.min(self.plan.machine.memory_bytes / 4);
        let job = Job::Sweep(SweepJob { n_threads: self.plan.ruler.n_threads, bytes });
        let mut rates = None;
        let watch = Stopwatch::start();
        let outcome = self.supervisor.run(&job, |message| {
            if let Message::Sweep { bytes_per_second } = message {
                rates = Some(bytes_per_second);
            }
            Ok::<(), anyhow::Error>(())
        });
        let step = self.steps.len() - 1;
        if self.note(step, "sweep", outcome, watch)?
            && let Some(rates) = rates
        {
            self.run.store.put_sample(&identity, 0, &serde_json::to_value(rates)?)?;
        }
        Ok(())
    }
}

/// What a step's workers died of, equal errors together: the error, and the attempts that it ended.
#[derive(Clone, Debug, Default)]
struct Failures(Vec<(String, Vec<String>)>);

impl Failures {
    fn add(&mut self, error: String, attempt: &str) {
        match self.0.iter_mut().find(|(known, _)| *known == error) {
            Some((_, attempts)) => attempts.push(attempt.to_owned()),
            None => self.0.push((error, vec![attempt.to_owned()])),
        }
    }

    /// In one line; `None` where nothing failed.
    fn told(&self, is_given_up: bool) -> Option<String> {
        let line =
            |(error, attempts): &(String, Vec<String>)| format!("{}: {error}", attempts.join(", "));
        let lines: Vec<String> = self.0.iter().map(line).collect();
        let end = if is_given_up { "; not tried again" } else { "" };
        (!lines.is_empty()).then(|| format!("{}{end}", lines.join("; ")))
    }
}

/// Whether the processor's own way to memory says anything about the models, and is fit to be read.
fn has_sweep(plan: &SpeedPlan) -> bool {
    let generates = plan.tests.iter().any(|test| test.kind == TestKind::Tg);
    plan.on_processor() && generates && plan.last_level_cache.is_some()
}
