//! A run under way, whichever instruments take part: its header, its plan, its steps and how it
//! ends, in the store from the first moment on. Knows no instrument.

use super::Session;
use crate::clock;
use crate::exit::Exit;
use crate::plan::RunPlan;
use crate::record::{Outcome, RunHeader, StepRecord};
use crate::store::Store;

/// Hexadecimal digits of an identity that tell steps apart.
const STEP_ID_LENGTH: usize = 16;

/// A step of a run that has begun, as far as it has come.
pub(super) struct RunStep {
    /// What is stored of it when it is over.
    pub(super) record: StepRecord,
    /// Where it stands among the run's steps.
    position: u32,
}

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

    /// Adds a step that is planned and not begun. `identity` is of what it measures.
    pub(super) fn announce(&mut self, identity: &str, title: String) -> anyhow::Result<RunStep> {
        let record = StepRecord {
            id: step_id(identity),
            title,
            outcome: Outcome::Unfinished,
            seconds: 0.0,
            peak_memory_bytes: None,
            error: None,
            engine_log: Vec::new(),
        };
        let step = RunStep { record, position: self.n_steps };
        self.store.record_step(&self.id, &step.record, step.position)?;
        self.n_steps += 1;
        Ok(step)
    }

    /// Stores how a step ended: well, unless it says otherwise. A failed one makes the run a failed one.
    pub(super) fn record(&mut self, mut step: RunStep) -> anyhow::Result<()> {
        match step.record.outcome {
            Outcome::Unfinished => step.record.outcome = Outcome::Done,
            Outcome::Failed => self.outcome = Outcome::Failed,
            Outcome::Done => {}
        }
        Ok(self.store.record_step(&self.id, &step.record, step.position)?)
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

/// A step's id, of the identity of what it measures.
pub(super) fn step_id(identity: &str) -> String {
    identity.chars().take(STEP_ID_LENGTH).collect()
}
