//! What came out of a job, read back from the output. It never measures quality.

use std::collections::BTreeMap;
use std::path::Path;

use karat_gguf::{GgmlType, Gguf};

use crate::error::QuantError;
use crate::tensor_kind::shape;

/// How much of a build has one tensor type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeUse {
    /// The type.
    pub ty: GgmlType,
    /// Tensors of it.
    pub n_tensors: usize,
    /// Bytes of their data, without padding.
    pub bytes: u64,
}

/// What came out of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizeReport {
    /// Size of the input file, of all its parts.
    pub bytes_in: u64,
    /// Size of the output file.
    pub bytes_out: u64,
    /// Bits that a weight of the output takes on average: tensor bytes over elements.
    pub bits_per_weight: f64,
    /// The tensor types of the output, by ascending id.
    pub types: Vec<TypeUse>,
}

impl QuantizeReport {
    pub(crate) fn of(input: &Gguf, output: &Gguf) -> Self {
        let mut types: BTreeMap<GgmlType, (usize, u64)> = BTreeMap::new();
        for tensor in output.tensors() {
            let (n_tensors, bytes) = types.entry(tensor.ty).or_default();
            *n_tensors += 1;
            *bytes += tensor.bytes;
        }
        let uses = types.into_iter();
        Self {
            bytes_in: input.file_bytes(),
            bytes_out: output.file_bytes(),
            bits_per_weight: output.bits_per_weight().unwrap_or(0.0),
            types: uses.map(|(ty, (n_tensors, bytes))| TypeUse { ty, n_tensors, bytes }).collect(),
        }
    }
}

/// Opens what the engine wrote to `temporary` and checks that it is whole: the engine's file stream
/// does not always notice a full disk. `path` is the name for messages.
pub(crate) fn reopen(temporary: &Path, path: &Path, input: &Gguf) -> Result<Gguf, QuantError> {
    let damaged = |reason: String| QuantError::Damaged { path: path.to_owned(), reason };
    let output = Gguf::open(temporary).map_err(|error| damaged(error.to_string()))?;
    let n_tensors = (output.tensors().len(), input.tensors().len());
    if n_tensors.0 != n_tensors.1 {
        return Err(damaged(format!("it has {} tensors of {}", n_tensors.0, n_tensors.1)));
    }
    for tensor in input.tensors() {
        let name = tensor.name.escape_debug();
        let Some(made) = output.tensor(&tensor.name) else {
            return Err(damaged(format!("tensor `{name}` is missing")));
        };
        if shape(made) != shape(tensor) {
            return Err(damaged(format!("tensor `{name}` has shape {:?}", made.dims)));
        }
    }
    Ok(output)
}
