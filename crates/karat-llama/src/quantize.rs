//! The engine's own quantizer: GGUF in, GGUF out. What llama-quantize calls.

use std::ffi::CString;
use std::path::Path;

use llama_cpp_sys_2 as sys;

use crate::metadata::metadata_list;
use crate::model::c_string;
use crate::{EngineError, MetadataOverride, log};

/// A file type as the engine numbers it (`llama_ftype`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileType(pub u32);

/// Importance of the inputs of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct ImatrixEntry {
    /// Tensor name.
    pub name: String,
    /// Mean squared activation per input column, `[ne0 * n_expert]`.
    pub values: Vec<f32>,
}

/// What to make of the input.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the engine's own struct")]
pub struct QuantizeParams {
    /// File type to make.
    pub file_type: FileType,
    /// Threads.
    pub n_threads: u32,
    /// Type of `output.weight` (ggml type id).
    pub output_type: Option<u32>,
    /// Type of the token embedding (ggml type id).
    pub token_embedding_type: Option<u32>,
    /// Accept an input that is already quantized.
    pub allow_requantize: bool,
    /// Quantize `output.weight` at all.
    pub quantize_output: bool,
    /// Copy the tensors as they are.
    pub only_copy: bool,
    /// One type for all tensors, no mixture.
    pub pure: bool,
    /// Importance matrix; empty for none.
    pub imatrix: Vec<ImatrixEntry>,
    /// Types of tensors whose name a pattern (ECMAScript regex, searched) finds; first match wins.
    pub tensor_types: Vec<(String, u32)>,
    /// Metadata to set in the output.
    pub metadata: Vec<MetadataOverride>,
}

impl QuantizeParams {
    /// The engine's defaults for a file type.
    pub fn new(file_type: FileType) -> Self {
        Self {
            file_type,
            n_threads: 0,
            output_type: None,
            token_embedding_type: None,
            allow_requantize: false,
            quantize_output: true,
            only_copy: false,
            pure: false,
            imatrix: Vec::new(),
            tensor_types: Vec::new(),
            metadata: Vec::new(),
        }
    }
}

/// Quantizes `input` into `output`, which is overwritten.
///
/// # Errors
/// [`EngineError::Quantize`] with the engine's own error lines; the output may be half-written then,
/// so callers write to a temporary name.
pub fn quantize(input: &Path, output: &Path, params: &QuantizeParams) -> Result<(), EngineError> {
    crate::init();
    log::clear();
    let c_input = c_string(&input.to_string_lossy())?;
    let c_output = c_string(&output.to_string_lossy())?;
    let imatrix = Imatrix::new(&params.imatrix)?;
    let tensor_types = TensorTypes::new(&params.tensor_types)?;
    let metadata = metadata_list(&params.metadata)?;
    // SAFETY: every list is terminated as the engine expects and outlives the call.
    let code = unsafe {
        let mut raw = sys::llama_model_quantize_default_params();
        raw.nthread = params.n_threads as i32;
        raw.ftype = params.file_type.0;
        raw.output_tensor_type = params.output_type.unwrap_or(sys::GGML_TYPE_COUNT);
        raw.token_embedding_type = params.token_embedding_type.unwrap_or(sys::GGML_TYPE_COUNT);
        raw.allow_requantize = params.allow_requantize;
        raw.quantize_output_tensor = params.quantize_output;
        raw.only_copy = params.only_copy;
        raw.pure_ = params.pure;
        if !params.imatrix.is_empty() {
            raw.imatrix = imatrix.list.as_ptr();
        }
        if !params.tensor_types.is_empty() {
            raw.tt_overrides = tensor_types.list.as_ptr();
        }
        if !params.metadata.is_empty() {
            raw.kv_overrides = metadata.as_ptr();
        }
        sys::llama_model_quantize(c_input.as_ptr(), c_output.as_ptr(), &raw const raw)
    };
    if code == 0 {
        Ok(())
    } else {
        Err(EngineError::Quantize { path: input.to_path_buf(), reason: log::reason() })
    }
}

/// The engine's list of importance entries, ended by a null name.
struct Imatrix<'a> {
    list: Vec<sys::llama_model_imatrix_data>,
    _names: Vec<CString>,
    _values: std::marker::PhantomData<&'a [f32]>,
}

impl<'a> Imatrix<'a> {
    fn new(entries: &'a [ImatrixEntry]) -> Result<Self, EngineError> {
        let names =
            entries.iter().map(|entry| c_string(&entry.name)).collect::<Result<Vec<_>, _>>()?;
        let mut list: Vec<_> = entries
            .iter()
            .zip(&names)
            .map(|(entry, name)| sys::llama_model_imatrix_data {
                name: name.as_ptr(),
                data: entry.values.as_ptr(),
                size: entry.values.len(),
            })
            .collect();
        list.push(sys::llama_model_imatrix_data {
            name: std::ptr::null(),
            data: std::ptr::null(),
            size: 0,
        });
        Ok(Self { list, _names: names, _values: std::marker::PhantomData })
    }
}

/// The engine's list of per-tensor types, ended by a null pattern.
struct TensorTypes {
    list: Vec<sys::llama_model_tensor_override>,
    _patterns: Vec<CString>,
}

impl TensorTypes {
    fn new(types: &[(String, u32)]) -> Result<Self, EngineError> {
        let patterns =
            types.iter().map(|(pattern, _)| c_string(pattern)).collect::<Result<Vec<_>, _>>()?;
        let mut list: Vec<_> = types
            .iter()
            .zip(&patterns)
            .map(|((_, type_id), pattern)| sys::llama_model_tensor_override {
                pattern: pattern.as_ptr(),
                type_: *type_id,
            })
            .collect();
        list.push(sys::llama_model_tensor_override {
            pattern: std::ptr::null(),
            type_: sys::GGML_TYPE_COUNT,
        });
        Ok(Self { list, _patterns: patterns })
    }
}
