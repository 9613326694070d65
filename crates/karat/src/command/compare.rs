//! `karat compare`: every instrument there is, in one run and one report.

use std::path::PathBuf;

use super::measure::{Measurements, Telling, measure};
use super::plan_fidelity::plan_fidelity;
use super::plan_memory::plan_memory;
use super::plan_speed::plan_speed;
use super::{Session, fidelity, memory, probe, report};
use crate::cli::{CompareArgs, InstrumentArg};
use crate::exit::Exit;
use crate::settings::{
    DEFAULT_REPS, FEWEST_BLOCKS, FidelitySettings, MemorySettings, SpeedSettings,
};
use crate::store::Store;

pub(super) fn run(session: &Session, args: &CompareArgs) -> anyhow::Result<Exit> {
    let settings = args.fidelity.settings(session.environment.n_threads)?;
    if let Some(path) = &args.html {
        report::check_target(path)?;
    }
    let store = Store::open(&session.environment.home)?;
    let asked = |instrument| args.instruments.contains(&instrument);
    let mut work = Measurements::default();
    if asked(InstrumentArg::Fidelity) {
        let (plan, stamps) = plan_fidelity(session, &store, &settings)?;
        work.fidelity = Some((plan, stamps, settings.clone()));
    }
    if asked(InstrumentArg::Memory) {
        let (plan, stamps) =
            plan_memory(session, &store, &memory_settings(&settings, args.ctx_memory))?;
        work.memory = Some((plan, stamps, settings.worker_timeout));
    }
    if asked(InstrumentArg::Speed) {
        let n_threads = args.fidelity.how.threads.unwrap_or(probe::default_threads(session));
        let speed = speed_settings(&settings, n_threads).checked()?;
        let (plan, stamps) = plan_speed(session, &store, &speed)?;
        work.speed = Some((plan, stamps, settings.worker_timeout));
    }
    if args.fidelity.how.dry_run {
        return dry_run(session, &store, &work);
    }
    let telling = Telling {
        seed: settings.seed,
        level: settings.level,
        format: args.fidelity.how.format,
        html: args.html.as_deref(),
    };
    measure(session, store, work, &telling)
}

fn dry_run(session: &Session, store: &Store, work: &Measurements) -> anyhow::Result<Exit> {
    if let Some((plan, ..)) = &work.fidelity {
        fidelity::dry_run(session, store, plan)?;
    }
    if let Some((plan, ..)) = &work.memory {
        memory::dry_run(session, store, plan)?;
    }
    if let Some((plan, ..)) = &work.speed {
        probe::dry_run(session, store, plan)?;
    }
    Ok(Exit::Ok)
}

/// Every model of the fidelity part, in its order: so all parts know them by the same short names.
fn models(settings: &FidelitySettings) -> Vec<PathBuf> {
    settings.references.iter().chain(&settings.candidates).cloned().collect()
}

/// What the models take with each KV type, as the fidelity part runs them.
pub(super) fn memory_settings(settings: &FidelitySettings, n_ctx: u32) -> MemorySettings {
    MemorySettings {
        models: models(settings),
        n_ctx: vec![n_ctx],
        kv: settings.kv.clone(),
        n_ubatch: settings.ruler.n_ubatch,
        gpu_layers: settings.ruler.gpu_layers,
        predict_only: false,
        n_threads: settings.n_threads,
        worker_timeout: settings.worker_timeout,
    }
}

/// How fast the models are, as `karat probe` asks unless told otherwise.
pub(super) fn speed_settings(settings: &FidelitySettings, n_threads: u32) -> SpeedSettings {
    SpeedSettings {
        models: models(settings),
        pp: vec![512],
        tg: vec![128],
        depths: vec![0],
        prompt: None,
        reps: DEFAULT_REPS,
        blocks: FEWEST_BLOCKS,
        kv: settings.kv[0],
        gpu_layers: settings.ruler.gpu_layers,
        n_threads,
        worker_timeout: settings.worker_timeout,
        qat: settings.qat.clone(),
        // Without the file it controls for, a twin says nothing about speed.
        twin: settings.qat.as_ref().and(settings.twin.clone()),
        fresh: false,
        seed: settings.seed,
        level: settings.level,
    }
}
