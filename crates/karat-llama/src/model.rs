//! A loaded model: weights, shape, metadata. Contexts and vocabularies borrow from it by handle.

use std::ffi::{CString, c_void};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

use llama_cpp_sys_2 as sys;

use crate::metadata::metadata_list;
use crate::{EngineError, MetadataOverride, Vocab, log};

/// How many layers live on the GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GpuLayers {
    /// None: everything on the processor.
    #[default]
    None,
    /// This many, from the output end.
    Count(u32),
    /// All of them.
    All,
}

/// How to load a model.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the engine's own loader")]
pub struct ModelParams {
    /// Layers on the GPU.
    pub gpu_layers: GpuLayers,
    /// Map the file instead of reading it.
    pub mmap: bool,
    /// Repack quantized weights for the processor's matrix instructions. Changes the logits by a
    /// little, so all models of a comparison must agree on it.
    pub repack: bool,
    /// Load the vocabulary and no weights.
    pub vocab_only: bool,
    /// Read the header only: weights, caches and compute buffers are sized and not allocated. Such a
    /// model can tell what it would take, and cannot compute. Excludes `mmap`.
    pub no_alloc: bool,
    /// Metadata to be taken instead of the file's. The engine ignores keys that it does not read.
    pub metadata: Vec<MetadataOverride>,
}

impl Default for ModelParams {
    fn default() -> Self {
        Self {
            gpu_layers: GpuLayers::None,
            mmap: true,
            repack: true,
            vocab_only: false,
            no_alloc: false,
            metadata: Vec::new(),
        }
    }
}

/// A loaded model. Clones share the weights.
#[derive(Clone, Debug)]
pub struct Model(Arc<Handle>);

#[derive(Debug)]
struct Handle(NonNull<sys::llama_model>);

// SAFETY: a model is immutable after loading; the engine reads it from several threads itself.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Model {
    /// Loads a GGUF file (the first part of a split one). `progress` gets shares from 0 to 1 and may
    /// return `false` to stop.
    ///
    /// # Errors
    /// [`EngineError::Load`] with the engine's own error lines.
    pub fn load(
        path: &Path,
        params: &ModelParams,
        mut progress: impl FnMut(f32) -> bool,
    ) -> Result<Self, EngineError> {
        crate::init();
        log::clear();
        let c_path = c_string(&path.to_string_lossy())?;
        let metadata = metadata_list(&params.metadata)?;
        let mut callback: &mut dyn FnMut(f32) -> bool = &mut progress;
        // SAFETY: `callback`, `c_path` and `metadata` outlive the call, which does not keep them.
        let raw = unsafe {
            let mut raw = sys::llama_model_default_params();
            raw.n_gpu_layers = match params.gpu_layers {
                GpuLayers::None => 0,
                GpuLayers::Count(count) => i32::try_from(count).unwrap_or(i32::MAX),
                GpuLayers::All => -1,
            };
            raw.load_mode = if params.mmap && !params.no_alloc {
                sys::LLAMA_LOAD_MODE_MMAP
            } else {
                sys::LLAMA_LOAD_MODE_NONE
            };
            raw.use_extra_bufts = params.repack;
            raw.vocab_only = params.vocab_only;
            raw.no_alloc = params.no_alloc;
            raw.kv_overrides = metadata.as_ptr();
            raw.progress_callback = Some(report_progress);
            raw.progress_callback_user_data = (&raw mut callback).cast();
            sys::llama_model_load_from_file(c_path.as_ptr(), raw)
        };
        match NonNull::new(raw) {
            Some(raw) => Ok(Self(Arc::new(Handle(raw)))),
            None => Err(EngineError::Load { path: path.to_path_buf(), reason: log::reason() }),
        }
    }

    /// The vocabulary.
    pub fn vocab(&self) -> Vocab {
        Vocab::of(self.clone())
    }

    /// Tokens the model was trained to see at once.
    pub fn n_ctx_train(&self) -> u32 {
        // SAFETY: the handle is valid as long as `self`.
        unsafe { sys::llama_model_n_ctx_train(self.raw()) as u32 }
    }

    /// Bytes of all tensors.
    pub fn weight_bytes(&self) -> u64 {
        // SAFETY: the handle is valid as long as `self`.
        unsafe { sys::llama_model_size(self.raw()) }
    }

    /// Number of weights.
    pub fn n_params(&self) -> u64 {
        // SAFETY: the handle is valid as long as `self`.
        unsafe { sys::llama_model_n_params(self.raw()) }
    }

    pub(crate) fn raw(&self) -> *mut sys::llama_model {
        self.0.0.as_ptr()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: contexts hold a clone of the `Arc`, so none is left.
        unsafe { sys::llama_model_free(self.0.as_ptr()) };
    }
}

unsafe extern "C" fn report_progress(share: f32, data: *mut c_void) -> bool {
    // SAFETY: `data` is the `&mut &mut dyn FnMut` that `load` keeps alive during the call.
    let callback = unsafe { &mut *data.cast::<&mut dyn FnMut(f32) -> bool>() };
    callback(share)
}

pub(crate) fn c_string(text: &str) -> Result<CString, EngineError> {
    CString::new(text).map_err(|_| EngineError::NulByte(text.replace('\0', "␀")))
}
