//! Makes the plan of a behaviour run: opens and hashes files, asks servers what they have, draws the tasks
//! (in a worker, where a file's vocabulary counts), checks that each fits the context.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::model_records::{check_shapes, describe_models, same_contents};
use super::plan_served::ask_servers;
use super::stored_attempts::StoredAttempts;
use super::survey::{check_gpu, survey};
use super::{Session, code_sandbox};
use crate::chat::template_source;
use crate::clock;
use crate::digest::sha256_hex;
use crate::generation::{Sampling, Terms};
use crate::instrument::behaviour::draw::suite;
use crate::machine;
use crate::memory::trained_length;
use crate::model::{ModelFile, Stamps, served_names, short_names};
use crate::plan::{BehaviourPlan, RunPlan};
use crate::record::{EngineRecord, Finding, Lineage, ModelRecord, ModelRole, Severity};
use crate::settings::{
    BehaviourSettings, ModelName, QUICK_REPEATS, RulerSpec, SamplingChoice, SuiteName,
};
use crate::store::Store;
use crate::task::score::Means;
use crate::task::{Instance, check_solvable};
use crate::units::count;
use crate::worker::{DrawJob, DrawReply, Job, Message, Supervisor, SurveyJob, WorkerError};

/// The context of the experiment that the quick suite comes from.
const MOST_CTX: u32 = 32_768;
/// Fewer tokens are no answer.
const LEAST_ANSWER: u64 = 16;

/// The files of a run that has other parts.
pub(super) struct RunFiles<'a> {
    /// All of them; empty where there is no other part.
    pub(super) paths: &'a [PathBuf],
    /// What the user said of one.
    pub(super) said: &'a dyn Fn(&Path) -> (ModelRole, Vec<Lineage>),
    /// Only the plan is wanted, so that no model may be asked anything.
    pub(super) is_dry: bool,
}

/// Opens every file and draws every task, so that bad input is found before anything is asked.
/// `run`: the other files of the run, so that all its parts know a model by one short name, and what
/// the user said each is.
pub(super) fn plan_behaviour(
    session: &Session,
    store: &Store,
    settings: &BehaviourSettings,
    run: &RunFiles<'_>,
) -> anyhow::Result<(BehaviourPlan, Stamps)> {
    // A user's own files are read here first: their faults are told without a worker around them.
    suite(&settings.suite)?;
    let paths: Vec<PathBuf> =
        settings.models.iter().filter_map(|model| model.file().cloned()).collect();
    let files = paths.iter().map(|path| ModelFile::open(path)).collect::<Result<Vec<_>, _>>()?;
    let stamps = Stamps::of(files.iter().flat_map(|file| file.gguf.parts()).map(PathBuf::as_path));
    let names = names(&paths, run.paths);
    check_shapes(&names, &files)?;
    let n_ctx = n_ctx(settings, &files);
    let mut findings = Vec::new();
    let (engine, devices) = engine(session, settings, &files)?;
    let seed = settings.suite.seed as u32;
    let sampling = match settings.sampling {
        SamplingChoice::Greedy => Sampling::Greedy,
        SamplingChoice::Recommended => Sampling::Recommended { seed },
        SamplingChoice::Given(values) => Sampling::Values { values, seed },
    };
    let terms = Terms { n_ctx, thinking: settings.thinking.clone(), sampling };
    let said = ask_servers(settings, (!run.is_dry).then_some(&terms))?;
    let drawn = match (paths.first(), said.drawn) {
        (Some(vocabulary), _) => draw(session, settings, vocabulary)?,
        (None, Some(drawn)) => {
            findings.push(drawn.counting);
            let (instances, prompt_tokens) = drawn.instances.into_iter().unzip();
            DrawReply { instances, prompt_tokens }
        }
        (None, None) => bail!("there is no model to draw tasks for"),
    };
    let (instances, prompt_tokens) = fit(drawn, n_ctx, &mut findings)?;
    if settings.suite.folder.is_some() {
        let sandbox = code_sandbox(&session.environment);
        check_solvable(&instances, Means { sandbox: &sandbox })?;
    }
    let mut described =
        describe_models(session, store, (&names, &files), |_, path| (run.said)(path))?.into_iter();
    let on_servers = settings.models.iter().filter(|model| model.file().is_none());
    let on_servers: Vec<ModelName> = on_servers.cloned().collect();
    let mut short = served_names(&on_servers, &names).into_iter();
    let mut models = Vec::new();
    for (model, bytes) in settings.models.iter().zip(said.bytes) {
        models.push(match model {
            ModelName::File(_) => described.next().context("every file is described")?,
            server => {
                let name = short.next().context("every model on a server has a name")?;
                ModelRecord { bytes: bytes.unwrap_or_default(), ..served(server, &name) }
            }
        });
    }
    findings.extend(said.findings);
    findings.extend(template_findings(&names, &files));
    findings.extend(same_contents(&models));
    if settings.sampling == SamplingChoice::Recommended {
        findings.extend(recommended(&models)?);
    }
    if !paths.is_empty() && paths.len() < settings.models.len() {
        findings.push(Finding {
            severity: Severity::Warning,
            message: "models on the embedded engine and on servers are asked in one run: engine, \
                      template rendering and context differ as well as the builds"
                .to_owned(),
        });
    }
    let servers = |model: &ModelName| model.file().is_none().then(|| model.to_string());
    let is_quick = settings.suite.name == SuiteName::Quick && settings.suite.folder.is_none();
    let mut plan = BehaviourPlan {
        models,
        servers: settings.models.iter().map(servers).collect(),
        served: said.identities,
        suite: settings.suite.clone(),
        instances,
        prompt_tokens,
        terms,
        budgets: settings.budgets.clone(),
        repeats: settings.repeats.unwrap_or(if is_quick { QUICK_REPEATS } else { 1 }),
        n_threads: settings.n_threads,
        gpu_layers: settings.gpu_layers,
        series: store.new_run_id(&clock::now())?,
        findings,
        machine: machine::describe(devices),
        engine,
    };
    let is_served = plan.servers.iter().any(Option::is_some);
    if is_served
        && !settings.fresh
        && let Some(earlier) = unfinished(store, &plan)?
    {
        plan.series = earlier.series;
        for (model, earlier) in plan.models.iter_mut().zip(earlier.models) {
            model.served = earlier.served;
        }
    }
    Ok((plan, stamps))
}

