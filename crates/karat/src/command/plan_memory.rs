//! Makes the plan of a memory run: opens the files, predicts each case, asks a worker who the engine
//! is, and hashes what will be measured. Nothing is measured.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};

use super::Session;
use super::model_records::{check_shapes, describe_header, describe_models};
use super::survey::survey;
use crate::machine;
use crate::memory::{Prediction, Repack, Request, Shape, predict, trained_length};
use crate::model::{ModelFile, Stamps, check_utf8, short_names};
use crate::plan::{MemoryCase, MemoryPlan};
use crate::record::{Finding, ModelRole, Severity};
use crate::settings::{Kv, MemorySettings, RulerSpec};
use crate::store::Store;
use crate::worker::SurveyJob;

/// Opens every file, so that bad input is found before anything is measured.
pub(super) fn plan_memory(
    session: &Session,
    store: &Store,
    settings: &MemorySettings,
) -> anyhow::Result<(MemoryPlan, Stamps)> {
    let names = short_names(&settings.models);
    let files =
        settings.models.iter().map(|path| ModelFile::open(path)).collect::<Result<Vec<_>, _>>()?;
    for path in &settings.models {
        check_utf8(path)?;
    }
    check_shapes(&names, &files)?;
    let parts = files.iter().flat_map(|file| file.gguf.parts());
    let stamps = Stamps::of(parts.map(std::path::PathBuf::as_path));
    let job = SurveyJob {
        model: files[0].path.clone(),
        texts: Vec::new(),
        ruler: RulerSpec::default(),
        most_windows: None,
    };
    let reply = survey(session, settings.worker_timeout, job)?;
    if settings.gpu_layers != Some(0) && reply.devices.is_empty() && !settings.predict_only {
        bail!(
            "--gpu-layers: this build of karat sees no GPU; build it with --features cuda, metal or \
             vulkan, add --predict-only, or leave the flag out"
        );
    }
    let repack = Repack::from_system_info(&reply.engine.system_info);
    let (mut cases, mut findings) = (Vec::new(), Vec::new());
    for (model, (name, file)) in names.iter().zip(&files).enumerate() {
        for &n_ctx in &settings.n_ctx {
            for &kv in &settings.kv {
                let request = request(settings, n_ctx, kv, repack);
                let prediction = predicted(file, &request).map_err(|error| {
                    note(&mut findings, format!("{name}: {error}"));
                });
                cases.push(MemoryCase { model, n_ctx, kv, prediction: prediction.ok() });
            }
        }
    }
    if settings.predict_only && cases.iter().all(|case| case.prediction.is_none()) {
        return Err(nothing_predicted(&findings));
    }
    findings.extend(repacked(&names, &cases));
    findings
        .extend(settings.n_ctx.iter().flat_map(|&n_ctx| beyond_training(n_ctx, &names, &files)));
    let said = (ModelRole::Candidate, Vec::new());
    let models = if settings.predict_only {
        let described = names.iter().zip(&files);
        described.map(|(name, file)| describe_header(name, file, said.clone())).collect()
    } else {
        describe_models(session, store, (&names, &files), |_, _| said.clone())?
    };
    let plan = MemoryPlan {
        models,
        cases,
        n_ubatch: settings.n_ubatch,
        gpu_layers: settings.gpu_layers,
        n_threads: settings.n_threads,
        predict_only: settings.predict_only,
        findings,
        machine: machine::describe(reply.devices),
        engine: reply.engine,
    };
    Ok((plan, stamps))
}

fn request(settings: &MemorySettings, n_ctx: u32, kv: Kv, repack: Repack) -> Request {
    Request {
        n_ctx,
        n_ubatch: settings.n_ubatch,
        kv: kv.ggml_type(),
        gpu_layers: settings.gpu_layers,
        n_outputs: 1,
        mapped: true,
        repack,
    }
}

fn predicted(
    file: &ModelFile,
    request: &Request,
) -> Result<Prediction, crate::memory::MemoryError> {
    let shape = Shape::read(file.gguf.metadata(), file.gguf.tensors())?;
    predict(&shape, file.gguf.tensors(), request)
}

/// Why there is no run: its figures would all be missing.
fn nothing_predicted(reasons: &[Finding]) -> anyhow::Error {
    let reasons: Vec<&str> = reasons.iter().map(|reason| reason.message.as_str()).collect();
    anyhow!("nothing can be predicted: {}", reasons.join("; "))
}

/// The remark that models take more than their files, because the engine rearranges weights.
fn repacked(names: &[String], cases: &[MemoryCase]) -> Option<Finding> {
    let is_repacked = |model| {
        let mut cases = cases.iter().filter(|case| case.model == model);
        cases.any(|case| case.prediction.is_some_and(|prediction| prediction.repacked > 0))
    };
    let named = names.iter().enumerate().filter(|(model, _)| is_repacked(*model));
    let named: Vec<&str> = named.map(|(_, name)| name.as_str()).collect();
    (!named.is_empty()).then(|| Finding {
        severity: Severity::Note,
        message: format!(
            "of {} the engine keeps matrices a second time, rearranged for this processor: its weights \
             take more than the file",
            named.join(", ")
        ),
    })
}

/// The remarks that a context is longer than what models were made for, one for each length.
fn beyond_training(n_ctx: u32, names: &[String], files: &[ModelFile]) -> Vec<Finding> {
    let mut models: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for (name, file) in names.iter().zip(files) {
        let trained = trained_length(file.gguf.metadata(), &file.architecture);
        if let Some(most) = trained.filter(|&most| u64::from(n_ctx) > most) {
            models.entry(most).or_default().push(name);
        }
    }
    let said = models.into_iter().map(|(most, names)| {
        let (names, verb) = (names.join(", "), if names.len() == 1 { "was" } else { "were" });
        let message = format!(
            "{names} {verb} trained for {most} tokens: whatever the memory, a context of {n_ctx} is \
             longer than that"
        );
        Finding { severity: Severity::Warning, message }
    });
    said.collect()
}

/// Adds a finding once.
fn note(findings: &mut Vec<Finding>, message: String) {
    let finding = Finding { severity: Severity::Warning, message };
    if !findings.contains(&finding) {
        findings.push(finding);
    }
}
