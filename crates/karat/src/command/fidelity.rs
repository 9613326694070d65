//! `karat fidelity`: plan, measure what is missing, report.

use super::Session;
use super::finding_lines::finding_lines;
use super::measure::{Measurements, Telling, measure};
use super::plan_fidelity::plan_fidelity;
use crate::cli::FidelityArgs;
use crate::exit::Exit;
use crate::plan::{Expectation, FidelityPlan, RunPlan, expect};
use crate::record::Margins;
use crate::store::Store;
use crate::units::{Bytes, Span};

pub(super) fn run(session: &Session, args: &FidelityArgs) -> anyhow::Result<Exit> {
    let settings = args.settings(session.environment.n_threads)?;
    let store = Store::open(&session.environment.home)?;
    let (plan, stamps) = plan_fidelity(session, &store, &settings)?;
    if args.how.dry_run {
        return dry_run(session, &store, &plan, settings.memory_budget);
    }
    let telling =
        Telling { seed: settings.seed, level: settings.level, format: args.how.format, html: None };
    let work = Measurements {
        fidelity: Some((plan, stamps, settings)),
        margins: args.margins.put(Margins::default()),
        ..Measurements::default()
    };
    measure(session, store, work, &telling)
}

/// Prints the plan with what it is expected to take.
pub(super) fn dry_run(
    session: &Session,
    store: &Store,
    plan: &FidelityPlan,
    memory_budget: Option<u64>,
) -> anyhow::Result<Exit> {
    let mut missing = Vec::new();
    let mut lines = vec!["plan".to_owned()];
    for step in plan.steps() {
        let n_missing = missing_windows(store, plan, step.text)?;
        lines.push(format!("  {} {}; {n_missing} to score", step.id, step.title));
        missing.push(n_missing);
    }
    let Expectation { time, measured, memory_bytes, n_turns } =
        expect(plan, &missing, known_throughput(store, plan)?, memory_budget);
    let basis =
        if measured { "from an earlier run" } else { "a guess, nothing was measured here yet" };
    lines.push(format!("  expected time    {} ({basis})", Span(time)));
    let turns = match n_turns {
        0 | 1 => String::new(),
        n => format!("; candidates take {n} turns"),
    };
    lines.push(format!("  expected memory  {} in one worker process{turns}", Bytes(memory_bytes)));
    lines.extend(finding_lines(&plan.findings));
    lines.push(String::new());
    session.ui.data(lines.join("\n").as_bytes())?;
    Ok(Exit::Ok)
}

/// Windows of a text that some track lacks.
fn missing_windows(store: &Store, plan: &FidelityPlan, text: usize) -> anyhow::Result<u64> {
    let mut most = 0;
    for of in plan.tracks() {
        let mut missing = plan.planned_windows(text, of);
        if let Some(track) = store.find_track(&plan.track_key(text, of))? {
            let finished = store.finished_windows(track)?;
            missing.retain(|window| !finished.contains(window));
        }
        most = most.max(missing.len() as u64);
    }
    Ok(most)
}

/// Throughput of the newest run that measured one with as many layers on the GPU and as many threads.
pub(super) fn known_throughput(store: &Store, plan: &FidelityPlan) -> anyhow::Result<Option<f64>> {
    for summary in store.runs()? {
        let earlier = store.run(&summary.header.id)?.plan;
        let Ok(RunPlan { fidelity: Some(earlier), .. }) = serde_json::from_value(earlier) else {
            continue;
        };
        let is_alike = earlier.ruler.gpu_layers == plan.ruler.gpu_layers
            && earlier.n_threads == plan.n_threads;
        if earlier.throughput.is_some() && is_alike {
            return Ok(earlier.throughput);
        }
    }
    Ok(None)
}
