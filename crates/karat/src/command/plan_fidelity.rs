//! Makes the plan of a fidelity run: opens and hashes the files, checks that they belong together,
//! and asks a worker how long the texts are. Nothing is measured.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::Session;
use super::model_records::{check_shapes, describe_models, same_contents, twin_finding};
use super::survey::{check_gpu, survey};
use crate::digest::sha256_hex;
use crate::machine;
use crate::memory::{
    Repack, Request, Shape, context_bytes, nameless_vocabulary_bytes, predict, trained_length,
    vocabulary_bytes,
};
use crate::model::{ModelFile, Stamps, check_same_model, check_utf8, short_names, text_names};
use crate::plan::{FidelityPlan, Member, MemberBytes, Until, least_memory};
use crate::record::{Finding, Lineage, ModelRecord, ModelRole, Severity, TextRecord};
use crate::settings::{FidelitySettings, SettingsError, is_same_path};
use crate::store::Store;
use crate::units::{Bytes, count};
use crate::worker::{SurveyJob, SurveyedText};

/// Opens every file, so that bad input is found before anything is measured.
pub(super) fn plan_fidelity(
    session: &Session,
    store: &Store,
    settings: &FidelitySettings,
) -> anyhow::Result<(FidelityPlan, Stamps)> {
    let paths: Vec<PathBuf> =
        settings.references.iter().chain(&settings.candidates).cloned().collect();
    let names = short_names(&paths);
    let files = paths.iter().map(|path| ModelFile::open(path)).collect::<Result<Vec<_>, _>>()?;
    let mut findings = Vec::new();
    for (name, file) in names.iter().zip(&files).skip(1) {
        findings.extend(check_same_model((&names[0], &files[0]), (name, file))?);
    }
    check_shapes(&names, &files)?;
    let parts = files.iter().flat_map(|file| file.gguf.parts());
    let stamps = Stamps::of(parts.chain(&settings.texts).map(PathBuf::as_path));
    let mut texts = read_texts(&settings.texts, settings.ruler.chat)?;
    check_distinct(&texts)?;
    set_languages(settings, &mut texts)?;
    let job = SurveyJob {
        model: files[0].path.clone(),
        texts: settings.texts.clone(),
        ruler: settings.ruler.clone(),
        most_windows: settings.chunks,
    };
    let reply = survey(session, settings.worker_timeout, job)?;
    check_gpu(settings.ruler.gpu_layers, &reply)?;
    findings.extend(context_finding(settings, &names[0], &files[0]));
    let models = describe_models(session, store, (&names, &files), |index, path| {
        if index < settings.references.len() {
            (ModelRole::Reference, Vec::new())
        } else {
            (ModelRole::Candidate, lineage(settings, path))
        }
    })?;
    findings.extend(models.iter().filter_map(proxy_finding));
    findings.extend(unassessable(settings, &models));
    findings.extend(twin_finding(&models, &files));
    findings.extend(same_contents(&models));
    let texts = count_windows(settings, texts, &reply.texts)?;
    let surveyed = || texts.iter().zip(&reply.texts);
    findings.extend(surveyed().flat_map(|(text, known)| text_findings(text, known)));
    let scored = |(text, known): (&TextRecord, &SurveyedText)| {
        known.scored.iter().take(text.windows as usize).map(|&n| u64::from(n)).sum()
    };
    let n_scored = surveyed().map(scored).collect();
    let mut plan = FidelityPlan {
        n_params: files.iter().map(ModelFile::n_params).collect(),
        n_vocab: files[0].n_vocab() as u64,
        member_bytes: Vec::new(),
        texts,
        n_scored,
        ruler: settings.ruler.clone(),
        kv: settings.kv.clone(),
        noise_floor: settings.noise_floor,
        worst: settings.worst,
        first_half: settings.first_half,
        until: settings.until_decided.then_some(Until {
            error: 1.0 - settings.level,
            margin: settings.margin,
            seed: settings.seed,
        }),
        n_threads: settings.n_threads,
        findings,
        machine: machine::describe(reply.devices),
        engine: reply.engine,
        throughput: None,
        models,
    };
    plan.member_bytes = plan.members().iter().map(|it| member_bytes(&plan, &files, it)).collect();
    check_budget(settings, &plan)?;
    Ok((plan, stamps))
}

