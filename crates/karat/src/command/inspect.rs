//! `karat inspect` and `karat diff`: what is in model files; nothing is loaded or measured.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use karat_gguf::Gguf;

use super::Session;
use crate::anatomy::{
    Comparable, Inspection, Oddity, SCHEMA_VERSION, check_data, compare, data_oddities, examine,
    oddities_of,
};
use crate::cli::{DiffArgs, InspectArgs};
use crate::exit::Exit;
use crate::model::{HashCache, ModelFile, check_same_model, sha256_of, short_names};
use crate::record::Finding;
use crate::report;
use crate::store::{Store, StoreError};
use crate::visible::visible;

const MEGABYTE: u64 = 1_000_000;

pub(super) fn inspect(session: &Session, args: &InspectArgs) -> anyhow::Result<Exit> {
    let names = short_names(&args.models);
    // All are opened first, so that a wrong name is told before a long hash.
    let files = args.models.iter().map(|path| Gguf::open(path)).collect::<Result<Vec<_>, _>>()?;
    let hashes = hash(session, &files)?;
    let mut models = Vec::with_capacity(files.len());
    for ((name, gguf), sha256) in names.iter().zip(&files).zip(hashes) {
        models.push(examine(name, gguf, sha256));
    }
    if args.check_data {
        let bytes = files.iter().flat_map(Gguf::tensors).map(|tensor| tensor.bytes).sum::<u64>();
        let mut progress = session.ui.progress("scanning", bytes / MEGABYTE, "MB");
        let mut n_read = 0;
        for (model, gguf) in models.iter_mut().zip(&files) {
            let data = check_data(gguf, |n_bytes| {
                n_read += n_bytes;
                progress.set(n_read / MEGABYTE);
            });
            model.oddities.extend(data_oddities(&data, model.mix.embedding.as_ref()));
            model.data = Some(data);
        }
        progress.discard();
    }
    let karat_version = env!("CARGO_PKG_VERSION");
    let document = Inspection { schema_version: SCHEMA_VERSION, karat_version, models };
    let bytes = report::inspection(&document, args.format, session.ui.colors_output())?;
    session.ui.data(&bytes).context("cannot write to standard output")?;
    Ok(Exit::Ok)
}

pub(super) fn diff(session: &Session, args: &DiffArgs) -> anyhow::Result<Exit> {
    let paths = [args.first.clone(), args.second.clone()];
    let names = short_names(&paths);
    let (first, second) = (Gguf::open(&paths[0])?, Gguf::open(&paths[1])?);
    let mut document = compare((&names[0], &first), (&names[1], &second));
    document.comparable = comparable(&names, &paths);
    let (ours, theirs) = (oddities_of(&first), oddities_of(&second));
    document.oddities_of_first = alone(&ours, &theirs);
    document.oddities_of_second = alone(&theirs, &ours);
    let bytes = report::difference(&document, args.format, session.ui.colors_output())?;
    session.ui.data(&bytes).context("cannot write to standard output")?;
    Ok(Exit::Ok)
}

/// What is odd in the one and not in the same way in the other.
fn alone(one: &[Oddity], other: &[Oddity]) -> Vec<Oddity> {
    one.iter().filter(|oddity| !other.contains(oddity)).cloned().collect()
}

/// Whether a run would take the two as builds of one model.
fn comparable(names: &[String], paths: &[PathBuf; 2]) -> Comparable {
    let said = || -> anyhow::Result<Vec<Finding>> {
        let (first, second) = (ModelFile::open(&paths[0])?, ModelFile::open(&paths[1])?);
        Ok(check_same_model((&names[0], &first), (&names[1], &second))?)
    };
    match said() {
        Ok(findings) => {
            let findings = findings
                .into_iter()
                .map(|finding| Finding { message: visible(&finding.message), ..finding });
            Comparable { same_model: true, reason: None, findings: findings.collect() }
        }
        Err(error) => {
            let reason = Some(visible(&error.to_string()));
            Comparable { same_model: false, reason, findings: Vec::new() }
        }
    }
}

/// A cache that may be missing or full: a file is hashed all the same.
struct Forgiving(Option<Store>);

impl HashCache for Forgiving {
    fn recall(&self, path: &Path, size: u64, mtime_ns: i128) -> Result<Option<String>, StoreError> {
        let Some(store) = &self.0 else { return Ok(None) };
        Ok(store.recall(path, size, mtime_ns).ok().flatten())
    }

    fn keep(&self, path: &Path, size: u64, mtime_ns: i128, hash: &str) -> Result<(), StoreError> {
        // What is not remembered is computed again.
        let _ = self.0.as_ref().map(|store| store.keep(path, size, mtime_ns, hash));
        Ok(())
    }
}

/// SHA-256 of each file, from the cache where it is unchanged.
fn hash(session: &Session, files: &[Gguf]) -> anyhow::Result<Vec<String>> {
    let cache = match Store::open(&session.environment.home) {
        Ok(store) => Forgiving(Some(store)),
        Err(error) => {
            session.ui.warn(&format!("hashes are not remembered: {error}"));
            Forgiving(None)
        }
    };
    let bytes: u64 = files.iter().map(Gguf::file_bytes).sum();
    let mut progress = session.ui.progress("hashing models", bytes / MEGABYTE, "MB");
    let mut n_read = 0;
    let mut hashes = Vec::with_capacity(files.len());
    for gguf in files {
        hashes.push(sha256_of(gguf.parts(), &cache, |n_bytes| {
            n_read += n_bytes;
            progress.set(n_read / MEGABYTE);
        })?);
    }
    progress.discard();
    Ok(hashes)
}
