//! Parses the header of one GGUF file from its bytes: versions 2 and 3, little-endian. A pure
//! function of the bytes; it opens nothing.

use std::collections::BTreeMap;

use crate::cursor::{Cursor, Place};
use crate::error::{HeaderError, shown};
use crate::ggml_type::GgmlType;
use crate::metadata::Metadata;
use crate::read_value::read_value;
use crate::tensor::{Tensor, index_by_name, place_data, read_table};
use crate::value::Value;
use crate::vocabulary::Vocabulary;

/// Alignment of tensor data where the file names none; `GGUF_DEFAULT_ALIGNMENT` of ggml.
const DEFAULT_ALIGNMENT: u64 = 32;
/// Fewest bytes of a key with its value: key length, one character, value type, one byte.
const PAIR_MIN_BYTES: u64 = 8 + 1 + 4 + 1;

/// What the header of a GGUF file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    version: u32,
    alignment: u64,
    metadata: Metadata,
    tensors: Vec<Tensor>,
    /// Indices into `tensors`, sorted by name.
    by_name: Vec<usize>,
}

impl Header {
    /// Parses `bytes`, the whole of one file: tensors are checked to lie inside it.
    ///
    /// Every length is checked against the bytes that remain before anything is allocated.
    ///
    /// Source: the GGUF specification of ggml, versions 2 and 3 (same layout on little-endian).
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let mut cursor = Cursor::new(bytes);
        check_magic(cursor.fixed(Place::Magic)?)?;
        let version = cursor.u32(Place::Version)?;
        check_version(version)?;
        let n_tensors = cursor.u64(Place::TensorCount)?;
        let n_pairs = cursor.u64(Place::KeyCount)?;
        let metadata = read_metadata(&mut cursor, n_pairs)?;
        let alignment = alignment(&metadata)?;
        let mut tensors = read_table(&mut cursor, n_tensors)?;
        let by_name = index_by_name(&tensors)
            .map_err(|i| HeaderError::DuplicateTensor { tensor: shown(&tensors[i].name) })?;
        // The header is shorter than its limit and the alignment fits 32 bits: no overflow.
        let data_start = cursor.position().next_multiple_of(alignment);
        place_data(&mut tensors, data_start, alignment, bytes.len() as u64)?;
        Ok(Self { version, alignment, metadata, tensors, by_name })
    }

    /// Adds the tensors of a further part; `Err` is the name of one that is already there.
    pub(crate) fn append(&mut self, part: usize, other: Self) -> Result<(), String> {
        self.tensors.extend(other.tensors.into_iter().map(|tensor| Tensor { part, ..tensor }));
        self.by_name = index_by_name(&self.tensors).map_err(|i| shown(&self.tensors[i].name))?;
        Ok(())
    }

    /// Version of the format: 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Alignment of tensor data in bytes, a power of two.
    pub fn alignment(&self) -> u64 {
        self.alignment
    }

    /// Keys and values.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The tensors in the order of the table.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// The tensor of this name.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        let by_name = &self.by_name;
        let found = by_name.binary_search_by(|&i| self.tensors[i].name.as_str().cmp(name)).ok()?;
        Some(&self.tensors[by_name[found]])
    }

    /// The model architecture, `general.architecture`: `llama`, `gemma4`.
    pub fn architecture(&self) -> Option<&str> {
        self.metadata.get_str("general.architecture")
    }

    /// Bits that a stored weight takes on average: tensor bytes without padding over tensor
    /// elements, all tensors alike. `None` where the file has no tensors.
    pub fn bits_per_weight(&self) -> Option<f64> {
        let bytes: f64 = self.tensors.iter().map(|tensor| tensor.bytes as f64).sum();
        let elements: f64 = self.tensors.iter().map(|tensor| tensor.elements() as f64).sum();
        (elements > 0.0).then(|| bytes * 8.0 / elements)
    }

    /// Number of tensors of each type that occurs.
    pub fn type_counts(&self) -> BTreeMap<GgmlType, usize> {
        let mut counts = BTreeMap::new();
        for tensor in &self.tensors {
            *counts.entry(tensor.ty).or_default() += 1;
        }
        counts
    }

    /// The token strings, where the file has any.
    pub fn vocabulary(&self) -> Option<Vocabulary<'_>> {
        Vocabulary::of(&self.metadata)
    }
}

fn check_magic(magic: [u8; 4]) -> Result<(), HeaderError> {
    let hint = match &magic {
        b"GGUF" => return Ok(()),
        b"lmgg" | b"fmgg" | b"tjgg" | b"algg" => {
            "a ggml file from before GGUF, make it again with a current converter"
        }
        b"vers" => "this may be a Git LFS pointer instead of the file, fetch the file itself",
        _ => "not a GGUF file, or a damaged one",
    };
    Err(HeaderError::WrongMagic { found: magic.escape_ascii().to_string(), hint })
}

fn check_version(version: u32) -> Result<(), HeaderError> {
    match version {
        2 | 3 => Ok(()),
        0 | 1 => Err(HeaderError::VersionTooOld { version }),
        // A small number read in the wrong byte order has its low half empty.
        _ if version.trailing_zeros() >= 16 => {
            Err(HeaderError::BigEndian { version: version.swap_bytes() })
        }
        _ => Err(HeaderError::VersionUnknown { version }),
    }
}

fn read_metadata(cursor: &mut Cursor, count: u64) -> Result<Metadata, HeaderError> {
    cursor.room(count, PAIR_MIN_BYTES, Place::KeyCount)?;
    let mut pairs = Vec::new();
    for index in 0..count {
        let key = cursor.utf8(Place::Key(index))?;
        if key.is_empty() {
            return Err(HeaderError::EmptyKey { index });
        }
        let value = read_value(cursor, Place::Value(key))?;
        pairs.push((key.to_owned(), value));
    }
    Metadata::new(pairs).map_err(|key| HeaderError::DuplicateKey { key: shown(&key) })
}

fn alignment(metadata: &Metadata) -> Result<u64, HeaderError> {
    match metadata.get("general.alignment") {
        None => Ok(DEFAULT_ALIGNMENT),
        Some(&Value::U32(bytes)) if bytes.is_power_of_two() => Ok(bytes.into()),
        Some(Value::U32(bytes)) => Err(HeaderError::Alignment { found: bytes.to_string() }),
        Some(other) => {
            let found = format!("of type {}", other.value_type().name());
            Err(HeaderError::Alignment { found })
        }
    }
}
