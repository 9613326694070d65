//! `karat memory`: plan, measure what is missing, report.

use std::time::Duration;

use anyhow::Context as _;

use super::Session;
use super::finding_lines::finding_lines;
use super::measure::{self, Measurements, Telling};
use super::plan_memory::plan_memory;
use super::recorded_run::{RecordedRun, step_id};
use crate::cli::MemoryArgs;
use crate::clock::Stopwatch;
use crate::exit::Exit;
use crate::model::Stamps;
use crate::plan::{MemoryCase, MemoryPlan};
use crate::record::Outcome;
use crate::store::Store;
use crate::units::{Bytes, Span, count};
use crate::worker::{
    Failure, FailureKind, Job, MemoryJob, MemoryReply, Message, Supervisor, WorkerError,
};

/// Confidence level and seed of a run without intervals and chance.
const LEVEL: f64 = 0.95;

pub(super) fn run(session: &Session, args: &MemoryArgs) -> anyhow::Result<Exit> {
    let settings = args.settings(session.environment.n_threads);
    let store = Store::open(&session.environment.home)?;
    let (plan, stamps) = plan_memory(session, &store, &settings)?;
    if args.dry_run {
        return dry_run(session, &store, &plan);
    }
    let telling = Telling { seed: 0, level: LEVEL, format: args.format, html: None };
    let work = Measurements {
        memory: Some((plan, stamps, settings.worker_timeout)),
        ..Measurements::default()
    };
    measure::measure(session, store, work, &telling)
}

/// Measures every case that is not stored yet, one worker each, unless only predictions are wanted; a
/// case that fails does not stop the others.
pub(super) fn measure(
    run: &mut RecordedRun<'_>,
    plan: &MemoryPlan,
    stamps: &Stamps,
    worker_timeout: Duration,
) -> anyhow::Result<()> {
    if plan.predict_only {
        return Ok(());
    }
    let supervisor =
        Supervisor { program: run.session.environment.program.clone(), silence: worker_timeout };
    let mut steps = Vec::new();
    for case in &plan.cases {
        steps.push(run.announce(&plan.identity(case), plan.title(case))?);
    }
    let watch = Stopwatch::start();
    let n_cases = plan.cases.len() as u64;
    let mut progress = run.session.ui.progress("memory", n_cases, "settings");
    let mut n_measured = 0;
    for (done, (case, mut step)) in plan.cases.iter().zip(steps).enumerate() {
        let step_watch = Stopwatch::start();
        let outcome = if stored(&run.store, plan, case)?.is_some() {
            Ok(None)
        } else {
            n_measured += 1;
            measure_case(run, &supervisor, plan, case, stamps)?
        };
        let record = &mut step.record;
        record.seconds = step_watch.elapsed().as_secs_f64();
        match outcome {
            Ok(peak) => record.peak_memory_bytes = peak,
            Err(failure) => {
                run.session.ui.warn(&format!("{}: {}", record.title, failure));
                record.outcome = Outcome::Failed;
                record.error = Some(failure.to_string());
                record.engine_log = failure.log;
            }
        }
        run.record(step)?;
        progress.set(done as u64 + 1);
    }
    progress.finish(&match n_measured {
        0 => "everything was measured before".to_owned(),
        n => format!("{} in {}", count(n, "setting"), Span(watch.elapsed())),
    });
    Ok(())
}

/// Measures one case and stores it. The inner result is the worker's peak, or how it failed.
fn measure_case(
    run: &RecordedRun<'_>,
    supervisor: &Supervisor,
    plan: &MemoryPlan,
    case: &MemoryCase,
    stamps: &Stamps,
) -> anyhow::Result<Result<Option<u64>, Failure>> {
    if let Some(error) = too_large(plan, case) {
        let kind = FailureKind::Reported { error, bad_input: false };
        return Ok(Err(Failure { kind, model: None, log: Vec::new() }));
    }
    let job = Job::Memory(MemoryJob {
        path: plan.models[case.model].path.clone().into(),
        n_ctx: case.n_ctx,
        n_ubatch: plan.n_ubatch,
        kv: case.kv,
        gpu_layers: plan.gpu_layers,
        n_threads: plan.n_threads,
    });
    let mut reply = None;
    let outcome = supervisor.run(&job, |message| {
        if let Message::Memory(memory) = message {
            reply = Some(memory);
        }
        Ok::<(), anyhow::Error>(())
    });
    let peak = match outcome {
        Ok(peak) => peak,
        Err(WorkerError::Failed(failure)) => return Ok(Err(failure)),
        Err(error) => return Err(error.into()),
    };
    let reply = reply.context("the worker gave no answer")?;
    stamps.check()?;
    run.store.put_sample(&plan.identity(case), 0, &serde_json::to_value(&reply)?)?;
    Ok(Ok(peak))
}

/// Why a case is not even tried: a process that outgrows the machine may take others with it.
fn too_large(plan: &MemoryPlan, case: &MemoryCase) -> Option<String> {
    let expected = case.prediction.as_ref()?.host.checked_total()?;
    let there = plan.machine.memory_bytes;
    (there > 0 && expected > there).then(|| {
        format!(
            "not tried: {} predicted on the host, the machine has {}",
            Bytes(expected),
            Bytes(there)
        )
    })
}

/// What was measured for a case before.
pub(super) fn stored(
    store: &Store,
    plan: &MemoryPlan,
    case: &MemoryCase,
) -> anyhow::Result<Option<MemoryReply>> {
    let samples = store.samples(&plan.identity(case))?;
    let Some((_, data)) = samples.into_iter().next() else { return Ok(None) };
    Ok(Some(serde_json::from_value(data).context("a stored measurement is damaged")?))
}

/// Prints the plan with what is expected and what is measured already.
pub(super) fn dry_run(session: &Session, store: &Store, plan: &MemoryPlan) -> anyhow::Result<Exit> {
    let mut lines = vec!["plan".to_owned()];
    for case in &plan.cases {
        // What is only predicted has no contents hashed, so no identity.
        let (id, state) = if plan.predict_only {
            (String::new(), "to predict")
        } else {
            let is_stored = stored(store, plan, case)?.is_some();
            let state = if is_stored { "measured before" } else { "to measure" };
            (step_id(&plan.identity(case)) + " ", state)
        };
        let total = |prediction: &crate::memory::Prediction| {
            let gpu = prediction.gpu.checked_total()?;
            prediction.host.checked_total()?.checked_add(gpu)
        };
        let expected = case.prediction.as_ref().and_then(total);
        let expected = expected.map_or("no prediction".to_owned(), |n| Bytes(n).to_string());
        lines.push(format!("  {id}{}; {state}; {expected} expected", plan.title(case)));
    }
    lines.extend(finding_lines(&plan.findings));
    lines.push(String::new());
    session.ui.data(lines.join("\n").as_bytes())?;
    Ok(Exit::Ok)
}
