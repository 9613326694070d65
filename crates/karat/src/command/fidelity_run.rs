//! A fidelity run under way: one step per text, workers that may die, windows stored as they come.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Session;
use super::document::read_scores;
use crate::clock::{self, Stopwatch};
use crate::exit::Exit;
use crate::instrument::fidelity::stopping::Stopping;
use crate::metric::token::PairScores;
use crate::plan::{FidelityPlan, Member, Pair, Purpose, Step, TrackOf, expected_memory};
use crate::record::{Outcome, RunHeader, StepRecord};
use crate::settings::FidelitySettings;
use crate::store::{Store, TrackId, WindowBlob};
use crate::ui::Progress;
use crate::units::Span;
use crate::worker::{
    Failure, FidelityJob, Job, Load, Message, ScoredTrack, Supervisor, WorkerError,
};

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

/// What one step has come to so far.
#[derive(Default)]
struct StepState {
    /// Models not tried again in this step.
    dropped: BTreeSet<usize>,
    errors: Vec<String>,
    log: Vec<String>,
    peak_memory_bytes: Option<u64>,
    /// The questions, where the run ends when they are answered.
    stopping: Option<Stopping>,
    /// Sum and count of KLD per comparison with the first reference, for the progress line.
    running: BTreeMap<usize, (f64, usize)>,
}

impl StepState {
    /// Tells the questions of a window; whether all of them are answered.
    fn has_decided(&mut self, window: u32, blobs: &[(TrackOf, Vec<u8>)]) -> anyhow::Result<bool> {
        let Some(stopping) = &mut self.stopping else { return Ok(false) };
        for (of, data) in blobs {
            if let TrackOf::Pair(pair) = of {
                stopping.offer(window, *pair, PairScores::decode(data)?.kld())?;
            }
        }
        Ok(stopping.is_over())
    }

    /// Keeps the mean KLD against the original of every candidate on the progress line.
    fn show_running(
        &mut self,
        plan: &FidelityPlan,
        blobs: &[(TrackOf, Vec<u8>)],
        progress: &Progress,
    ) {
        let members = plan.members();
        for (of, data) in blobs {
            let TrackOf::Pair(Pair { reference: 0, candidate }) = of else { continue };
            if members[*candidate].purpose.is_noise() {
                continue;
            }
            if let Ok(scores) = PairScores::decode(data) {
                let (sum, n) = self.running.entry(*candidate).or_default();
                *sum += scores.kld().iter().sum::<f64>();
                *n += scores.len();
            }
        }
        let figures: Vec<String> = self
            .running
            .iter()
            .map(|(&member, (sum, n))| {
                format!("{} {:.4}", plan.label(&members[member]), sum / *n as f64)
            })
            .collect();
        progress.show(format!("KLD {}", figures.join(" ")));
    }
}

