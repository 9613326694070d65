//! How two model files differ: keys, chat template, tensors, vocabulary. Says what, never which is
//! right.

mod metadata;
mod template;
mod tensors;
mod vocabulary;

use karat_gguf::Gguf;
use serde::Serialize;

use super::examine::SCHEMA_VERSION;
use super::oddity::Oddity;
use crate::record::Finding;
use crate::visible::visible_bytes;

pub use metadata::{ArrayChange, Changed, KeyDiff};
pub use template::TemplateDiff;
pub use tensors::{ShapeChange, TensorDiff, TypeChange};
pub use vocabulary::{TokenChange, VocabularyDiff};

/// How two files differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// karat's own version.
    pub karat_version: &'static str,
    /// The file named first.
    pub first: Side,
    /// The file named second.
    pub second: Side,
    /// Keys, those of chat template and vocabulary apart.
    pub metadata: KeyDiff,
    /// Chat templates.
    pub chat_template: TemplateDiff,
    /// Tensors: types, shapes, and those in one file only.
    pub tensors: TensorDiff,
    /// Tokens, their types and scores, special ids, merges.
    pub vocabulary: VocabularyDiff,
    /// Whether the two can be compared.
    pub comparable: Comparable,
    /// What is odd about one file and not about the other.
    pub oddities_of_first: Vec<Oddity>,
    /// As `oddities_of_first`.
    pub oddities_of_second: Vec<Oddity>,
}

/// One of the files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Shortest unique form of the name as the user gave it.
    pub name: String,
    /// Path as given.
    pub path: String,
    /// Size of all parts.
    pub bytes: u64,
    /// Bits of a weight on average over all tensors.
    pub bits_per_weight: Option<f64>,
}

/// Whether two files are builds of one model, and so can be measured against each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparable {
    /// Same architecture, vocabulary, tensors and shapes.
    pub same_model: bool,
    /// Why not; `None` where they are.
    pub reason: Option<String>,
    /// What a measurement would have to allow for.
    pub findings: Vec<Finding>,
}

impl Side {
    fn of(name: &str, gguf: &Gguf) -> Self {
        let path = gguf.parts()[0].as_os_str().as_encoded_bytes();
        Self {
            name: visible_bytes(name.as_bytes(), 500),
            path: visible_bytes(path, 4096),
            bytes: gguf.file_bytes(),
            bits_per_weight: gguf.bits_per_weight(),
        }
    }
}

/// The difference of two open files. Whether they can be compared, and what is odd about one of
/// them, is for the caller to fill in.
pub fn compare(
    (first_name, first): (&str, &Gguf),
    (second_name, second): (&str, &Gguf),
) -> Difference {
    Difference {
        schema_version: SCHEMA_VERSION,
        karat_version: env!("CARGO_PKG_VERSION"),
        first: Side::of(first_name, first),
        second: Side::of(second_name, second),
        metadata: KeyDiff::of(first.metadata(), second.metadata()),
        chat_template: TemplateDiff::of(first.metadata(), second.metadata()),
        tensors: TensorDiff::of(first.header(), second.header()),
        vocabulary: VocabularyDiff::of(first.header(), second.header()),
        comparable: Comparable::default(),
        oddities_of_first: Vec::new(),
        oddities_of_second: Vec::new(),
    }
}

impl Difference {
    /// Whether the headers say the same; tensor data play no part.
    pub fn is_empty(&self) -> bool {
        self.metadata.is_empty()
            && self.chat_template.is_empty()
            && self.tensors.is_empty()
            && self.vocabulary.is_empty()
    }
}
