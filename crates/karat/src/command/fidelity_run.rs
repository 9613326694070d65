//! The fidelity part of a run under way: one step per text, workers that may die, windows stored as they come.

use std::collections::{BTreeMap, BTreeSet};

use super::document::read_scores;
use super::fidelity_group::{Group, Scored, Work, decode, in_order, within_budget};
use super::fidelity_step::{Interruption, StepState};
use super::recorded_run::{RecordedRun, RunStep};
use crate::clock::Stopwatch;
use crate::instrument::fidelity::stopping::Stopping;
use crate::model::Stamps;
use crate::plan::{FidelityPlan, Part, Purpose, Step, TrackOf};
use crate::record::{Finding, Outcome, Severity, StepRecord};
use crate::settings::FidelitySettings;
use crate::store::{TrackId, WindowBlob};
use crate::ui::Progress;
use crate::units::count;
use crate::worker::{CutWindow, Message, Supervisor, WorkerError};

/// Windows that candidates score in turn where they do not fit together and questions wait for all.
const TURN: usize = 8;

/// The fidelity part of a run.
pub(super) struct FidelityRun<'r, 's> {
    run: &'r mut RecordedRun<'s>,
    plan: FidelityPlan,
    /// The inputs as they were when they were hashed.
    stamps: Stamps,
    supervisor: Supervisor,
    /// Most bytes a worker may take, as expected.
    memory_budget: Option<u64>,
    /// Each step of the plan, and of the run.
    steps: Vec<(Step, RunStep)>,
    /// Weights × tokens computed, and the seconds it took.
    computed: (f64, f64),
}

impl<'r, 's> FidelityRun<'r, 's> {
    /// Announces the steps of the run's fidelity plan.
    pub(super) fn begin(
        run: &'r mut RecordedRun<'s>,
        plan: FidelityPlan,
        stamps: Stamps,
        settings: &FidelitySettings,
    ) -> anyhow::Result<Self> {
        let supervisor = Supervisor {
            program: run.session.environment.program.clone(),
            silence: settings.worker_timeout,
        };
        let mut steps = Vec::new();
        for step in plan.steps() {
            let announced = run.announce(&step.id, step.title.clone())?;
            steps.push((step, announced));
        }
        let memory_budget = settings.memory_budget;
        Ok(Self { run, plan, stamps, supervisor, memory_budget, steps, computed: (0.0, 0.0) })
    }

    /// Does every step; a step that fails does not stop the others.
    pub(super) fn measure(mut self) -> anyhow::Result<()> {
        for (step, mut run_step) in std::mem::take(&mut self.steps) {
            let watch = Stopwatch::start();
            let state = self.step(&step)?;
            for error in &state.errors {
                let text = &self.plan.texts[step.text].name;
                self.run.session.ui.warn(&format!("{text}: {error}"));
            }
            let n_different = state.n_different;
            end(&mut run_step.record, state, watch.elapsed().as_secs_f64());
            self.run.record(run_step)?;
            if n_different > 0 {
                self.note_different(step.text, n_different)?;
            }
        }
        let (work, seconds) = self.computed;
        if let (Some(plan), true) = (&mut self.run.plan.fidelity, seconds > 1.0) {
            plan.throughput = Some(work / seconds);
            self.run.update_plan()?;
        }
        Ok(())
    }

    /// Remembers that the device does not repeat its own results.
    fn note_different(&mut self, text: usize, n_different: usize) -> anyhow::Result<()> {
        let Some(plan) = &mut self.run.plan.fidelity else { return Ok(()) };
        let message = format!(
            "{}: {} of windows scored before came out different this time; the first are kept. This \
             device does not repeat its own results: the noise floor rows say by how much",
            plan.texts[text].name,
            count(n_different as u64, "result")
        );
        plan.findings.push(Finding { severity: Severity::Warning, message });
        self.run.update_plan()
    }

