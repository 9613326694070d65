//! What is in a model file: its shape, types, tokenizer and origin, what is odd about it, and how
//! two files differ. Values in, values out: headers and mapped data come from the caller, nothing
//! is opened or printed here.

mod data_check;
mod difference;
mod examine;
mod keys;
mod known_architectures;
mod mix;
mod oddity;
mod origin;
mod shape;
mod shown;
mod tensor_pattern;
mod tokenizer;

pub use data_check::{DataCheck, TensorFaults, check_data, data_oddities};
pub use difference::{
    ArrayChange, Changed, Comparable, Difference, KeyDiff, ShapeChange, Side, TemplateDiff,
    TensorDiff, TokenChange, TypeChange, VocabularyDiff, compare,
};
pub use examine::{Anatomy, Identity, Inspection, Part, SCHEMA_VERSION, examine, oddities_of};
pub use keys::{Misread, PerLayer};
pub use mix::{FileType, Mix, NamedTensor, TypeShare};
pub use oddity::Oddity;
pub use origin::{ChatTemplate, Origin};
pub use shape::Shape;
pub use shown::{KeyValue, Shown};
pub use tokenizer::{SpecialToken, Tokenizer, TypeCount};
