//! `karat probe`: plan, time what is missing, report.

use std::time::Duration;

use anyhow::bail;

use super::finding_lines::finding_lines;
use super::measure::{Measurements, Telling, measure};
use super::plan_control::plan_control;
use super::plan_speed::plan_speed;
use super::{Session, block_series};
use crate::cli::{ProbeArgs, ProbeSettings};
use crate::exit::Exit;
use crate::machine;
use crate::plan::{BlockPlan as _, ControlPlan, SpeedPlan, expect_speed};
use crate::store::Store;
use crate::units::{Span, count};

pub(super) fn run(session: &Session, args: &ProbeArgs) -> anyhow::Result<Exit> {
    let settings = args.settings(default_threads(session))?;
    let store = Store::open(&session.environment.home)?;
    let telling = Telling { seed: args.seed, level: args.level, format: args.format, html: None };
    let work = match settings {
        ProbeSettings::Files(settings) => {
            let (plan, stamps) = plan_speed(session, &store, &settings)?;
            if args.dry_run {
                return dry_run(session, &store, &plan);
            }
            let speed = Some((plan, stamps, settings.worker_timeout));
            Measurements { speed, ..Measurements::default() }
        }
        ProbeSettings::Servers(settings) => {
            let (plan, absent) = plan_control(&store, &settings)?;
            if args.dry_run {
                for said in &absent {
                    session.ui.warn(said);
                }
                return dry_run_of_servers(session, &store, &plan);
            }
            if let Some(said) = absent.into_iter().next() {
                bail!("{said}");
            }
            let control = Some((plan, settings.answer_timeout));
            Measurements { control, ..Measurements::default() }
        }
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
    let n_missing = block_series::n_missing(store, plan)?;
    let tests: Vec<String> = plan.tests.iter().map(crate::plan::SpeedTest::title).collect();
    let names = plan.labels();
    let n_turns = plan.turns().len();
    let passes = match plan.ruler.reps {
        1 => "1 pass".to_owned(),
        n => format!("{n} passes"),
    };
    let mut lines = vec![
        "plan".to_owned(),
        format!(
            "  {}, each with a process for {}",
            count(u64::from(plan.blocks), "block"),
            names.join(", ")
        ),
        format!("  timed: {}; {passes} each", tests.join(", ")),
        format!("  {}; {n_missing} to make", count(n_turns as u64, "measurement")),
        format!(
            "  {}, KV cache {}",
            count(u64::from(plan.ruler.n_threads), "thread"),
            plan.ruler.kv
        ),
    ];
    let per_block = match block_series::seconds_per_block(store, plan)? {
        Some(seconds) => (seconds, "from earlier measurements"),
        None => (expect_speed(plan), "a guess, nothing of this was measured here yet"),
    };
    let left = per_block.0 * n_missing as f64 / names.len() as f64;
    let time = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
    lines.push(format!("  expected time    {} ({})", Span(time), per_block.1));
    lines.extend(finding_lines(&plan.findings));
    lines.push(String::new());
    session.ui.data(lines.join("\n").as_bytes())?;
    Ok(Exit::Ok)
}

/// The same of servers, which are not asked.
fn dry_run_of_servers(
    session: &Session,
    store: &Store,
    plan: &ControlPlan,
) -> anyhow::Result<Exit> {
    let n_missing = block_series::n_missing(store, plan)?;
    let names = plan.labels();
    let blocks = count(u64::from(plan.blocks), "block");
    let (most, n_ctx) = (plan.max_tokens, plan.n_ctx);
    let [most, n_ctx] = [most, n_ctx].map(|n| count(u64::from(n), "token"));
    let expected = match block_series::seconds_per_block(store, plan)? {
        Some(seconds) => {
            let left = seconds * n_missing as f64 / names.len() as f64;
            let time = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
            format!("{} (from earlier answers)", Span(time))
        }
        None => "unknown, nothing of this was asked yet".to_owned(),
    };
    let loaded = if plan.loads_afresh { ", each freshly loaded" } else { "" };
    let lines = [
        "plan".to_owned(),
        format!("  {blocks}, each with an answer of {}{loaded}", names.join(", ")),
        format!("  asked: {}; at most {most} each", plan.prompt.name),
        format!("  {}; {n_missing} to ask for", count(plan.turns().len() as u64, "answer")),
        format!("  context of {n_ctx}"),
        format!("  expected time    {expected}\n"),
    ];
    session.ui.data(lines.join("\n").as_bytes())?;
    Ok(Exit::Ok)
}
