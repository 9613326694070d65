//! The behaviour part of a run under way: one model after another, each reply stored as it comes, and all
//! judged after the last. A model that cannot be asked is a failed step; the others go on.

use super::backends::{self, Patient};
use super::behaviour_judge::judge;
use super::code_sandbox;
use super::recorded_run::{RecordedRun, RunStep};
use super::stored_attempts::StoredAttempts;
use crate::backend::Served;
use crate::clock::Stopwatch;
use crate::generation::{FailureKind as ReplyFailure, GenerationFailure, Ready, Terms};
use crate::instrument::behaviour::ask::{ask, terms_of, warm_up};
use crate::model::Stamps;
use crate::plan::{BehaviourPlan, TurnOf};
use crate::record::{Finding, Outcome, ServedRecord, Severity};
use crate::settings::ModelName;
use crate::task::score::Means;
use crate::task::{Replied, Reply};
use crate::ui::Progress;
use crate::units::{Span, count};
use crate::worker::{Failure, FailureKind, GenerateJob, Job, Message, Supervisor, WorkerError};
use karat_sandbox::Sandbox;

/// Questions in a row at which a server hung up, before it counts as gone.
const GONE_AFTER: u32 = 2;

/// The behaviour part of a run.
pub(super) struct BehaviourRun<'r, 's> {
    run: &'r mut RecordedRun<'s>,
    plan: BehaviourPlan,
    /// The files as they were when they were hashed.
    stamps: Stamps,
    patient: Patient,
    sandbox: Sandbox,
    steps: Vec<RunStep>,
    /// Answers that came in this run.
    n_answers: u64,
}

impl<'r, 's> BehaviourRun<'r, 's> {
    /// Announces a step per model.
    pub(super) fn begin(
        run: &'r mut RecordedRun<'s>,
        plan: BehaviourPlan,
        stamps: Stamps,
        patient: Patient,
    ) -> anyhow::Result<Self> {
        let mut steps = Vec::new();
        for (index, model) in plan.models.iter().enumerate() {
            let n = count(plan.turns().len() as u64, "answer");
            let identity = plan.identity(index, TurnOf { repeat: 0, instance: 0 });
            let title = format!("{}: {n}, suite {}", model.name, plan.suite_name());
            steps.push(run.announce(&identity, title)?);
        }
        let sandbox = code_sandbox(&run.session.environment);
        Ok(Self { run, plan, stamps, patient, sandbox, steps, n_answers: 0 })
    }

    /// Asks what has no answer, then judges; a model that fails does not stop the others.
    pub(super) fn measure(mut self) -> anyhow::Result<()> {
        let watch = Stopwatch::start();
        let total = (self.plan.turns().len() * self.plan.models.len()) as u64;
        let mut progress = self.run.session.ui.progress("behaviour", total, "answers");
        let (mut n_to_ask, mut n_judged) = (0, 0);
        for model in 0..self.plan.models.len() {
            let to_ask = self.stored().to_ask(model)?;
            progress.advance((self.plan.turns().len() - to_ask.len()) as u64);
            n_to_ask += to_ask.len();
            let step_watch = Stopwatch::start();
            let name = self.plan.models[model].name.clone();
            let failed = match self.plan.servers[model].clone() {
                _ if to_ask.is_empty() => None,
                None => self.ask_file(model, to_ask, &mut progress)?,
                Some(server) => self.ask_server(model, &server, to_ask, &mut progress)?,
            };
            let failed = match failed {
                None => self.none_answered(model)?,
                failed => failed,
            };
            let alive = |id: &str| progress.show(&format!("{name}: judging {id}"));
            n_judged += judge(self.stored(), model, Means { sandbox: &self.sandbox }, &alive)?;
            let step = &mut self.steps[model].record;
            step.seconds = step_watch.elapsed().as_secs_f64();
            if let Some((error, log)) = failed {
                self.run.session.ui.warn(&format!("{name}: {error}"));
                step.outcome = Outcome::Failed;
                step.error = Some(error);
                step.engine_log = log;
            }
        }
        progress.finish(&match (n_to_ask, n_judged) {
            (0, 0) => "everything was answered before".to_owned(),
            (0, n) => format!("everything was answered before, {} judged anew", count(n, "answer")),
            _ => format!("{} in {}", count(self.n_answers, "answer"), Span(watch.elapsed())),
        });
        for step in self.steps {
            self.run.record(step)?;
        }
        Ok(())
    }

