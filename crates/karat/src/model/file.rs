//! One GGUF file: what its header says, without its weights.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use karat_gguf::{GgmlType, Gguf, GgufError};

use crate::visible::visible_bytes;

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is no readable GGUF file.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// Its path cannot be recorded, or handed to a worker.
    #[error("the path `{}` is not UTF-8; rename it", visible_bytes(path.as_os_str().as_encoded_bytes(), 500))]
    PathNotUtf8 {
        /// The path.
        path: PathBuf,
    },
    /// It lacks something every language model has.
    #[error("`{}` {what}: it is no language model; give the GGUF file of one", path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        what: &'static str,
    },
}

/// A model file, opened.
pub struct ModelFile {
    /// Path as given.
    pub path: PathBuf,
    /// Header and tensor table.
    pub gguf: Gguf,
    /// `general.architecture`.
    pub architecture: String,
    /// Weight bits over weights, from the tensor table.
    pub bits_per_weight: f64,
}

impl ModelFile {
    /// Opens a file (the first part of a split one) and checks that it holds a language model.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        check_utf8(path)?;
        let gguf = Gguf::open(path)?;
        let lacks = |what| ModelError::NotAModel { path: path.to_path_buf(), what };
        let architecture =
            gguf.architecture().ok_or_else(|| lacks("names no architecture"))?.to_owned();
        let bits_per_weight = gguf.bits_per_weight().ok_or_else(|| lacks("holds no tensors"))?;
        if gguf.vocabulary().is_none() {
            return Err(lacks("holds no vocabulary"));
        }
        Ok(Self { path: path.to_path_buf(), gguf, architecture, bits_per_weight })
    }

    /// Tensors of each type.
    pub fn tensor_types(&self) -> BTreeMap<String, u64> {
        let counts = self.gguf.type_counts();
        counts.iter().map(|(ty, &count)| (ty.name().to_owned(), count as u64)).collect()
    }

    /// Whether any tensor is stored in fewer than 16 bits per weight.
    pub fn is_quantized(&self) -> bool {
        self.gguf.tensors().iter().any(|tensor| {
            !matches!(tensor.ty, GgmlType::F64 | GgmlType::F32 | GgmlType::F16 | GgmlType::BF16)
        })
    }

    /// Number of weights.
    pub fn n_params(&self) -> u64 {
        self.gguf.tensors().iter().map(karat_gguf::Tensor::elements).sum()
    }

    /// Entries of the vocabulary.
    pub fn n_vocab(&self) -> usize {
        self.gguf.vocabulary().map_or(0, |vocabulary| vocabulary.len())
    }
}

/// Refuses a path that a report or a message to a worker could not repeat as it is.
pub fn check_utf8(path: &Path) -> Result<(), ModelError> {
    match path.to_str() {
        Some(_) => Ok(()),
        None => Err(ModelError::PathNotUtf8 { path: path.to_path_buf() }),
    }
}
