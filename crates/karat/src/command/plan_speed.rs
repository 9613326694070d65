//! Makes the plan of a speed run: opens and hashes the files, reads what one token moves from their
//! headers, and asks a worker who the engine is. Nothing is measured.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::model_records::{check_shapes, describe_models, same_contents, twin_finding};
use super::plan_fidelity::read_texts;
use super::survey::{check_gpu, survey};
use super::{Session, block_series};
use crate::clock;
use crate::instrument::speed::traffic::{kv_traffic, main_type, weight_bytes_per_token};
use crate::machine;
use crate::memory::trained_length;
use crate::model::{ModelFile, Stamps, check_same_model, short_names};
use crate::plan::{SpeedAnatomy, SpeedPlan, SpeedRuler, SpeedTest, TestKind};
use crate::record::{Finding, Lineage, MachineRecord, ModelRole, Severity};
use crate::settings::{RulerSpec, SpeedSettings, is_same_path};
use crate::store::Store;
use crate::units::{Bytes, count};
use crate::worker::SurveyJob;

/// Batch sizes of llama-bench and of llama.cpp's runners.
const N_BATCH: u32 = 2048;
const N_UBATCH: u32 = 512;
/// A shorter text would be little but its own repetition.
const FEWEST_PROMPT_TOKENS: u64 = 32;

/// Opens every file, so that bad input is found before anything is measured.
pub(super) fn plan_speed(
    session: &Session,
    store: &Store,
    settings: &SpeedSettings,
) -> anyhow::Result<(SpeedPlan, Stamps)> {
    let names = short_names(&settings.models);
    let open = |path: &PathBuf| ModelFile::open(path);
    let files = settings.models.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    check_shapes(&names, &files)?;
    let tests = tests(settings);
    for (name, file) in names.iter().zip(&files) {
        check_context(name, file, &tests)?;
    }
    let anatomy: Vec<SpeedAnatomy> =
        files.iter().map(|file| describe_anatomy(file, settings)).collect();
    let texts: Vec<PathBuf> = settings.prompt.iter().cloned().collect();
    let mut prompts = read_texts(&texts, false)?;
    let job = SurveyJob {
        model: files[0].path.clone(),
        texts,
        ruler: RulerSpec::default(),
        most_windows: None,
    };
    let reply = survey(session, settings.worker_timeout, job)?;
    check_gpu(settings.gpu_layers, &reply)?;
    for (prompt, known) in prompts.iter_mut().zip(&reply.texts) {
        let tokens = known.tokens;
        if tokens < FEWEST_PROMPT_TOKENS {
            bail!(
                "--prompt `{}` has {}; give a text of at least {FEWEST_PROMPT_TOKENS}",
                prompt.path,
                count(tokens, "token")
            );
        }
        prompt.tokens = tokens;
    }
    let machine = machine::describe(reply.devices);
    for ((name, file), anatomy) in names.iter().zip(&files).zip(&anatomy) {
        check_memory(name, file, (anatomy, &tests), (settings, &machine))?;
    }
    let inputs = files.iter().flat_map(|file| file.gguf.parts()).chain(&settings.prompt);
    let stamps = Stamps::of(inputs.map(PathBuf::as_path));
    let models = describe_models(session, store, (&names, &files), |_, path| {
        (ModelRole::Candidate, lineage(settings, path))
    })?;
    let mut findings = twin_findings((&names, &files), settings)?;
    findings.extend(twin_finding(&models, &files));
    findings.extend(same_contents(&models));
    findings
        .extend(names.iter().zip(&anatomy).flat_map(|(name, anatomy)| uncounted(name, anatomy)));
    let mut plan = SpeedPlan {
        models,
        anatomy,
        tests,
        ruler: SpeedRuler {
            kv: settings.kv,
            gpu_layers: settings.gpu_layers,
            n_threads: settings.n_threads,
            n_batch: N_BATCH,
            n_ubatch: N_UBATCH,
            reps: settings.reps,
        },
        prompt: prompts.pop(),
        blocks: settings.blocks,
        seed: settings.seed,
        series: store.new_run_id(&clock::now())?,
        last_level_cache: machine::last_level_cache(),
        findings,
        machine,
        engine: reply.engine,
    };
    if !settings.fresh
        && let Some(series) = block_series::unfinished(store, &plan)?
    {
        plan.series = series;
    }
    Ok((plan, stamps))
}

