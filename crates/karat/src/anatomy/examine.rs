//! Puts the anatomy of one file together.

use karat_gguf::{Gguf, Header};
use serde::Serialize;

use super::data_check::DataCheck;
use super::mix::Mix;
use super::oddity::{Oddity, oddities};
use super::origin::Origin;
use super::shape::Shape;
use super::tokenizer::Tokenizer;
use crate::visible::visible_bytes;

/// Version of the JSON layout of `karat inspect` and `karat diff`. Raised when a field changes its
/// meaning or goes away; adding one does not raise it.
pub const SCHEMA_VERSION: u32 = 1;

/// The models of one `karat inspect`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// karat's own version.
    pub karat_version: &'static str,
    /// In the order given.
    pub models: Vec<Anatomy>,
}

/// What one file is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Anatomy {
    /// Shortest unique form of the name as the user gave it.
    pub name: String,
    /// Which file it is.
    pub identity: Identity,
    /// Architecture and measures.
    pub shape: Shape,
    /// Tensor types.
    pub mix: Mix,
    /// The tokenizer; `None` where the file has none.
    pub tokenizer: Option<Tokenizer>,
    /// Where it comes from.
    pub origin: Origin,
    /// What the scan of all tensor data found; `None` where it was not asked for.
    pub data: Option<DataCheck>,
    /// What is odd about it.
    pub oddities: Vec<Oddity>,
}

/// Which file it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Path as given.
    pub path: String,
    /// The parts of a split file; one where it is whole.
    pub parts: Vec<Part>,
    /// Size of all parts.
    pub bytes: u64,
    /// SHA-256 of the file (of its parts' hashes in order, for a split file), lower-case hex.
    pub sha256: String,
    /// Version of the GGUF format.
    pub gguf_version: u32,
    /// Alignment of tensor data in bytes.
    pub alignment: u64,
    /// Keys of the metadata.
    pub keys: u64,
}

/// One part of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its path.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

/// A file as far as its header says, and what oddities are looked for in.
pub(super) struct Subject<'a> {
    /// Name of the file, without its folder.
    pub(super) file_name: String,
    /// Header and tensor table.
    pub(super) header: &'a Header,
    /// Size of each part in bytes.
    pub(super) part_bytes: Vec<u64>,
    /// Architecture and measures.
    pub(super) shape: Shape,
    /// Tensor types.
    pub(super) mix: Mix,
    /// The tokenizer.
    pub(super) tokenizer: Option<Tokenizer>,
    /// Chat templates and provenance.
    pub(super) origin: Origin,
}

impl<'a> Subject<'a> {
    fn of(gguf: &'a Gguf) -> Self {
        let header = gguf.header();
        let file_name = gguf.parts()[0].file_name().unwrap_or_default();
        Self {
            file_name: file_name.to_string_lossy().into_owned(),
            header,
            part_bytes: gguf.part_bytes().collect(),
            shape: Shape::of(header),
            mix: Mix::of(header),
            tokenizer: Tokenizer::of(header),
            origin: Origin::of(header),
        }
    }
}

/// The anatomy of an open file called `name` whose contents hash to `sha256`.
pub fn examine(name: &str, gguf: &Gguf, sha256: String) -> Anatomy {
    let subject = Subject::of(gguf);
    let oddities = oddities(&subject);
    let Subject { shape, mix, tokenizer, origin, .. } = subject;
    Anatomy {
        name: visible_bytes(name.as_bytes(), 500),
        identity: identity(gguf, sha256),
        shape,
        mix,
        tokenizer,
        origin,
        data: None,
        oddities,
    }
}

/// What is odd about an open file, its tensor data apart.
pub fn oddities_of(gguf: &Gguf) -> Vec<Oddity> {
    oddities(&Subject::of(gguf))
}

fn identity(gguf: &Gguf, sha256: String) -> Identity {
    let path_text =
        |path: &std::path::Path| visible_bytes(path.as_os_str().as_encoded_bytes(), 4096);
    let parts = std::iter::zip(gguf.parts(), gguf.part_bytes());
    Identity {
        path: path_text(&gguf.parts()[0]),
        parts: parts.map(|(path, bytes)| Part { path: path_text(path), bytes }).collect(),
        bytes: gguf.file_bytes(),
        sha256,
        gguf_version: gguf.version(),
        alignment: gguf.alignment(),
        keys: gguf.metadata().len() as u64,
    }
}
