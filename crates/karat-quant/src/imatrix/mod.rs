//! Importance matrices: reads both formats of llama-imatrix and normalises them as llama-quantize
//! does, so that the builds are the same to the byte. It never measures one.

mod gguf;
mod legacy;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use karat_llama::{ImatrixEntry, MetadataOverride};

use crate::error::{ImatrixFault, QuantError};

/// The importance matrix of a job: the file, and which of its entries count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImatrixChoice {
    /// The file. The output names it in `quantize.imatrix.file`, as given and cut to 127 bytes.
    pub path: PathBuf,
    /// Keep only entries whose name contains one of these; all, where there are none.
    pub include: Vec<String>,
    /// Drop entries whose name contains one of these.
    pub exclude: Vec<String>,
}

impl ImatrixChoice {
    /// All entries of the file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), include: Vec::new(), exclude: Vec::new() }
    }

    /// Reads the file and leaves the chosen entries.
    ///
    /// Fails where [`Imatrix::read`] does, and where no entry is left.
    pub fn read(&self) -> Result<Imatrix, QuantError> {
        let mut imatrix = Imatrix::read(&self.path)?;
        let entries = imatrix.entries.len();
        imatrix.entries.retain(|name, _| {
            let contains = |part: &String| name.contains(part.as_str());
            !self.exclude.iter().any(contains)
                && (self.include.is_empty() || self.include.iter().any(contains))
        });
        if imatrix.entries.is_empty() {
            let fault = ImatrixFault::AllExcluded { entries };
            return Err(QuantError::Imatrix { path: self.path.clone(), fault });
        }
        Ok(imatrix)
    }
}

/// How much each input column of a matrix matters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imatrix {
    /// Mean squared activation per input column by tensor name, `[row_len * n_expert]`; 1 for
    /// experts that saw no token. All finite.
    pub entries: BTreeMap<String, Vec<f32>>,
    /// Chunks of text that it was measured on; 0 where the file does not say.
    pub n_chunks: i32,
    /// The text it was measured on, as the file names it.
    pub dataset: Option<String>,
}

impl Imatrix {
    /// Reads a file of llama-imatrix: GGUF, or the binary format before it.
    ///
    /// Every length is checked against the bytes of the file before anything is allocated. Fails
    /// where the file is missing, damaged, cut short, without entries, or holds values that are
    /// not finite.
    ///
    /// Source: `load_imatrix` of llama-quantize as of llama.cpp 0c1e57098.
    pub fn read(path: &Path) -> Result<Self, QuantError> {
        let read = || -> Result<Self, ImatrixFault> {
            let imatrix = if is_gguf(path).map_err(ImatrixFault::Read)? {
                gguf::read(path)?
            } else {
                legacy::parse(&std::fs::read(path).map_err(ImatrixFault::Read)?)?
            };
            imatrix.check()
        };
        read().map_err(|fault| QuantError::Imatrix { path: path.to_owned(), fault })
    }

    fn check(self) -> Result<Self, ImatrixFault> {
        if self.entries.is_empty() {
            return Err(ImatrixFault::Empty);
        }
        let finite = |values: &Vec<f32>| values.iter().all(|value| value.is_finite());
        match self.entries.iter().find(|(_, values)| !finite(values)) {
            Some((entry, _)) => Err(ImatrixFault::NotFinite { entry: entry.clone() }),
            None => Ok(self),
        }
    }

    /// What llama-quantize writes about the matrix into the output, in its order.
    pub(crate) fn metadata(&self, path: &Path) -> Vec<MetadataOverride> {
        let key = |name: &str| format!("quantize.imatrix.{name}");
        let mut list =
            vec![MetadataOverride::Str(key("file"), path.to_string_lossy().into_owned())];
        if let Some(dataset) = &self.dataset {
            list.push(MetadataOverride::Str(key("dataset"), dataset.clone()));
        }
        list.push(MetadataOverride::U32(key("entries_count"), self.entries.len() as u32));
        if self.n_chunks > 0 {
            list.push(MetadataOverride::U32(key("chunks_count"), self.n_chunks as u32));
        }
        list
    }

    /// The entries as the engine takes them.
    pub(crate) fn into_engine(self) -> Vec<ImatrixEntry> {
        self.entries.into_iter().map(|(name, values)| ImatrixEntry { name, values }).collect()
    }
}

/// Whether the file begins as GGUF does.
fn is_gguf(path: &Path) -> io::Result<bool> {
    // Asked before opening: opening a named pipe would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("no regular file"));
    }
    let mut magic = Vec::with_capacity(4);
    File::open(path)?.take(4).read_to_end(&mut magic)?;
    Ok(magic == b"GGUF")
}

/// `text` up to its first NUL, where a C string ends.
fn c_text(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}
