//! `karat probe`: plan, time what is missing, report.

use std::time::Duration;

use super::Session;
use super::measure::{Measurements, Telling, measure};
use super::plan_speed::{missing_turns, plan_speed};
use crate::cli::ProbeArgs;
use crate::exit::Exit;
use crate::machine;
use crate::plan::{RunPlan, SpeedPlan, expect_speed};
use crate::store::Store;
use crate::units::Span;

pub(super) fn run(session: &Session, args: &ProbeArgs) -> anyhow::Result<Exit> {
    let settings = args.settings(default_threads(session))?;
    let store = Store::open(&session.environment.home)?;
    let (plan, stamps) = plan_speed(session, &store, &settings)?;
    if args.dry_run {
        return dry_run(session, &store, &plan);
    }
    let telling =
        Telling { seed: settings.seed, level: settings.level, format: args.format, html: None };
    let work = Measurements {
        speed: Some((plan, stamps, settings.worker_timeout)),
        ..Measurements::default()
    };
    measure(session, store, work, &telling)
}

/// Threads to decode with unless told: more than there are cores make generation slower.
pub(super) fn default_threads(session: &Session) -> u32 {
    let available = session.environment.n_threads;
    machine::physical_cores().map_or(available, |cores| cores.min(available))
}

/// Prints the plan with what it is expected to take.
pub(super) fn dry_run(session: &Session, store: &Store, plan: &SpeedPlan) -> anyhow::Result<Exit> {
    let n_missing = missing_turns(store, plan)?;
    let tests: Vec<String> = plan.tests.iter().map(crate::plan::SpeedTest::title).collect();
    let names: Vec<String> = (0..plan.entries().len()).map(|entry| plan.label(entry)).collect();
    let n_turns = plan.turns().len();
    let mut lines = vec![
        "plan".to_owned(),
        format!("  {} blocks, each with a process for {}", plan.blocks, names.join(", ")),
        format!("  timed: {}; {} passes each", tests.join(", "), plan.ruler.reps),
        format!("  {n_turns} measurements; {n_missing} to make"),
        format!("  {} threads, KV cache {}", plan.ruler.n_threads, plan.ruler.kv),
    ];
    let per_block = match measured_seconds(store, plan)? {
        Some(seconds) => (seconds, "from earlier measurements"),
        None => (expect_speed(plan), "a guess, nothing of this was measured here yet"),
    };
    let left = per_block.0 * n_missing as f64 / names.len() as f64;
    let time = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
    lines.push(format!("  expected time    {} ({})", Span(time), per_block.1));
    lines.extend(plan.findings.iter().map(|finding| format!("  note: {}", finding.message)));
    lines.push(String::new());
    session.ui.data(lines.join("\n").as_bytes())?;
    Ok(Exit::Ok)
}

/// Seconds of one block in the newest run of the same plan that has one.
fn measured_seconds(store: &Store, plan: &SpeedPlan) -> anyhow::Result<Option<f64>> {
    let fingerprint = plan.fingerprint();
    for summary in store.runs()? {
        let run = store.run(&summary.header.id)?;
        let Ok(RunPlan { speed: Some(earlier), .. }) = serde_json::from_value(run.plan) else {
            continue;
        };
        let seconds: f64 = run.steps.iter().map(|step| step.seconds).sum();
        if earlier.fingerprint() == fingerprint
            && seconds > 0.0
            && missing_turns(store, &earlier)? == 0
        {
            return Ok(Some(seconds / f64::from(earlier.blocks)));
        }
    }
    Ok(None)
}
