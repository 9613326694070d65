//! A fidelity run under way: one step per text, workers that may die, windows stored as they come.

use std::collections::{BTreeMap, BTreeSet};

use super::Session;
use super::document::read_scores;
use super::fidelity_group::{Group, decode, in_order, within_budget};
use super::fidelity_step::{Interruption, StepState};
use crate::clock::{self, Stopwatch};
use crate::exit::Exit;
use crate::instrument::fidelity::stopping::Stopping;
use crate::plan::{FidelityPlan, Purpose, Step, TrackOf};
use crate::record::{Outcome, RunHeader, StepRecord};
use crate::settings::FidelitySettings;
use crate::store::{Store, TrackId, WindowBlob};
use crate::ui::Progress;
use crate::units::Span;
use crate::worker::{Message, Supervisor, WorkerError};

/// Windows that candidates score in turn where they do not fit together and questions wait for all.
const TURN: usize = 8;

/// A run that has begun.
pub(super) struct FidelityRun<'s> {
    session: &'s Session,
    store: Store,
    plan: FidelityPlan,
    supervisor: Supervisor,
    /// Most bytes a worker may take, as expected.
    memory_budget: Option<u64>,
    id: String,
    outcome: Outcome,
    /// Weights × tokens computed, and the seconds it took.
    computed: (f64, f64),
}

