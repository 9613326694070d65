//! Runs what is planned, whichever instruments take part, and tells what came of it: one run, one
//! report. The only place where a measuring verb ends.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::backends::Patient;
use super::behaviour_run::BehaviourRun;
use super::bench::can_tell;
use super::control_run::ControlRun;
use super::fidelity_run::FidelityRun;
use super::recorded_run::RecordedRun;
use super::speed_run::SpeedRun;
use super::{Session, document, memory, print, report};
use crate::cli::ReportFormat;
use crate::exit::Exit;
use crate::model::Stamps;
use crate::plan::{
    BehaviourPlan, ControlPlan, FidelityPlan, FitAsk, MemoryPlan, RunPlan, SpeedPlan,
};
use crate::record::{Finding, Margins, Severity};
use crate::settings::FidelitySettings;
use crate::store::Store;

/// What is to be measured. Each part brings its inputs as they were when they were hashed.
#[derive(Default)]
pub(super) struct Measurements {
    /// Distance from the original.
    pub(super) fidelity: Option<(FidelityPlan, Stamps, FidelitySettings)>,
    /// What builds take; the time-out of a silent worker.
    pub(super) memory: Option<(MemoryPlan, Stamps, Duration)>,
    /// Rates; the time-out of a silent worker.
    pub(super) speed: Option<(SpeedPlan, Stamps, Duration)>,
    /// Rates over servers; the longest that one may take for an answer.
    pub(super) control: Option<(ControlPlan, Duration)>,
    /// What builds do with tasks; how long is waited for them.
    pub(super) behaviour: Option<(BehaviourPlan, Stamps, Patient)>,
    /// What a build has to fit.
    pub(super) fits: Option<FitAsk>,
    /// From where on a loss matters.
    pub(super) margins: Margins,
}

/// How its results are told.
pub(super) struct Telling<'a> {
    /// Seed of every random choice.
    pub(super) seed: u64,
    /// Confidence level of the intervals.
    pub(super) level: f64,
    /// Form of the report on standard output.
    pub(super) format: ReportFormat,
    /// A file for the same report in HTML.
    pub(super) html: Option<&'a Path>,
}

/// Measures what is missing, then prints the report.
pub(super) fn measure(
    session: &Session,
    store: Store,
    work: Measurements,
    telling: &Telling<'_>,
) -> anyhow::Result<Exit> {
    let plan = RunPlan {
        fidelity: work.fidelity.as_ref().map(|(plan, ..)| plan.clone()),
        memory: work.memory.as_ref().map(|(plan, ..)| plan.clone()),
        speed: work.speed.as_ref().map(|(plan, ..)| plan.clone()),
        control: work.control.as_ref().map(|(plan, _)| plan.clone()),
        behaviour: work.behaviour.as_ref().map(|(plan, ..)| plan.clone()),
        fits: work.fits,
        margins: work.margins,
    };
    tell_findings(session, &plan, telling.level);
    let mut run = RecordedRun::begin(session, store, plan, telling.seed, telling.level)?;
    if let Some((plan, stamps, settings)) = work.fidelity {
        FidelityRun::begin(&mut run, plan, stamps, &settings)?.measure()?;
    }
    if let Some((plan, stamps, worker_timeout)) = work.memory {
        memory::measure(&mut run, &plan, &stamps, worker_timeout)?;
    }
    if let Some((plan, stamps, worker_timeout)) = work.speed {
        SpeedRun::begin(&mut run, plan, stamps, worker_timeout)?.measure()?;
    }
    if let Some((plan, answer_timeout)) = work.control {
        ControlRun::begin(&mut run, plan, answer_timeout)?.measure()?;
    }
    if let Some((plan, stamps, patient)) = work.behaviour {
        BehaviourRun::begin(&mut run, plan, stamps, patient)?.measure()?;
    }
    let (store, id, exit) = run.finish()?;
    let document =
        document::document(&store, &id, |declared| declared).context("results are stored")?;
    if let Some(path) = telling.html {
        report::write(session, &document, ReportFormat::Html, path)?;
    }
    print(session, &document, telling.format)?;
    session.ui.note(&format!("stored as run {id}; `karat report {id}` prints it again"));
    Ok(exit)
}

/// What was noticed while planning, each thing once, and what the tasks can tell. The report says that
/// itself, with what was seen by then.
fn tell_findings(session: &Session, plan: &RunPlan, level: f64) {
    let of_fidelity = plan.fidelity.iter().flat_map(|plan| &plan.findings);
    let of_memory = plan.memory.iter().flat_map(|plan| &plan.findings);
    let of_speed = plan.speed.iter().flat_map(|plan| &plan.findings);
    let of_behaviour = plan.behaviour.iter().flat_map(|plan| &plan.findings);
    let mut told: Vec<&Finding> = Vec::new();
    let can_tell = plan.behaviour.as_ref().and_then(|plan| can_tell(plan, level));
    let planned = of_fidelity.chain(of_memory).chain(of_speed).chain(of_behaviour);
    for finding in planned.chain(&can_tell) {
        if told.contains(&finding) {
            continue;
        }
        match finding.severity {
            Severity::Warning => session.ui.warn(&finding.message),
            Severity::Note => session.ui.note(&finding.message),
        }
        told.push(finding);
    }
}