    /// Asks a file in a worker. One that dies is asked on from behind the question it died at, which
    /// is recorded as an error; the step failed all the same.
    fn ask_file(
        &mut self,
        model: usize,
        mut turns: Vec<TurnOf>,
        progress: &mut Progress,
    ) -> anyhow::Result<Option<(String, Vec<String>)>> {
        let supervisor = Supervisor {
            program: self.run.session.environment.program.clone(),
            silence: self.patient.worker_timeout,
        };
        let mut killed: Option<(String, Vec<String>)> = None;
        while !turns.is_empty() {
            let job = Job::Generate(GenerateJob {
                model: self.plan.models[model].path.clone().into(),
                instances: self.plan.instances.clone(),
                turns: turns.clone(),
                terms: self.plan.terms.clone(),
                to_the_end: self.plan.is_heard_to_the_end(),
                gpu_layers: self.plan.gpu_layers,
                n_threads: self.plan.n_threads,
            });
            let mut n_answered = 0;
            let mut is_ready = false;
            let outcome = supervisor.run(&job, |message| {
                match message {
                    Message::Ready(ready) => {
                        is_ready = true;
                        self.note_ready(model, ready)?;
                    }
                    Message::Told(findings) => self.note_findings(model, findings)?,
                    Message::Answered { turn, reply, looped } => {
                        n_answered += 1;
                        self.keep(model, turn, &Replied { reply, looped }, progress)?;
                    }
                    _ => {}
                }
                Ok::<(), anyhow::Error>(())
            });
            self.stamps.check()?;
            match outcome {
                Ok(peak) => {
                    self.steps[model].record.peak_memory_bytes = peak;
                    return Ok(killed);
                }
                Err(WorkerError::Failed(Failure { kind, log, .. })) => {
                    let is_told = matches!(kind, FailureKind::Reported { .. });
                    if is_told || !is_ready || n_answered >= turns.len() {
                        return Ok(Some((kind.to_string(), log)));
                    }
                    let failure = GenerationFailure {
                        kind: ReplyFailure::Engine,
                        message: kind.to_string(),
                        partial: None,
                    };
                    let reply = Reply::Failure(Box::new(failure));
                    let replied = Replied { reply, looped: false };
                    self.keep(model, turns[n_answered], &replied, progress)?;
                    let id = &self.plan.instances[turns[n_answered].instance].id;
                    killed = Some((format!("no answer to {id}: {kind}"), log));
                    turns.drain(..=n_answered);
                }
                Err(WorkerError::Caller(error)) => return Err(error),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(killed)
    }

    fn ask_server(
        &mut self,
        model: usize,
        server: &str,
        mut turns: Vec<TurnOf>,
        progress: &mut Progress,
    ) -> anyhow::Result<Option<(String, Vec<String>)>> {
        let name = ModelName::parse(server)?;
        let Some(mut backend) = backends::server(&name, &self.patient)? else { return Ok(None) };
        progress.show(&format!("waiting for {server}"));
        let planned = self.plan.served.get(model).cloned().flatten();
        let (identity, ready) = match begin(&mut *backend, planned.as_deref(), &self.plan.terms) {
            Ok(begun) => begun,
            Err(failure) => return Ok(Some((failure.message, Vec::new()))),
        };
        if identity != planned {
            turns = self.note_identity(model, identity.as_deref())?;
        }
        self.note_ready(model, ready)?;
        if identity.is_none() && turns.len() < self.plan.turns().len() {
            let message = "answers of an earlier run are gone on with, and the server tells nothing of its \
                           model but the name: the earlier ones may be another model's";
            self.note_findings(model, vec![warning(message.to_owned())])?;
        }
        if let Some(first) = turns.first() {
            warm_up(&mut *backend, &self.plan.instances[first.instance], &self.plan.terms);
        }
        let to_the_end = self.plan.is_heard_to_the_end();
        let mut n_hung_up = 0;
        for turn in turns {
            let instance = &self.plan.instances[turn.instance];
            let terms = terms_of(&self.plan.terms, instance, turn.repeat);
            let (reply, looped) = ask(&mut *backend, instance, &terms, to_the_end, &|| ());
            let replied = Replied { reply, looped };
            let fault = match &replied.reply {
                Reply::Failure(failure) => Some((failure.kind, failure.message.clone())),
                Reply::Answer(_) => None,
            };
            match fault {
                // Nothing was asked, so nothing is recorded: the same command goes on from here.
                Some((ReplyFailure::Unreachable, message)) => {
                    return Ok(Some((message, Vec::new())));
                }
                Some((ReplyFailure::HungUp, message)) => {
                    n_hung_up += 1;
                    self.keep(model, turn, &replied, progress)?;
                    if n_hung_up >= GONE_AFTER {
                        return Ok(Some((message, Vec::new())));
                    }
                }
                _ => {
                    n_hung_up = 0;
                    self.keep(model, turn, &replied, progress)?;
                }
            }
        }
        match end(&mut *backend, identity.as_deref()) {
            Ok(findings) => self.note_findings(model, findings)?,
            Err(failure) => return Ok(Some((failure.message, Vec::new()))),
        }
        Ok(None)
    }

    /// Why a model of which no question at all has an answer failed.
    fn none_answered(&self, model: usize) -> anyhow::Result<Option<(String, Vec<String>)>> {
        let mut first = None;
        for turn in self.plan.turns() {
            match self.stored().newest(model, turn)?.map(|newest| newest.replied.reply) {
                Some(Reply::Answer(_)) => return Ok(None),
                Some(Reply::Failure(failure)) => _ = first.get_or_insert(failure.message),
                None => {}
            }
        }
        Ok(first.map(|first| (format!("no question was answered: {first}"), Vec::new())))
    }

    /// Stores a reply as it came.
    fn keep(
        &mut self,
        model: usize,
        turn: TurnOf,
        replied: &Replied,
        progress: &mut Progress,
    ) -> anyhow::Result<()> {
        let instance = &self.plan.instances[turn.instance];
        progress.show(&format!("{}: {}", self.plan.models[model].name, instance.id));
        self.stored().put_reply(model, turn, replied)?;
        self.n_answers += u64::from(matches!(replied.reply, Reply::Answer(_)));
        progress.advance(1);
        Ok(())
    }

    fn stored(&self) -> StoredAttempts<'_> {
        StoredAttempts { store: &self.run.store, plan: &self.plan }
    }

    /// Keeps with the plan what a model is whose server did not say so before; what it is to be asked.
    fn note_identity(
        &mut self,
        model: usize,
        identity: Option<&str>,
    ) -> anyhow::Result<Vec<TurnOf>> {
        for plan in self.run.plan.behaviour.iter_mut().chain([&mut self.plan]) {
            if let Some(served) = plan.served.get_mut(model) {
                *served = identity.map(str::to_owned);
            }
        }
        self.run.update_plan()?;
        self.stored().to_ask(model)
    }

    /// Keeps with the plan what a backend said of itself.
    fn note_ready(&mut self, model: usize, ready: Ready) -> anyhow::Result<()> {
        if self.plan.servers[model].is_some()
            && let Some(plan) = &mut self.run.plan.behaviour
        {
            plan.models[model].served = Some(ServedRecord {
                engine: ready.engine,
                n_ctx: ready.n_ctx,
                quantization: ready.quantization,
                resident_bytes: ready.resident_bytes,
                vram_bytes: ready.vram_bytes,
            });
            self.run.update_plan()?;
        }
        self.note_findings(model, ready.findings)
    }

    fn note_findings(&mut self, model: usize, findings: Vec<Finding>) -> anyhow::Result<()> {
        let Some(plan) = self.run.plan.behaviour.as_mut() else { return Ok(()) };
        let before = plan.findings.len();
        for finding in findings {
            let message = format!("{}: {}", plan.models[model].name, finding.message);
            let finding = Finding { message, ..finding };
            if !plan.findings.contains(&finding) {
                plan.findings.push(finding);
            }
        }
        if plan.findings.len() > before { self.run.update_plan() } else { Ok(()) }
    }
}

/// Gets a server ready whose model is still the one that the run was planned for, where it said then
/// which; what it says now.
fn begin(
    backend: &mut dyn Served,
    planned: Option<&str>,
    terms: &Terms,
) -> Result<(Option<String>, Ready), GenerationFailure> {
    let identity = match planned {
        Some(_) => {
            backends::check_identity(backend, planned)?;
            planned.map(str::to_owned)
        }
        None => backend.identify()?,
    };
    Ok((identity, backend.get_ready(terms)?))
}

/// Ends a series of answers, and tells whether they were all of one model.
fn end(backend: &mut dyn Served, planned: Option<&str>) -> Result<Vec<Finding>, GenerationFailure> {
    let mut findings = backend.finish()?;
    let message = match backend.identify() {
        Ok(now) if now.as_deref() == planned => return Ok(findings),
        Ok(_) => {
            "at the end the server had another model behind the name than at the start: the answers are \
             of both"
        }
        Err(_) => {
            "at the end the server did not say any more which model it has: the last answers may be \
             another one's"
        }
    };
    findings.push(warning(message.to_owned()));
    Ok(findings)
}

fn warning(message: String) -> Finding {
    Finding { severity: Severity::Warning, message }
}