impl<'s> FidelityRun<'s> {
    pub(super) fn begin(
        session: &'s Session,
        store: Store,
        plan: FidelityPlan,
        supervisor: Supervisor,
        settings: &FidelitySettings,
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
            seed: settings.seed,
            level: settings.level,
        };
        store.begin_run(&header, &serde_json::to_value(&plan)?)?;
        let mut run = Self {
            session,
            store,
            plan,
            supervisor,
            memory_budget: settings.memory_budget,
            id,
            outcome: Outcome::Done,
            computed: (0.0, 0.0),
        };
        for (position, step) in run.plan.steps().iter().enumerate() {
            run.record(step, position, &StepState::default(), Outcome::Unfinished, 0.0)?;
        }
        Ok(run)
    }

    /// Does every step; a step that fails does not stop the others.
    pub(super) fn measure(&mut self) -> anyhow::Result<Exit> {
        for (position, step) in self.plan.steps().iter().enumerate() {
            let watch = Stopwatch::start();
            let state = self.step(step)?;
            let failed = !state.errors.is_empty();
            for error in &state.errors {
                self.session.ui.warn(&format!("{}: {error}", self.plan.texts[step.text].name));
            }
            let outcome = if failed { Outcome::Failed } else { Outcome::Done };
            if failed {
                self.outcome = Outcome::Failed;
            }
            self.record(step, position, &state, outcome, watch.elapsed().as_secs_f64())?;
        }
        Ok(if self.outcome == Outcome::Failed { Exit::StepsFailed } else { Exit::Ok })
    }

    /// Closes the run and gives back the store and the run's id.
    pub(super) fn finish(mut self) -> anyhow::Result<(Store, String)> {
        let (work, seconds) = self.computed;
        if seconds > 1.0 {
            self.plan.throughput = Some(work / seconds);
            self.store.update_plan(&self.id, &serde_json::to_value(&self.plan)?)?;
        }
        self.store.finish_run(&self.id, &clock::now(), self.outcome)?;
        Ok((self.store, self.id))
    }

    /// Scores a text until nothing is missing but what dropped models lack.
    fn step(&mut self, step: &Step) -> anyhow::Result<StepState> {
        let watch = Stopwatch::start();
        let text = &self.plan.texts[step.text];
        let title = text.name.clone();
        let mut progress = self.session.ui.progress(&title, text.windows, "windows");
        let mut state = StepState::default();
        let mut scored = 0;
        loop {
            state.stopping = self.stopping(step.text, &state.dropped)?;
            let Some(group) = self.next_group(step.text, &state)? else { break };
            let n_windows = self.plan.texts[step.text].windows;
            progress.set(n_windows.saturating_sub(group.windows.len() as u64));
            match self.run_group(step.text, &group, &mut state, &mut progress) {
                Ok(n) | Err(WorkerError::Caller(Interruption::Decided(n))) => scored += n,
                Err(WorkerError::Failed(failure)) => {
                    if !state.note(&self.plan, &failure) {
                        break;
                    }
                }
                Err(WorkerError::Caller(Interruption::Failed(error))) => return Err(error),
                Err(error) => return Err(error.into()),
            }
        }
        let closing = match (state.errors.is_empty(), scored) {
            (true, 0) => "all windows were scored before".to_owned(),
            (true, n) => format!("{n} windows in {}", Span(watch.elapsed())),
            (false, _) => "ended with failures".to_owned(),
        };
        progress.finish(&closing);
        Ok(state)
    }

    /// The questions of a text with what is stored read into them.
    fn stopping(&self, text: usize, dropped: &BTreeSet<usize>) -> anyhow::Result<Option<Stopping>> {
        let members = self.plan.members();
        let takes_part = |&member: &usize| {
            members[member].purpose == Purpose::Candidate && !dropped.contains(&member)
        };
        let candidates = (0..members.len()).filter(takes_part).collect();
        let Some(mut stopping) = Stopping::new(&self.plan, text, candidates)? else {
            return Ok(None);
        };
        for (pair, windows) in read_scores(&self.store, &self.plan, text)?.pairs {
            for (window, scores) in windows {
                stopping.offer(window, pair, scores.kld())?;
            }
        }
        Ok(Some(stopping))
    }

    /// The next tracks to score together, and the windows they lack.
    fn next_group(&mut self, text: usize, state: &StepState) -> anyhow::Result<Option<Group>> {
        let members = self.plan.members();
        let is_over = state.stopping.as_ref().is_some_and(Stopping::is_over);
        let mut groups: BTreeMap<Vec<u32>, BTreeMap<TrackOf, TrackId>> = BTreeMap::new();
        for of in self.plan.tracks() {
            let is_noise = of.members().any(|member| members[member].purpose.is_noise());
            let is_dropped = of.members().any(|member| state.dropped.contains(&member));
            if is_dropped || (is_over && !is_noise) {
                continue;
            }
            let track = self.store.track(&self.plan.track_key(text, of))?;
            let finished = self.store.finished_windows(track)?;
            let mut missing = self.plan.planned_windows(text, of);
            missing.retain(|window| !finished.contains(window));
            if !missing.is_empty() {
                groups.entry(missing).or_default().insert(of, track);
            }
        }
        // The most windows first: the noise floor, on a few, comes last.
        let first = groups.into_iter().max_by_key(|(windows, _)| windows.len());
        Ok(first.map(|(windows, tracks)| {
            let n_tracks = tracks.len();
            let tracks = match self.memory_budget {
                Some(budget) => within_budget(&self.plan, tracks, budget),
                None => tracks,
            };
            let mut windows = in_order(windows, state.stopping.as_ref());
            if state.stopping.is_some() && tracks.len() < n_tracks {
                // Candidates take turns: a question needs them all on the same windows.
                windows.truncate(TURN);
            }
            Group { tracks, windows }
        }))
    }

    /// Runs one worker; gives the windows it scored.
    fn run_group(
        &mut self,
        text: usize,
        group: &Group,
        state: &mut StepState,
        progress: &mut Progress,
    ) -> Result<u64, WorkerError<Interruption>> {
        let members = group.members();
        let job = group.job(&self.plan, text);
        let watch = Stopwatch::start();
        let mut n_scored = 0;
        let (store, plan) = (&mut self.store, &self.plan);
        let is_noise = members.iter().any(|&i| plan.members()[i].purpose.is_noise());
        let outcome = self.supervisor.run(&job, |message| {
            let Message::Window { window_idx, tracks } = message else { return Ok(()) };
            let blobs = decode(&tracks, &members).map_err(Interruption::Failed)?;
            let stored: Vec<WindowBlob<'_>> = blobs
                .iter()
                .filter_map(|(of, data)| {
                    Some(WindowBlob { track: *group.tracks.get(of)?, window_idx, data })
                })
                .collect();
            store.put_windows(&stored).map_err(|error| Interruption::Failed(error.into()))?;
            if !is_noise {
                n_scored += 1;
                progress.advance(1);
            }
            state.show_running(plan, &blobs, progress);
            let has_decided =
                state.has_decided(window_idx, &blobs).map_err(Interruption::Failed)?;
            if has_decided && !is_noise {
                return Err(Interruption::Decided(n_scored));
            }
            Ok(())
        });
        let all = self.plan.members();
        let weights: u64 = members.iter().map(|&i| self.plan.n_params[all[i].model]).sum();
        self.computed.0 += weights as f64 * (n_scored * u64::from(self.plan.ruler.n_ctx)) as f64;
        self.computed.1 += watch.elapsed().as_secs_f64();
        match outcome {
            Ok(peak) => {
                state.peak_memory_bytes = state.peak_memory_bytes.max(peak);
                Ok(n_scored)
            }
            Err(WorkerError::Failed(mut failure)) => {
                failure.model = failure.model.and_then(|local| members.get(local).copied());
                Err(WorkerError::Failed(failure))
            }
            Err(other) => Err(other),
        }
    }

    fn record(
        &mut self,
        step: &Step,
        position: usize,
        state: &StepState,
        outcome: Outcome,
        seconds: f64,
    ) -> anyhow::Result<()> {
        let record = StepRecord {
            id: step.id.clone(),
            title: step.title.clone(),
            outcome,
            seconds,
            peak_memory_bytes: state.peak_memory_bytes,
            error: (!state.errors.is_empty()).then(|| state.errors.join("; ")),
            engine_log: state.log.clone(),
        };
        Ok(self.store.record_step(&self.id, &record, position as u32)?)
    }
}
