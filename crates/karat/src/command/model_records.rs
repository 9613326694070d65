//! Model files as a run records them: names, sizes, hashes, what the user said they are.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;

use super::Session;
use crate::backend::embedded_generate::recommended;
use crate::chat::template_source;
use crate::digest::sha256_hex;
use crate::memory::Shape;
use crate::model::{ModelFile, sha256_of};
use crate::record::{Finding, Lineage, ModelRecord, ModelRole, Severity};
use crate::store::Store;
use crate::units::count;

/// Describes and hashes every file. `said` tells, of the file at an index and its path, its role and
/// what the user said it is.
pub(super) fn describe_models(
    session: &Session,
    store: &Store,
    (names, files): (&[String], &[ModelFile]),
    said: impl Fn(usize, &Path) -> (ModelRole, Vec<Lineage>),
) -> anyhow::Result<Vec<ModelRecord>> {
    let bytes: u64 = files.iter().map(|file| file.gguf.file_bytes()).sum();
    let mut progress = session.ui.progress("hashing models", bytes / 1_000_000, "MB");
    let (mut read, mut models) = (0, Vec::new());
    for (index, (name, file)) in names.iter().zip(files).enumerate() {
        let sha256 = sha256_of(file.gguf.parts(), store, |n| {
            read += n;
            progress.set(read / 1_000_000);
        })?;
        let said = said(index, &file.path);
        models.push(ModelRecord { sha256, ..describe_header(name, file, said) });
    }
    progress.discard();
    Ok(models)
}

/// Describes a file by its header alone: its contents are not read, so it has no hash, and nothing that
/// is measured of it could be stored.
pub(super) fn describe_header(
    name: &str,
    file: &ModelFile,
    (role, lineage): (ModelRole, Vec<Lineage>),
) -> ModelRecord {
    ModelRecord {
        name: name.to_owned(),
        role,
        path: file.path.display().to_string(),
        sha256: String::new(),
        bytes: file.gguf.file_bytes(),
        architecture: file.architecture.clone(),
        tensor_types: file.tensor_types(),
        bits_per_weight: file.bits_per_weight,
        proxy_reference: role == ModelRole::Reference && file.is_quantized(),
        lineage,
        template_sha256: template_source(file.gguf.metadata(), false).map(sha256_hex),
        served: None,
        recommended_sampling: recommended::read(file.gguf.metadata())
            .ok()
            .map(|recommended| recommended.values.to_string()),
    }
}

/// Refuses headers of known architectures that the engine could never load.
pub(super) fn check_shapes(names: &[String], files: &[ModelFile]) -> anyhow::Result<()> {
    for (name, file) in names.iter().zip(files) {
        match Shape::read(file.gguf.metadata(), file.gguf.tensors()) {
            Err(error) if error.is_unloadable() => {
                bail!("{name}: {error}; the engine cannot load it (`karat inspect` says more)")
            }
            _ => {}
        }
    }
    Ok(())
}

/// The remark that a twin differs from the QAT file in more than the recipe.
pub(super) fn twin_finding(models: &[ModelRecord], files: &[ModelFile]) -> Option<Finding> {
    let of = |wanted| models.iter().position(|model| model.lineage.contains(&wanted));
    let (qat, twin) = (of(Lineage::Qat)?, of(Lineage::Twin)?);
    let differing = files[qat].gguf.tensors().iter().filter(|tensor| {
        files[twin].gguf.tensor(&tensor.name).is_none_or(|other| other.ty != tensor.ty)
    });
    let n = differing.count();
    (n > 0).then(|| Finding {
        severity: Severity::Warning,
        message: format!(
            "{} and {} differ in the type of {}, so not only the recipe differs between \
             them; `karat twin --like` makes a matched control",
            models[twin].name,
            models[qat].name,
            count(n as u64, "tensor")
        ),
    })
}

/// The remark that files of several paths are one by their contents. Who gives one path twice knows.
pub(super) fn same_contents(models: &[ModelRecord]) -> Vec<Finding> {
    let mut known: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for model in models.iter().filter(|model| !model.sha256.is_empty()) {
        known.entry(&model.sha256).or_default().entry(&model.path).or_insert(&model.name);
    }
    let several = known.into_values().filter(|paths| paths.len() > 1);
    let told = several.map(|paths| Finding {
        severity: Severity::Warning,
        message: format!(
            "{} are the same file by their contents: whatever differs between them is noise",
            paths.into_values().collect::<Vec<_>>().join(" and ")
        ),
    });
    told.collect()
}