/// Refuses a budget that no turns could keep: two models have to be there at once.
fn check_budget(settings: &FidelitySettings, plan: &FidelityPlan) -> anyhow::Result<()> {
    let Some(budget) = settings.memory_budget else { return Ok(()) };
    let Some((members, need)) = least_memory(plan) else { return Ok(()) };
    if need > budget {
        let all = plan.members();
        let names: Vec<String> = members.iter().map(|&member| plan.label(&all[member])).collect();
        bail!(
            "--memory-budget {}: {} need {} together, which no taking turns makes less; give more, or a \
             smaller --ctx",
            Bytes(budget),
            names.join(" and "),
            Bytes(need)
        );
    }
    Ok(())
}

/// The remark that nobody gave the checkpoint that a QAT file was converted from.
fn unassessable(settings: &FidelitySettings, models: &[ModelRecord]) -> Option<Finding> {
    let qat = models.iter().find(|model| model.lineage.contains(&Lineage::Qat))?;
    (settings.references.len() < 2).then(|| Finding {
        severity: Severity::Note,
        message: format!(
            "conversion not assessable: without the QAT checkpoint before rounding as a second \
             --reference, what of {}'s distance from the original is the training and what the \
             rounding cannot be told",
            qat.name
        ),
    })
}

/// The remark that a quantized file stands in for the original.
fn proxy_finding(reference: &ModelRecord) -> Option<Finding> {
    reference.proxy_reference.then(|| Finding {
        severity: Severity::Warning,
        message: format!(
            "{} is itself quantized ({:.2} bits per weight): a proxy reference. Distances are from \
             it, not from the original, and a build made like it looks closer than it is",
            reference.name, reference.bits_per_weight
        ),
    })
}

/// Name, path and hash of each text; token counts come later.
pub(super) fn read_texts(paths: &[PathBuf], chat: bool) -> anyhow::Result<Vec<TextRecord>> {
    let names = text_names(paths);
    let read = |(name, path): (String, &PathBuf)| {
        check_utf8(path)?;
        // A pipe would be read here once, and once more by every worker.
        if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            bail!("text `{}` is no regular file; save it to one first", path.display());
        }
        let bytes = std::fs::read(path)
            .with_context(|| format!("cannot read text `{}`", path.display()))?;
        if bytes.is_empty() {
            bail!("text `{}` is empty; give one that has something to read", path.display());
        }
        if let Err(error) = std::str::from_utf8(&bytes) {
            let at = error.valid_up_to();
            bail!("text `{}` is not UTF-8 at byte {at}; convert it first", path.display());
        }
        Ok(TextRecord {
            name,
            path: path.display().to_string(),
            chat,
            sha256: sha256_hex(&bytes),
            tokens: 0,
            windows: 0,
            stopped_early: false,
            language: None,
        })
    };
    names.into_iter().zip(paths).map(read).collect()
}

/// Refuses one text given twice: its windows would count as independent data.
fn check_distinct(texts: &[TextRecord]) -> anyhow::Result<()> {
    for (index, text) in texts.iter().enumerate() {
        if let Some(same) = texts[..index].iter().find(|other| other.sha256 == text.sha256) {
            bail!(
                "texts `{}` and `{}` are the same to the byte; give each text once",
                same.path,
                text.path
            );
        }
    }
    Ok(())
}

/// Gives the texts the languages that the user named.
fn set_languages(
    settings: &FidelitySettings,
    texts: &mut [TextRecord],
) -> Result<(), SettingsError> {
    for (wanted, language) in &settings.languages {
        let fail = |reason| SettingsError::Language { text: wanted.clone(), reason };
        let names: Vec<String> = texts.iter().map(|text| text.name.clone()).collect();
        let is_it = |(text, path): &(&mut TextRecord, &PathBuf)| {
            text.name == *wanted || is_same_path(path, Path::new(wanted))
        };
        let found = texts.iter_mut().zip(&settings.texts).find(is_it);
        let (text, _) = found.ok_or_else(|| {
            fail(format!("no text is called that; there are {}", names.join(", ")))
        })?;
        if text.language.replace(language.clone()).is_some() {
            return Err(fail("the text has a language already".to_owned()));
        }
    }
    Ok(())
}

