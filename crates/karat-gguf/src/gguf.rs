//! Opens GGUF files: maps the file, or all parts of a split one, and hands out tensor data.
//! It never writes. Holds the crate's one unsafe call, the memory map.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::error::{GgufError, HeaderError};
use crate::ggml_type::GgmlType;
use crate::header::Header;
use crate::metadata::Metadata;
use crate::split::Split;
use crate::tensor::Tensor;
use crate::vocabulary::Vocabulary;

/// An open GGUF file, mapped read-only.
///
/// Of a split file, metadata, version and alignment are the first part's; the tensors are
/// those of all parts.
#[derive(Debug)]
pub struct Gguf {
    header: Header,
    paths: Vec<PathBuf>,
    maps: Vec<Mmap>,
}

impl Gguf {
    /// Opens the file at `path`; of a split file, `path` is the first part, and all parts are
    /// opened.
    ///
    /// Fails where a file is missing or unreadable, where its header is damaged, and where the
    /// parts of a split file do not belong together.
    pub fn open(path: &Path) -> Result<Self, GgufError> {
        let (map, header) = open_part(path)?;
        let split = Split::of(path, &header)?;
        let mut gguf = Self { header, paths: vec![path.to_owned()], maps: vec![map] };
        let Some(split) = split else { return Ok(gguf) };
        for index in 1..split.count {
            let path = split.part(index)?;
            let (map, header) = open_part(&path).map_err(|e| missing_part(e, &split, index))?;
            split.check_part(&path, &header, index)?;
            gguf.header
                .append(gguf.maps.len(), header)
                .map_err(|tensor| GgufError::PartTensor { path: path.clone(), tensor })?;
            gguf.paths.push(path);
            gguf.maps.push(map);
        }
        split.check_total(&gguf.header)?;
        Ok(gguf)
    }

    /// Parses the bytes of one whole file, or of one part; see [`Header::parse`].
    pub fn parse(bytes: &[u8]) -> Result<Header, HeaderError> {
        Header::parse(bytes)
    }

    /// The header; of a split file, with the tensors of all parts.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Paths of the parts in order; one, where the file is whole.
    pub fn parts(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Size of all parts together, in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.part_bytes().sum()
    }

    /// Size of each part in bytes, in order.
    pub fn part_bytes(&self) -> impl ExactSizeIterator<Item = u64> {
        self.maps.iter().map(|map| map.len() as u64)
    }

    /// The stored bytes of `tensor`, without padding.
    ///
    /// # Panics
    /// May panic where `tensor` comes from another file.
    pub fn tensor_data(&self, tensor: &Tensor) -> &[u8] {
        // `place_data` checked both ends against the length of this very map.
        &self.maps[tensor.part][tensor.offset as usize..][..tensor.bytes as usize]
    }

    /// See [`Header::version`].
    pub fn version(&self) -> u32 {
        self.header.version()
    }

    /// See [`Header::alignment`].
    pub fn alignment(&self) -> u64 {
        self.header.alignment()
    }

    /// See [`Header::metadata`].
    pub fn metadata(&self) -> &Metadata {
        self.header.metadata()
    }

    /// See [`Header::tensors`].
    pub fn tensors(&self) -> &[Tensor] {
        self.header.tensors()
    }

    /// See [`Header::tensor`].
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.header.tensor(name)
    }

    /// See [`Header::architecture`].
    pub fn architecture(&self) -> Option<&str> {
        self.header.architecture()
    }

    /// See [`Header::bits_per_weight`].
    pub fn bits_per_weight(&self) -> Option<f64> {
        self.header.bits_per_weight()
    }

    /// See [`Header::type_counts`].
    pub fn type_counts(&self) -> BTreeMap<GgmlType, usize> {
        self.header.type_counts()
    }

    /// See [`Header::vocabulary`].
    pub fn vocabulary(&self) -> Option<Vocabulary<'_>> {
        self.header.vocabulary()
    }
}

fn open_part(path: &Path) -> Result<(Mmap, Header), GgufError> {
    let open_error = |cause| GgufError::Open { path: path.to_owned(), cause };
    // Asked before opening: opening a named pipe would wait for a writer.
    if !std::fs::metadata(path).map_err(open_error)?.is_file() {
        return Err(GgufError::NotAFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(open_error)?;
    let map = map(&file).map_err(|cause| GgufError::Map { path: path.to_owned(), cause })?;
    let header =
        Header::parse(&map).map_err(|fault| GgufError::Header { path: path.to_owned(), fault })?;
    Ok((map, header))
}

#[expect(unsafe_code, reason = "mapping a file is unsafe because others can change the file")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is private to this struct, read-only, and handed out as `&[u8]` only. What
    // Rust cannot rule out is another process changing the file meanwhile: bytes may then change
    // under a reader, or, where the file shrinks, reading ends the process. The engine maps the
    // same files under the same assumption, that model files are left alone while in use.
    unsafe { Mmap::map(file) }
}

/// Tells a part that is not there from one that cannot be opened.
fn missing_part(error: GgufError, split: &Split, index: u64) -> GgufError {
    match error {
        GgufError::Open { path, cause } if cause.kind() == io::ErrorKind::NotFound => {
            GgufError::PartMissing { path, number: index + 1, count: split.count }
        }
        other => other,
    }
}
