//! A run under way, whichever instruments take part: its header, its plan, its steps and how it
//! ends, in the store from the first moment on. Knows no instrument.

use super::Session;
use crate::clock;
use crate::exit::Exit;
use crate::plan::RunPlan;
use crate::record::{Outcome, RunHeader, StepRecord};
use crate::store::Store;

/// A run that has begun.
pub(super) struct RecordedRun<'s> {
    /// The command's surroundings.
    pub(super) session: &'s Session,
    /// Where results go.
    pub(super) store: Store,
    /// What is planned; [`RecordedRun::update_plan`] stores a change.
    pub(super) plan: RunPlan,
    id: String,
    n_steps: u32,
    outcome: Outcome,
}

impl<'s> RecordedRun<'s> {
    /// Stores that a run begins. `seed` and `level` (of confidence) hold for all instruments.
    pub(super) fn begin(
        session: &'s Session,
        store: Store,
        plan: RunPlan,
        seed: u64,
        level: f64,
    ) -> anyhow::Result<Self> {
        let started = clock::now();
        let id = store.new_run_id(&started)?;
        let header = RunHeader {
            id: id.clone(),
            karat_version: env!("CARGO_PKG_VERSION").to_owned(),
            command: session.environment.command_line.clone(),
            started,
            finished: None,
            outcome: Outcome::Unfinished,
            seed,
            level,
        };
        store.begin_run(&header, &serde_json::to_value(&plan)?)?;
        Ok(Self { session, store, plan, id, n_steps: 0, outcome: Outcome::Done })
    }

    /// Adds a step that is planned and not begun; gives its position.
    pub(super) fn announce(&mut self, id: &str, title: &str) -> anyhow::Result<u32> {
        let position = self.n_steps;
        let step = StepRecord {
            id: id.to_owned(),
            title: title.to_owned(),
            outcome: Outcome::Unfinished,
            seconds: 0.0,
            peak_memory_bytes: None,
            error: None,
            engine_log: Vec::new(),
        };
        self.store.record_step(&self.id, &step, position)?;
        self.n_steps += 1;
        Ok(position)
    }

    /// Stores how a step ended; a failed one makes the run a failed one.
    pub(super) fn record(&mut self, step: &StepRecord, position: u32) -> anyhow::Result<()> {
        if step.outcome == Outcome::Failed {
            self.outcome = Outcome::Failed;
        }
        Ok(self.store.record_step(&self.id, step, position)?)
    }

    /// Stores the plan as it is now.
    pub(super) fn update_plan(&self) -> anyhow::Result<()> {
        Ok(self.store.update_plan(&self.id, &serde_json::to_value(&self.plan)?)?)
    }

    /// Closes the run; gives back the store, the run's id and what the program exits with.
    pub(super) fn finish(self) -> anyhow::Result<(Store, String, Exit)> {
        self.store.finish_run(&self.id, &clock::now(), self.outcome)?;
        let exit = if self.outcome == Outcome::Failed { Exit::StepsFailed } else { Exit::Ok };
        Ok((self.store, self.id, exit))
    }
}