fn count_windows(
    settings: &FidelitySettings,
    mut texts: Vec<TextRecord>,
    surveyed: &[SurveyedText],
) -> anyhow::Result<Vec<TextRecord>> {
    let n_ctx = u64::from(settings.ruler.n_ctx);
    for (text, SurveyedText { tokens, scored, .. }) in texts.iter_mut().zip(surveyed) {
        let (tokens, windows) = (*tokens, scored.len() as u64);
        if windows < 2 && settings.ruler.chat {
            bail!(
                "`{}` has {} of at most {n_ctx} tokens; give at least two, or a larger --ctx",
                text.path,
                count(windows, "conversation")
            );
        }
        if windows < 2 {
            bail!(
                "text `{}` has {}, less than two windows of {n_ctx}; give a longer text or a smaller \
                 --ctx (which is of texts: of memory it is --ctx-memory, of tasks --task-ctx)",
                text.path,
                count(tokens, "token")
            );
        }
        text.tokens = tokens;
        text.windows = settings.chunks.map_or(windows, |most| windows.min(u64::from(most)));
    }
    Ok(texts)
}

/// What the user said a candidate is.
fn lineage(settings: &FidelitySettings, path: &Path) -> Vec<Lineage> {
    let said = [
        (&settings.qat, Lineage::Qat),
        (&settings.twin, Lineage::Twin),
        (&settings.naive, Lineage::Naive),
    ];
    let is_it =
        |given: &Option<PathBuf>| given.as_deref().is_some_and(|given| is_same_path(given, path));
    said.into_iter().filter(|(given, _)| is_it(given)).map(|(_, lineage)| lineage).collect()
}

/// The remark that windows are longer than what the model was made for.
fn context_finding(settings: &FidelitySettings, name: &str, file: &ModelFile) -> Option<Finding> {
    let trained = trained_length(file.gguf.metadata(), &file.architecture)?;
    let n_ctx = u64::from(settings.ruler.n_ctx);
    (n_ctx > trained).then(|| Finding {
        severity: Severity::Warning,
        message: format!(
            "windows of {n_ctx} tokens are longer than the {trained} that {name} was made for; its \
             perplexity beyond them says little"
        ),
    })
}

/// What the reader should know about a text before its figures.
fn text_findings(text: &TextRecord, known: &SurveyedText) -> Vec<Finding> {
    let finding = |severity| {
        move |what: &String| Finding { severity, message: format!("{}: {what}", text.name) }
    };
    let notes = known.summary.iter().map(finding(Severity::Note));
    notes.chain(known.warnings.iter().map(finding(Severity::Warning))).collect()
}
/// What a member adds to a worker's memory, in bytes: as predicted from its header or, where its
/// architecture is not known, the file and its logits, which the engine computes in one buffer and
/// hands out in another.
fn member_bytes(plan: &FidelityPlan, files: &[ModelFile], member: &Member) -> MemberBytes {
    let file = &files[member.model];
    let n_outputs = plan.ruler.max_scored();
    let request = Request {
        n_ctx: plan.ruler.n_ctx,
        n_ubatch: member.n_ubatch,
        kv: member.kv.ggml_type(),
        gpu_layers: plan.ruler.gpu_layers,
        n_outputs,
        mapped: true,
        repack: Repack::from_system_info(&plan.engine.system_info),
    };
    let (metadata, tensors) = (file.gguf.metadata(), file.gguf.tensors());
    let predicted = Shape::read(metadata, tensors).and_then(|shape| {
        let prediction = predict(&shape, tensors, &request)?;
        let context = context_bytes(&shape, &request, &prediction);
        Ok(MemberBytes { model: prediction.host.weights, context })
    });
    let outputs = 2 * u64::from(n_outputs) * plan.n_vocab * 4;
    let guessed = MemberBytes { model: file.gguf.file_bytes(), context: outputs };
    let mut bytes = predicted.unwrap_or(guessed);
    // The first model's vocabulary makes the tokens; of the others only the size is loaded.
    bytes.model = bytes.model.saturating_add(match member.model {
        0 => vocabulary_bytes(metadata),
        _ => nameless_vocabulary_bytes(plan.n_vocab),
    });
    bytes
}