/// Short names of `paths`, as among all files of the run.
fn names(paths: &[PathBuf], of_run: &[PathBuf]) -> Vec<String> {
    let mut all = of_run.to_vec();
    all.extend(paths.iter().filter(|path| !of_run.contains(path)).cloned());
    let short = short_names(&all);
    let name = |path: &PathBuf| {
        let index = all.iter().position(|known| known == path).unwrap_or_default();
        short[index].clone()
    };
    paths.iter().map(name).collect()
}

/// What was asked for, else the smallest context that a file was trained for.
fn n_ctx(settings: &BehaviourSettings, files: &[ModelFile]) -> u32 {
    let trained = |file: &ModelFile| {
        u32::try_from(trained_length(file.gguf.metadata(), &file.architecture)?).ok()
    };
    let least = files.iter().filter_map(trained).min().unwrap_or(MOST_CTX);
    settings.n_ctx.unwrap_or(least.min(MOST_CTX))
}

/// The engine, whoever runs the models, and the devices it sees.
fn engine(
    session: &Session,
    settings: &BehaviourSettings,
    files: &[ModelFile],
) -> anyhow::Result<(EngineRecord, Vec<String>)> {
    let Some(first) = files.first() else {
        return Ok((engine_of_servers(), Vec::new()));
    };
    let job = SurveyJob {
        model: first.path.clone(),
        texts: Vec::new(),
        ruler: RulerSpec::default(),
        most_windows: None,
    };
    let reply = survey(session, settings.worker_timeout, job)?;
    check_gpu(settings.gpu_layers, &reply)?;
    Ok((reply.engine, reply.devices))
}

/// The engine of a run in which only servers answer.
pub(super) fn engine_of_servers() -> EngineRecord {
    EngineRecord {
        crate_version: "servers".to_owned(),
        tree_sha256: String::new(),
        system_info: "each server's own; see the findings".to_owned(),
    }
}

fn draw(
    session: &Session,
    settings: &BehaviourSettings,
    vocabulary: &Path,
) -> anyhow::Result<DrawReply> {
    let supervisor = Supervisor {
        program: session.environment.program.clone(),
        silence: settings.worker_timeout,
    };
    let job =
        Job::Draw(DrawJob { vocabulary: vocabulary.to_owned(), suite: settings.suite.clone() });
    let mut drawn = None;
    let outcome = supervisor.run(&job, |message| {
        if let Message::Drawn(reply) = message {
            drawn = Some(reply);
        }
        Ok::<(), anyhow::Error>(())
    });
    match outcome {
        Ok(_) => drawn.context("the worker gave no answer"),
        Err(WorkerError::Failed(failure)) => bail!("{failure}"),
        Err(error) => Err(error.into()),
    }
}