    /// Scores a text until nothing is missing but what dropped models lack.
    fn step(&mut self, step: &Step) -> anyhow::Result<StepState> {
        let watch = Stopwatch::start();
        let text = &self.plan.texts[step.text];
        let title = text.name.clone();
        let mut progress = self.run.session.ui.progress(&title, text.windows, "windows");
        let mut state = StepState::default();
        loop {
            state.stopping = self.stopping(step.text, &state.dropped)?;
            let Some(group) = self.next_group(step.text, &state)? else { break };
            let is_first = match group.work {
                Work::Figures => state.scored.is_empty() && state.stopping.is_none(),
                Work::FirstHalves => state.first_halves.is_empty(),
                Work::NoiseFloor => false,
            };
            if is_first {
                let n_windows = self.plan.texts[step.text].windows;
                progress.resume_at(n_windows.saturating_sub(group.windows.len() as u64));
            }
            match self.run_group(step.text, &group, &mut state, &mut progress) {
                Ok(()) | Err(WorkerError::Caller(Interruption::Decided)) => {}
                Err(WorkerError::Failed(failure)) => {
                    if !state.note(&self.plan, &failure) {
                        break;
                    }
                }
                Err(WorkerError::Caller(Interruption::Failed(error))) => return Err(error),
                Err(error) => return Err(error.into()),
            }
        }
        progress.finish(&state.closing(watch.elapsed()));
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
        for (pair, windows) in
            read_scores(&self.run.store, &self.plan, text, Part::SecondHalf)?.pairs
        {
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
        let mut groups: BTreeMap<(Work, Vec<u32>), BTreeMap<TrackOf, TrackId>> = BTreeMap::new();
        let turn = self.turn(text, state)?;
        for of in self.plan.tracks() {
            let work = Work::of(of, &members);
            let is_dropped = of.members().any(|member| state.dropped.contains(&member));
            if is_dropped || (is_over && work == Work::Figures) {
                continue;
            }
            let track = self.run.store.track(&self.plan.track_key(text, of))?;
            let finished = self.run.store.finished_windows(track)?;
            let mut missing = self.plan.planned_windows(text, of);
            missing.retain(|window| !finished.contains(window));
            if let (Some(turn), Work::Figures) = (&turn, work) {
                missing.retain(|window| turn.contains(window));
            }
            if let (Some(stopping), Work::FirstHalves) = (&state.stopping, work) {
                // Those of the windows that the figures rest on.
                missing.retain(|window| stopping.read().contains(window));
            }
            if !missing.is_empty() {
                groups.entry((work, missing)).or_default().insert(of, track);
            }
        }
        // Figures first; of these the most windows first.
        let first = groups.into_iter().max_by_key(|((work, windows), _)| (*work, windows.len()));
        Ok(first.map(|((work, windows), tracks)| Group {
            work,
            tracks: match self.memory_budget {
                Some(budget) => within_budget(&self.plan, tracks, budget),
                None => tracks,
            },
            windows: in_order(windows, state.stopping.as_ref()),
        }))
    }

    /// Where candidates take turns and questions wait for all of them: the next few windows that some
    /// candidate lacks, so that none runs ahead.
    fn turn(&self, text: usize, state: &StepState) -> anyhow::Result<Option<BTreeSet<u32>>> {
        let (Some(stopping), Some(_)) = (&state.stopping, self.memory_budget) else {
            return Ok(None);
        };
        let members = self.plan.members();
        let mut lacking = BTreeSet::new();
        for of in self.plan.tracks() {
            let takes_part = |member: usize| !state.dropped.contains(&member);
            if Work::of(of, &members) == Work::Figures && of.members().all(takes_part) {
                let track = self.run.store.track(&self.plan.track_key(text, of))?;
                let finished = self.run.store.finished_windows(track)?;
                let planned = self.plan.planned_windows(text, of);
                lacking.extend(planned.into_iter().filter(|window| !finished.contains(window)));
            }
        }
        let lacking: Vec<u32> = lacking.into_iter().collect();
        Ok(Some(in_order(lacking, Some(stopping)).into_iter().take(TURN).collect()))
    }

    /// Has a worker of its own cut a group's windows.
    fn cut(&self, text: usize, group: &Group) -> Result<Vec<CutWindow>, WorkerError<Interruption>> {
        let mut windows = None;
        self.supervisor.run(&group.cut_job(&self.plan, text), |message| {
            if let Message::Cut(cut) = message {
                windows = Some(cut);
            }
            Ok(())
        })?;
        let no_answer = || anyhow::anyhow!("the worker gave no answer");
        windows.ok_or_else(|| WorkerError::Caller(Interruption::Failed(no_answer())))
    }

    /// Runs one worker to its end.
    fn run_group(
        &mut self,
        text: usize,
        group: &Group,
        state: &mut StepState,
        progress: &mut Progress,
    ) -> Result<(), WorkerError<Interruption>> {
        let members = group.members();
        let job = group.job(&self.plan, self.cut(text, group)?);
        let watch = Stopwatch::start();
        let mut n_computed: u64 = 0;
        let (store, plan, stamps) = (&mut self.run.store, &self.plan, &self.stamps);
        let outcome = self.supervisor.run(&job, |message| {
            if let Message::Peak { bytes } = message {
                state.peak_memory_bytes = state.peak_memory_bytes.max(Some(bytes));
            }
            let Message::Window { window_idx, tracks } = message else { return Ok(()) };
            let scored = decode(&tracks, &members).map_err(Interruption::Failed)?;
            stamps.check().map_err(|changed| Interruption::Failed(changed.into()))?;
            let stored: Vec<WindowBlob<'_>> = scored
                .iter()
                .filter_map(|Scored { of, data, worst }| {
                    let (track, worst) = (*group.tracks.get(of)?, worst.as_deref());
                    Some(WindowBlob { track, window_idx, data, worst })
                })
                .collect();
            state.n_different +=
                store.put_windows(&stored).map_err(|error| Interruption::Failed(error.into()))?;
            if group.work != Work::NoiseFloor {
                n_computed += 1;
            }
            let is_new = match group.work {
                Work::Figures => state.scored.insert(window_idx),
                Work::FirstHalves => state.first_halves.insert(window_idx),
                Work::NoiseFloor => false,
            };
            if is_new {
                progress.advance(1);
            }
            match group.work {
                Work::FirstHalves => progress.show("first halves"),
                Work::Figures | Work::NoiseFloor => state.show_running(plan, &scored, progress),
            }
            let has_decided =
                state.has_decided(window_idx, &scored).map_err(Interruption::Failed)?;
            if has_decided && group.work == Work::Figures {
                return Err(Interruption::Decided);
            }
            Ok(())
        });
        let all = self.plan.members();
        let weights: u64 = members.iter().map(|&i| self.plan.n_params[all[i].model]).sum();
        let n_ctx = u64::from(self.plan.ruler.n_ctx);
        let length = if group.work == Work::FirstHalves { n_ctx / 2 } else { n_ctx };
        self.computed.0 += weights as f64 * (n_computed * length) as f64;
        if group.work != Work::NoiseFloor {
            self.computed.1 += watch.elapsed().as_secs_f64();
        }
        match outcome {
            Ok(peak) => {
                state.peak_memory_bytes = state.peak_memory_bytes.max(peak);
                Ok(())
            }
            Err(WorkerError::Failed(mut failure)) => {
                failure.model = failure.model.and_then(|local| members.get(local).copied());
                Err(WorkerError::Failed(failure))
            }
            Err(other) => Err(other),
        }
    }
}

/// How a step ended.
fn end(record: &mut StepRecord, state: StepState, seconds: f64) {
    let has_failed = !state.errors.is_empty();
    record.outcome = if has_failed { Outcome::Failed } else { Outcome::Done };
    record.seconds = seconds;
    record.peak_memory_bytes = state.peak_memory_bytes;
    record.error = has_failed.then(|| state.errors.join("; "));
    record.engine_log = state.log;
}
