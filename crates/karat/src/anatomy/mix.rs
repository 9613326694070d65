//! The tensor types of a file by number, weights and bytes, and how embedding and output are
//! stored. Counts the table of tensors; never believes a name.

use std::collections::BTreeMap;

use karat_gguf::{GgmlType, Header, Tensor};
use karat_quant::FileTypeName;
use serde::Serialize;

use super::shown::name_text;

/// What one tensor type makes up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TypeShare {
    /// ggml's name.
    pub r#type: &'static str,
    /// Tensors of the type.
    pub tensors: u64,
    /// Their weights.
    pub weights: u64,
    /// Their bytes, without padding.
    pub bytes: u64,
    /// Their share of all tensors' bytes, 0 to 1.
    pub share: f64,
    /// Bits of each of these weights, scales included.
    pub bits_per_weight: f64,
}

/// All tensor types.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mix {
    /// Most bytes first.
    pub types: Vec<TypeShare>,
    /// Tensors.
    pub tensors: u64,
    /// Weights of all tensors.
    pub weights: u64,
    /// Bytes of all tensors, without padding.
    pub bytes: u64,
    /// Bits of a weight on average over all tensors, metadata and padding apart, as llama-quantize
    /// counts; `None` without tensors.
    pub bits_per_weight: Option<f64>,
    /// The token embedding.
    pub embedding: Option<NamedTensor>,
    /// The output matrix; `None` where it is tied to the embedding, or there is neither.
    pub output: Option<NamedTensor>,
    /// There is an embedding and no output matrix: the embedding serves as both.
    pub output_is_tied: bool,
    /// What `general.file_type` says.
    pub file_type: Option<FileType>,
}

/// One tensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NamedTensor {
    /// Its name.
    pub name: String,
    /// ggml's name of its type.
    pub r#type: &'static str,
    /// Lengths in ggml's order, the row first.
    pub dims: Vec<u64>,
    /// Bytes, without padding.
    pub bytes: u64,
}

/// The kind of file, as llama-quantize numbers it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileType {
    /// `general.file_type`.
    pub id: u64,
    /// llama-quantize's name; `None` where the number is unknown.
    pub name: Option<&'static str>,
}

impl Mix {
    pub(super) fn of(header: &Header) -> Self {
        let mut types: BTreeMap<GgmlType, (u64, u64, u64)> = BTreeMap::new();
        let (mut weights, mut bytes) = (0, 0);
        for tensor in header.tensors() {
            let (n, type_weights, type_bytes) = types.entry(tensor.ty).or_default();
            *n += 1;
            *type_weights += tensor.elements();
            *type_bytes += tensor.bytes;
            weights += tensor.elements();
            bytes += tensor.bytes;
        }
        let mut types: Vec<TypeShare> = types
            .into_iter()
            .map(|(ty, (n, type_weights, type_bytes))| TypeShare {
                r#type: ty.name(),
                tensors: n,
                weights: type_weights,
                bytes: type_bytes,
                share: type_bytes as f64 / bytes as f64,
                bits_per_weight: ty.block_bytes() as f64 * 8.0 / ty.block_len() as f64,
            })
            .collect();
        types.sort_by_key(|share| std::cmp::Reverse(share.bytes));
        let embedding = named(header, "token_embd.weight");
        let output = named(header, "output.weight");
        Self {
            types,
            tensors: header.tensors().len() as u64,
            weights,
            bytes,
            bits_per_weight: header.bits_per_weight(),
            output_is_tied: embedding.is_some() && output.is_none(),
            embedding,
            output,
            file_type: header.metadata().get_u64("general.file_type").map(FileType::of),
        }
    }
}

impl FileType {
    fn of(id: u64) -> Self {
        let known = u32::try_from(id).ok().and_then(FileTypeName::from_id);
        Self { id, name: known.map(|known| known.name) }
    }
}

fn named(header: &Header, name: &str) -> Option<NamedTensor> {
    header.tensor(name).map(NamedTensor::of)
}

impl NamedTensor {
    fn of(tensor: &Tensor) -> Self {
        Self {
            name: name_text(&tensor.name),
            r#type: tensor.ty.name(),
            dims: tensor.dims.clone(),
            bytes: tensor.bytes,
        }
    }
}