/// Leaves out tasks that the context has no room for, and shortens answers to what is left of it: for
/// every build alike, and said. Refuses where nothing is left.
fn fit(
    drawn: DrawReply,
    n_ctx: u32,
    findings: &mut Vec<Finding>,
) -> anyhow::Result<(Vec<Instance>, Vec<u64>)> {
    let (mut kept, mut left_out, mut n_shortened) = (Vec::new(), Vec::new(), 0);
    for (mut instance, tokens) in drawn.instances.into_iter().zip(drawn.prompt_tokens) {
        let left = u64::from(n_ctx).saturating_sub(tokens);
        if left < LEAST_ANSWER {
            left_out.push(format!("{} (about {tokens} tokens)", instance.id));
            continue;
        }
        if u64::from(instance.max_tokens) > left {
            instance.max_tokens = left as u32;
            n_shortened += 1;
        }
        kept.push((instance, tokens));
    }
    if kept.is_empty() {
        bail!(
            "the context of {n_ctx} tokens has no room for {}; give a larger --task-ctx or a shorter \
             --log-tokens",
            left_out.join(", ")
        );
    }
    if !left_out.is_empty() {
        findings.push(Finding {
            severity: Severity::Warning,
            message: format!(
                "not asked, because the context of {n_ctx} tokens has no room for it: {}; --log-tokens \
                 makes logs shorter, --task-ctx the context larger",
                left_out.join(", ")
            ),
        });
    }
    if n_shortened > 0 {
        findings.push(note(&format!(
            "the context of {n_ctx} tokens leaves {} less room for the answer than the task allows; \
             every build has the same",
            count(n_shortened, "task")
        )));
    }
    Ok(kept.into_iter().unzip())
}

fn note(message: &str) -> Finding {
    Finding { severity: Severity::Note, message: message.to_owned() }
}

/// A model of which only the name is known: where it is, and what the run calls it.
pub(super) fn served(model: &ModelName, name: &str) -> ModelRecord {
    ModelRecord {
        name: name.to_owned(),
        role: ModelRole::Candidate,
        path: model.to_string(),
        sha256: String::new(),
        bytes: 0,
        architecture: String::new(),
        tensor_types: BTreeMap::new(),
        bits_per_weight: 0.0,
        proxy_reference: false,
        lineage: Vec::new(),
        template_sha256: None,
        served: None,
        recommended_sampling: None,
    }
}

/// With which sampling each build answers where that is what is recommended for it. Refuses files that
/// recommend none.
fn recommended(models: &[ModelRecord]) -> anyhow::Result<Vec<Finding>> {
    let told = models.iter().map(|model| {
        let name = &model.name;
        Ok(note(&match &model.recommended_sampling {
            Some(values) => format!("{name} is sampled as its file recommends: {values}"),
            None if model.sha256.is_empty() => {
                format!("{name} is sampled with its server's own values")
            }
            None => bail!(
                "`{}` recommends no sampling (metadata keys general.sampling.*); ask for --sampling \
                 greedy, or give --temperature, --top-k, --top-p or --min-p",
                model.path
            ),
        }))
    });
    told.collect()
}

/// That files have different chat templates, which changes the question and not only the answer.
fn template_findings(names: &[String], files: &[ModelFile]) -> Option<Finding> {
    let hash = |file: &ModelFile| template_source(file.gguf.metadata(), false).map(sha256_hex);
    let first = hash(files.first()?);
    let others: Vec<&str> = names
        .iter()
        .zip(files)
        .filter(|(_, file)| hash(file) != first)
        .map(|(name, _)| name.as_str())
        .collect();
    (!others.is_empty()).then(|| Finding {
        severity: Severity::Warning,
        message: format!(
            "{} and {} have different chat templates, and each is asked in its own: a difference may be \
             the template's",
            names[0],
            others.join(", ")
        ),
    })
}

/// The plan of the last run of the same fingerprint, where it was not finished, or its answers were
/// judged by other scorers.
fn unfinished(store: &Store, plan: &BehaviourPlan) -> anyhow::Result<Option<BehaviourPlan>> {
    let fingerprint = plan.fingerprint();
    for summary in store.runs()? {
        let earlier = store.run(&summary.header.id)?.plan;
        // A plan of another version of karat has nothing to go on with.
        let Ok(RunPlan { behaviour: Some(earlier), .. }) = serde_json::from_value(earlier) else {
            continue;
        };
        if earlier.fingerprint() == fingerprint {
            let gone_on = BehaviourPlan { series: earlier.series.clone(), ..plan.clone() };
            let is_complete = StoredAttempts { store, plan: &gone_on }.is_complete()?;
            return Ok((!is_complete).then_some(earlier));
        }
    }
    Ok(None)
}
