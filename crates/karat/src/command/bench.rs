//! `karat bench`: what models do with tasks.

use std::path::Path;

use super::backends::Patient;
use super::finding_lines::finding_lines;
use super::measure::{Measurements, Telling, measure};
use super::plan_behaviour::{RunFiles, plan_behaviour};
use super::stored_attempts::StoredAttempts;
use super::{Session, report};
use crate::cli::BenchArgs;
use crate::exit::Exit;
use crate::instrument::behaviour::detect::suite_can_tell;
use crate::plan::BehaviourPlan;
use crate::record::{Finding, Margins, ModelRole};
use crate::store::Store;
use crate::units::count;

pub(super) fn run(session: &Session, args: &BenchArgs) -> anyhow::Result<Exit> {
    let settings = args.settings(session.environment.n_threads)?;
    if let Some(path) = &args.html {
        report::check_target(path)?;
    }
    let store = Store::open(&session.environment.home)?;
    let said = |_: &Path| (ModelRole::Candidate, Vec::new());
    let alone = RunFiles { paths: &[], said: &said, is_dry: args.dry_run };
    let (plan, stamps) = plan_behaviour(session, &store, &settings, &alone)?;
    if args.dry_run {
        return dry_run(session, &store, &plan, settings.level);
    }
    let patient = Patient {
        worker_timeout: settings.worker_timeout,
        answer_timeout: settings.answer_timeout,
    };
    let telling = Telling {
        seed: settings.suite.seed,
        level: settings.level,
        format: args.format,
        html: args.html.as_deref(),
    };
    let work = Measurements {
        behaviour: Some((plan, stamps, patient)),
        margins: args.margin.put(Margins::default()),
        ..Measurements::default()
    };
    measure(session, store, work, &telling)
}

/// What the tasks of a plan can tell of two builds, before anything is known of these; nothing of one.
pub(super) fn can_tell(plan: &BehaviourPlan, level: f64) -> Option<Finding> {
    (plan.models.len() > 1)
        .then(|| suite_can_tell(plan.instances.len() as u64, None, level))
        .flatten()
}

/// Prints what would be asked, and what it could tell.
pub(super) fn dry_run(
    session: &Session,
    store: &Store,
    plan: &BehaviourPlan,
    level: f64,
) -> anyhow::Result<Exit> {
    let n_turns = plan.turns().len() as u64;
    let mut lines = vec![format!(
        "plan: {} of suite {}, {} for each of {}",
        count(plan.instances.len() as u64, "task"),
        plan.suite_name(),
        count(n_turns, "answer"),
        count(plan.models.len() as u64, "model")
    )];
    for (instance, tokens) in plan.instances.iter().zip(&plan.prompt_tokens) {
        lines.push(format!(
            "  {}: {tokens} tokens, at most {} of answer",
            instance.id, instance.max_tokens
        ));
    }
    let mut n_to_ask = 0;
    for model in 0..plan.models.len() {
        n_to_ask += StoredAttempts { store, plan }.to_ask(model)?.len() as u64;
    }
    lines.push(format!("  {} to ask", count(n_to_ask, "answer")));
    lines.extend(finding_lines(&can_tell(plan, level)));
    lines.extend(finding_lines(&plan.findings));
    lines.push(String::new());
    session.ui.data(lines.join("\n").as_bytes())?;
    Ok(Exit::Ok)
}
