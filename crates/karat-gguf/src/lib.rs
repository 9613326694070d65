//! Reads GGUF files: header, metadata, tensor table, tensor data, and the block layouts that
//! analyses decode. Safe on hostile input. It holds no policy, writes nothing, and runs no model.
//!
//! ```no_run
//! # fn main() -> Result<(), karat_gguf::GgufError> {
//! let gguf = karat_gguf::Gguf::open("model.gguf".as_ref())?;
//! let n_ctx = gguf.metadata().get_u64("llama.context_length");
//! for tensor in gguf.tensors() {
//!     let data: &[u8] = gguf.tensor_data(tensor);
//!     assert_eq!(data.len() as u64, tensor.bytes);
//! }
//! # Ok(())
//! # }
//! ```
#![deny(unsafe_code)]

mod cursor;
pub mod decode;
mod error;
mod floats;
mod ggml_type;
mod gguf;
mod header;
mod metadata;
mod read_value;
mod split;
mod tensor;
mod value;
mod vocabulary;

pub use error::{GgufError, HeaderError};
pub use floats::{BlockFloat, FloatClass, FloatFormat, FloatRole};
pub use ggml_type::{GgmlType, TypeIdError};
pub use gguf::Gguf;
pub use header::Header;
pub use metadata::Metadata;
pub use tensor::Tensor;
pub use value::{Array, StringList, Text, Value, ValueType};
pub use vocabulary::Vocabulary;
