//! `karat compare`: every instrument there is, in one run and one report.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use super::backends::Patient;
use super::measure::{Measurements, Telling, measure};
use super::plan_behaviour::{RunFiles, plan_behaviour};
use super::plan_fidelity::plan_fidelity;
use super::plan_memory::plan_memory;
use super::plan_speed::plan_speed;
use super::{Session, bench, build, fidelity, memory, probe, report};
use crate::chat::template_source;
use crate::cli::{CompareArgs, InstrumentArg, TaskArgs};
use crate::exit::Exit;
use crate::model::ModelFile;
use crate::plan::FitAsk;
use crate::record::{Lineage, Margins, ModelRole};
use crate::settings::{
    BehaviourSettings, DEFAULT_REPS, FEWEST_BLOCKS, FidelitySettings, MemorySettings, ModelName,
    SpeedSettings, is_same_path,
};
use crate::store::Store;
use crate::worker::{Job, TwinJob};

/// The longest that one answer may take; nobody waits for a server here.
const ANSWER_TIMEOUT: Duration = Duration::from_hours(1);

pub(super) fn run(session: &Session, args: &CompareArgs) -> anyhow::Result<Exit> {
    let mut settings = args.fidelity.settings(session.environment.n_threads)?;
    if let Some(path) = &args.html {
        report::check_target(path)?;
    }
    if args.make_twin && !args.fidelity.how.dry_run {
        match make_twin(session, &settings)? {
            Ok(twin) => {
                settings.candidates.push(twin.clone());
                settings.twin = Some(twin);
                settings = settings.checked()?;
            }
            Err(exit) => return Ok(exit),
        }
    }
    let store = Store::open(&session.environment.home)?;
    let asked = |instrument| args.instruments.contains(&instrument);
    let mut work = Measurements {
        fits: args.vram.map(|vram| FitAsk { vram, n_ctx: Some(args.ctx_memory) }),
        margins: args.fidelity.margins.put(args.task_margin.put(Margins::default())),
        ..Measurements::default()
    };
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
    if asked(InstrumentArg::Behaviour) {
        plan_tasks(session, &store, (&settings, &args.tasks), &mut work)?;
    }
    if args.fidelity.how.dry_run {
        return dry_run(session, &store, &work, settings.level);
    }
    let telling = Telling {
        seed: settings.seed,
        level: settings.level,
        format: args.fidelity.how.format,
        html: args.html.as_deref(),
    };
    measure(session, store, work, &telling)
}

/// Makes the matched control of the QAT file in karat's home; the inner error is how making it ended.
fn make_twin(
    session: &Session,
    settings: &FidelitySettings,
) -> anyhow::Result<Result<PathBuf, Exit>> {
    let like = settings.qat.clone().context("--make-twin needs --qat FILE")?;
    let folder = session.environment.home.join("twins");
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create folder `{}`", folder.display()))?;
    let stem = like.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let output = folder.join(format!("{stem}-twin.gguf"));
    let job = TwinJob {
        like,
        original: settings.references[0].clone(),
        output: output.clone(),
        imatrix: None,
        overwrite: true,
        n_threads: settings.n_threads,
    };
    let exit = build::build(session, &Job::Twin(job), &output, settings.worker_timeout)?;
    Ok(if exit == Exit::Ok { Ok(output) } else { Err(exit) })
}

/// Adds the tasks, unless a model was not made for conversations.
fn plan_tasks(
    session: &Session,
    store: &Store,
    (settings, tasks): (&FidelitySettings, &TaskArgs),
    work: &mut Measurements,
) -> anyhow::Result<()> {
    // The second reference, a checkpoint before rounding, is nobody's to serve.
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in settings.references.iter().take(1).chain(&settings.candidates) {
        if !paths.iter().any(|known| is_same_path(known, path)) {
            paths.push(path.clone());
        }
    }
    for path in &paths {
        if template_source(ModelFile::open(path)?.gguf.metadata(), false).is_none() {
            session.ui.note(&format!(
                "no tasks are asked: `{}` has no chat template, so it was not made for conversations",
                path.display()
            ));
            return Ok(());
        }
    }
    let behaviour = behaviour_settings(settings, tasks, &paths).checked()?;
    let said = |path: &Path| said(settings, path);
    let of_run = models(settings);
    let files = RunFiles { paths: &of_run, said: &said, is_dry: false };
    let (plan, stamps) = plan_behaviour(session, store, &behaviour, &files)?;
    let patient =
        Patient { worker_timeout: settings.worker_timeout, answer_timeout: ANSWER_TIMEOUT };
    work.behaviour = Some((plan, stamps, patient));
    Ok(())
}

/// What the user said a file is.
pub(super) fn said(settings: &FidelitySettings, path: &Path) -> (ModelRole, Vec<Lineage>) {
    let is = |given: &Option<PathBuf>| given.as_ref().is_some_and(|it| is_same_path(it, path));
    let role = if settings.references.iter().any(|reference| is_same_path(reference, path)) {
        ModelRole::Reference
    } else {
        ModelRole::Candidate
    };
    let lineage = [
        (&settings.qat, Lineage::Qat),
        (&settings.twin, Lineage::Twin),
        (&settings.naive, Lineage::Naive),
    ];
    let lineage = lineage.into_iter().filter(|(given, _)| is(given)).map(|(_, kind)| kind);
    (role, lineage.collect())
}

fn dry_run(
    session: &Session,
    store: &Store,
    work: &Measurements,
    level: f64,
) -> anyhow::Result<Exit> {
    if let Some((plan, _, settings)) = &work.fidelity {
        fidelity::dry_run(session, store, plan, settings.memory_budget)?;
    }
    if let Some((plan, ..)) = &work.memory {
        memory::dry_run(session, store, plan)?;
    }
    if let Some((plan, ..)) = &work.speed {
        probe::dry_run(session, store, plan)?;
    }
    if let Some((plan, ..)) = &work.behaviour {
        bench::dry_run(session, store, plan, level)?;
    }
    Ok(Exit::Ok)
}

/// Every model of the fidelity part, in its order: so all parts know them by the same short names.
pub(super) fn models(settings: &FidelitySettings) -> Vec<PathBuf> {
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

/// The tasks that `files` are asked.
pub(super) fn behaviour_settings(
    settings: &FidelitySettings,
    tasks: &TaskArgs,
    files: &[PathBuf],
) -> BehaviourSettings {
    BehaviourSettings {
        models: files.iter().cloned().map(ModelName::File).collect(),
        suite: tasks.suite(settings.seed),
        repeats: tasks.repeats,
        n_ctx: tasks.task_ctx,
        thinking: tasks.thinking.clone(),
        budgets: tasks.thinking_budget.clone(),
        sampling: tasks.sampling(),
        n_threads: settings.n_threads,
        gpu_layers: settings.ruler.gpu_layers,
        worker_timeout: settings.worker_timeout,
        answer_timeout: ANSWER_TIMEOUT,
        fresh: false,
        level: settings.level,
    }
}
