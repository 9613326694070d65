//! The GGUF format of importance matrices: sums and counts per tensor and expert. It never
//! touches the legacy format.

use std::collections::BTreeMap;
use std::path::Path;

use karat_gguf::{GgmlType, Gguf, Tensor, Value};

use super::{Imatrix, c_text};
use crate::error::ImatrixFault;

const DATASETS: &str = "imatrix.datasets";
const CHUNK_COUNT: &str = "imatrix.chunk_count";
const CHUNK_SIZE: &str = "imatrix.chunk_size";

/// The tensors of one entry.
#[derive(Default)]
struct Parts<'a> {
    sums: Option<&'a Tensor>,
    counts: Option<&'a Tensor>,
}

pub(super) fn read(path: &Path) -> Result<Imatrix, ImatrixFault> {
    let file = Gguf::open(path).map_err(ImatrixFault::Gguf)?;
    let mut parts: BTreeMap<&str, Parts> = BTreeMap::new();
    for tensor in file.tensors() {
        if let Some(name) = tensor.name.strip_suffix(".in_sum2") {
            parts.entry(name).or_default().sums = Some(tensor);
        } else if let Some(name) = tensor.name.strip_suffix(".counts") {
            parts.entry(name).or_default().counts = Some(tensor);
        }
    }
    let (n_chunks, dataset) = provenance(&file)?;
    let mut entries = BTreeMap::new();
    for (name, parts) in parts {
        entries.insert(name.to_owned(), entry(&file, name, &parts)?);
    }
    Ok(Imatrix { entries, n_chunks, dataset })
}

fn provenance(file: &Gguf) -> Result<(i32, Option<String>), ImatrixFault> {
    let get = |key| file.metadata().get(key).ok_or(ImatrixFault::NoKey { key });
    let number = |key| match get(key)? {
        &Value::U32(number) => Ok(number as i32),
        _ => Err(ImatrixFault::Key { key, want: "UINT32" }),
    };
    let wrong = ImatrixFault::Key { key: DATASETS, want: "array of strings" };
    let datasets = get(DATASETS)?.as_strings().ok_or(wrong)?;
    let dataset = datasets.get(0).map(|text| String::from_utf8_lossy(c_text(text)).into_owned());
    number(CHUNK_SIZE)?;
    Ok((number(CHUNK_COUNT)?, dataset))
}

fn entry(file: &Gguf, name: &str, parts: &Parts) -> Result<Vec<f32>, ImatrixFault> {
    let missing = |missing| ImatrixFault::Incomplete { entry: name.to_owned(), missing };
    let sums = floats(file, parts.sums.ok_or_else(|| missing("sums (.in_sum2)"))?)?;
    let counts = floats(file, parts.counts.ok_or_else(|| missing("counts (.counts)"))?)?;
    if counts.is_empty() || !sums.len().is_multiple_of(counts.len()) {
        let (values, counts) = (sums.len(), counts.len());
        return Err(ImatrixFault::Shape { entry: name.to_owned(), values, counts });
    }
    if !counts.iter().all(|count| count.is_finite()) {
        return Err(ImatrixFault::NotFinite { entry: name.to_owned() });
    }
    let mut values = sums;
    let row_len = values.len() / counts.len();
    for (row, &count) in values.chunks_exact_mut(row_len).zip(&counts) {
        let count = count.round();
        if count > 0.0 {
            for value in row {
                *value /= count;
            }
        } else {
            row.fill(1.0);
        }
    }
    Ok(values)
}

fn floats(file: &Gguf, tensor: &Tensor) -> Result<Vec<f32>, ImatrixFault> {
    if tensor.ty != GgmlType::F32 {
        return Err(ImatrixFault::NotF32 { tensor: tensor.name.clone(), ty: tensor.ty });
    }
    let bytes = file.tensor_data(tensor).as_chunks::<4>().0;
    Ok(bytes.iter().map(|&value| f32::from_le_bytes(value)).collect())
}