/// Every length at every depth; prompts first, as the field prints them.
fn tests(settings: &SpeedSettings) -> Vec<SpeedTest> {
    let all = |kind, lengths: &[u32]| -> Vec<SpeedTest> {
        let lengths = lengths.iter().flat_map(|&n_tokens| {
            settings.depths.iter().map(move |&depth| SpeedTest { kind, n_tokens, depth })
        });
        lengths.collect()
    };
    [all(TestKind::Pp, &settings.pp), all(TestKind::Tg, &settings.tg)].concat()
}

/// Beyond the context a model was made for the engine computes something, but nobody would run it.
fn check_context(name: &str, file: &ModelFile, tests: &[SpeedTest]) -> anyhow::Result<()> {
    let most = trained_length(file.gguf.metadata(), &file.architecture);
    let Some(most) = most else { return Ok(()) };
    if let Some(test) = tests.iter().find(|test| test.n_ctx() > most) {
        bail!(
            "{} needs {} tokens of context, {name} was made for {most}; give a smaller --depth, --pp \
             or --tg",
            test.title(),
            test.n_ctx()
        );
    }
    Ok(())
}

/// Refuses what would make the machine swap: weights and the longest KV cache in more memory than
/// there is. Where layers are on a GPU the driver decides.
fn check_memory(
    name: &str,
    file: &ModelFile,
    (anatomy, tests): (&SpeedAnatomy, &[SpeedTest]),
    (settings, machine): (&SpeedSettings, &MachineRecord),
) -> anyhow::Result<()> {
    let tensors = file.gguf.tensors().iter();
    let weights = tensors.fold(0_u64, |sum, tensor| sum.saturating_add(tensor.bytes));
    let n_ctx = tests.iter().map(SpeedTest::n_ctx).max().unwrap_or(0);
    let cached = |layers: &crate::plan::KvLayers| {
        let positions = n_ctx.min(layers.window.unwrap_or(u64::MAX));
        layers.bytes_per_position.saturating_mul(positions)
    };
    let kv = anatomy
        .kv
        .as_ref()
        .map_or(0, |kv| kv.0.iter().fold(0_u64, |sum, layers| sum.saturating_add(cached(layers))));
    let (need, have) = (weights.saturating_add(kv), machine.memory_bytes);
    if settings.gpu_layers == Some(0) && have > 0 && need > have {
        bail!(
            "{name} needs {} ({} of weights, {} of KV cache at {n_ctx} tokens), this machine has {}; \
             give a smaller --depth or a smaller build",
            Bytes(need),
            Bytes(weights),
            Bytes(kv),
            Bytes(have)
        );
    }
    Ok(())
}

fn describe_anatomy(file: &ModelFile, settings: &SpeedSettings) -> SpeedAnatomy {
    let header = file.gguf.header();
    SpeedAnatomy {
        weight_bytes: weight_bytes_per_token(header),
        kv: kv_traffic(header, settings.kv),
        main_type: main_type(header),
        n_params: file.n_params(),
    }
}

/// What the user said a model is.
fn lineage(settings: &SpeedSettings, path: &Path) -> Vec<Lineage> {
    let said = [(&settings.qat, Lineage::Qat), (&settings.twin, Lineage::Twin)];
    let is_it = |given: &Option<PathBuf>| given.as_deref().is_some_and(|g| is_same_path(g, path));
    said.into_iter().filter(|(given, _)| is_it(given)).map(|(_, lineage)| lineage).collect()
}

/// A twin has to be a build of the same model.
fn twin_findings(
    (names, files): (&[String], &[ModelFile]),
    settings: &SpeedSettings,
) -> anyhow::Result<Vec<Finding>> {
    let of = |given: &Option<PathBuf>| {
        let given = given.as_deref()?;
        files.iter().position(|file| is_same_path(&file.path, given))
    };
    let Some((qat, twin)) = of(&settings.qat).zip(of(&settings.twin)) else {
        return Ok(Vec::new());
    };
    Ok(check_same_model((&names[qat], &files[qat]), (&names[twin], &files[twin]))?)
}

/// What a header does not tell about the work of a token.
fn uncounted(name: &str, anatomy: &SpeedAnatomy) -> Vec<Finding> {
    let note = |message| Finding { severity: Severity::Note, message };
    let weights = anatomy.weight_bytes.is_none().then(|| {
        note(format!(
            "{name}: its header does not say how many of its experts a token uses, so the bytes of \
             weights a token reads are not counted"
        ))
    });
    let kv = anatomy.kv.is_none().then(|| {
        note(format!(
            "{name}: its header does not say how its layers cache, so the bytes of KV cache a token \
             reads are not counted"
        ))
    });
    weights.into_iter().chain(kv).collect()
}