/// Why a worker was stopped before its end.
#[derive(Debug)]
enum Interruption {
    /// Every question is answered; this many windows were scored.
    Decided(u64),
    /// The parent failed.
    Failed(anyhow::Error),
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decided(_) => f.write_str("every question is decided"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// Tracks that lack the same windows of a text: they are scored together.
struct Group {
    tracks: BTreeMap<TrackOf, TrackId>,
    windows: Vec<u32>,
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
                Ok(n) => scored += n,
                Err(WorkerError::Failed(failure)) => {
                    if !self.note_failure(&mut state, &failure) {
                        break;
                    }
                }
                Err(WorkerError::Caller(Interruption::Decided(n))) => scored += n,
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
            let tracks = self.within_budget(tracks);
            let mut windows = in_order(windows, state.stopping.as_ref());
            if state.stopping.is_some() && tracks.len() < n_tracks {
                // Candidates take turns: a question needs them all on the same windows.
                windows.truncate(TURN);
            }
            Group { tracks, windows }
        }))
    }

    /// As many of the tracks as fit the memory budget together, at least the first; the others take
    /// their turn in a later group. Which tracks share a pass does not change their results.
    fn within_budget(&self, tracks: BTreeMap<TrackOf, TrackId>) -> BTreeMap<TrackOf, TrackId> {
        let Some(budget) = self.memory_budget else { return tracks };
        let mut chosen: BTreeSet<usize> = BTreeSet::new();
        // Comparisons first: they bring both of their members, whose own scores then come along.
        let pairs_first = tracks.keys().rev();
        for of in pairs_first {
            let with: BTreeSet<usize> = chosen.iter().copied().chain(of.members()).collect();
            if chosen.is_empty() || expected_memory(&self.plan, with.iter().copied()) <= budget {
                chosen = with;
            }
        }
        let fits = |of: &TrackOf| of.members().all(|member| chosen.contains(&member));
        tracks.into_iter().filter(|(of, _)| fits(of)).collect()
    }

    fn load(&self, member: &Member) -> Load {
        Load {
            path: self.plan.models[member.model].path.clone().into(),
            kv: member.kv,
            n_ubatch: member.n_ubatch,
        }
    }

    /// Runs one worker; gives the windows it scored.
    fn run_group(
        &mut self,
        text: usize,
        group: &Group,
        state: &mut StepState,
        progress: &mut Progress,
    ) -> Result<u64, WorkerError<Interruption>> {
        let members: Vec<usize> = {
            let all = group.tracks.keys().flat_map(|of| of.members());
            all.collect::<BTreeSet<_>>().into_iter().collect()
        };
        let job = self.job(text, group, &members);
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
            match state.has_decided(window_idx, &blobs).map_err(Interruption::Failed)? {
                true if !is_noise => Err(Interruption::Decided(n_scored)),
                _ => Ok(()),
            }
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

    fn job(&self, text: usize, group: &Group, members: &[usize]) -> Job {
        let all = self.plan.members();
        let local = |member: usize| members.binary_search(&member).unwrap_or(0);
        let own = group.tracks.keys().filter_map(|of| match of {
            TrackOf::Own(member) => Some(local(*member)),
            TrackOf::Pair(_) => None,
        });
        let pairs = group.tracks.keys().filter_map(|of| match of {
            TrackOf::Own(_) => None,
            TrackOf::Pair(Pair { reference, candidate }) => {
                Some(Pair { reference: local(*reference), candidate: local(*candidate) })
            }
        });
        Job::Fidelity(FidelityJob {
            members: members.iter().map(|&member| self.load(&all[member])).collect(),
            own: own.collect(),
            pairs: pairs.collect(),
            // The vocabulary that counts is the original's, whoever takes part.
            vocabulary: self.plan.models[0].path.clone().into(),
            text: self.plan.texts[text].path.clone().into(),
            ruler: self.plan.ruler.clone(),
            windows: group.windows.clone(),
            n_threads: self.plan.n_threads,
        })
    }

    /// Records a failure; whether the step can go on without the model to blame.
    fn note_failure(&self, state: &mut StepState, failure: &Failure) -> bool {
        state.log.clone_from(&failure.log);
        match failure.model {
            Some(model) if model != 0 => {
                state.errors.push(format!(
                    "{}: {}",
                    self.plan.label(&self.plan.members()[model]),
                    failure.kind
                ));
                state.dropped.insert(model)
            }
            Some(model) => {
                state.errors.push(format!(
                    "{}: {}",
                    self.plan.label(&self.plan.members()[model]),
                    failure.kind
                ));
                false
            }
            None => {
                state.errors.push(failure.kind.to_string());
                false
            }
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

/// Windows in the order they are to be read.
fn in_order(mut windows: Vec<u32>, stopping: Option<&Stopping>) -> Vec<u32> {
    if let Some(stopping) = stopping {
        let turn = |window: &u32| stopping.order().iter().position(|other| other == window);
        windows.sort_by_key(turn);
    }
    windows
}

/// Blobs of a window, by the plan's own indexes.
fn decode(tracks: &[ScoredTrack], members: &[usize]) -> anyhow::Result<Vec<(TrackOf, Vec<u8>)>> {
    let global = |local: usize| {
        members.get(local).copied().context("the worker named a model that it was not given")
    };
    let decode = |track: &ScoredTrack| {
        let of = match track.of {
            TrackOf::Own(model) => TrackOf::Own(global(model)?),
            TrackOf::Pair(Pair { reference, candidate }) => {
                TrackOf::Pair(Pair { reference: global(reference)?, candidate: global(candidate)? })
            }
        };
        let data = BASE64.decode(&track.data).context("the worker sent an unreadable window")?;
        Ok((of, data))
    };
    tracks.iter().map(decode).collect()
}
