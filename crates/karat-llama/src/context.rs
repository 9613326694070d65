//! A context: KV cache and compute buffers for one model, and the logits it produces.

use std::ffi::c_void;
use std::ptr::NonNull;

use llama_cpp_sys_2 as sys;

use crate::{EngineError, Model, Threads, Token, log};

/// Element type of the KV cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KvType {
    /// 32-bit floats.
    F32,
    /// 16-bit floats, the engine's default.
    #[default]
    F16,
    /// bfloat16.
    Bf16,
    /// 8.5 bits per element.
    Q8_0,
    /// 5.5 bits per element.
    Q5_0,
    /// 4.5 bits per element.
    Q4_0,
}

/// When the fused attention kernel is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlashAttention {
    /// Where the engine finds it supported on the device (the engine's default).
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// How to make a context.
#[derive(Clone, Debug)]
pub struct ContextParams {
    /// Tokens it holds.
    pub n_ctx: u32,
    /// Most tokens that one [`Context::decode`] takes.
    pub n_batch: u32,
    /// Tokens computed at once.
    pub n_ubatch: u32,
    /// Type of the K cache.
    pub kv_k: KvType,
    /// Type of the V cache.
    pub kv_v: KvType,
    /// Fused attention.
    pub flash_attention: FlashAttention,
}

/// Asked at every graph node; `true` aborts the running decode. Also the engine's sign of life.
type Watch = Box<dyn Fn() -> bool + Send + Sync>;

/// A context over one model. Decoding needs `&mut`, so logits borrow it until they are consumed.
pub struct Context {
    pub(crate) raw: NonNull<sys::llama_context>,
    pub(crate) position: usize,
    n_vocab: usize,
    /// Rows of the last decode.
    n_rows: usize,
    params: ContextParams,
    // Boxed twice: the engine holds a thin pointer to the inner box. Dropped after the context.
    watch: Option<Box<Watch>>,
    model: Model,
    // Keeps the attached pool alive.
    _threads: Threads,
}

// SAFETY: a context may move between threads; it is not used from two at once (`&mut self`).
unsafe impl Send for Context {}

/// Logits of the requested positions of one decode call, borrowed from the context.
#[derive(Clone, Copy, Debug)]
pub struct LogitRows<'c> {
    logits: &'c [f32],
    n_vocab: usize,
    softcap: Option<f32>,
}

impl<'c> LogitRows<'c> {
    /// Rows of `n_vocab` logits, one behind the other.
    pub fn new(logits: &'c [f32], n_vocab: usize) -> Self {
        Self { logits, n_vocab, softcap: None }
    }

    /// The same rows, of which it is said that c · tanh(x / c) is still to be done to each logit x.
    #[must_use]
    pub fn to_be_capped(self, c: f32) -> Self {
        Self { softcap: Some(c), ..self }
    }

    /// The c of c · tanh(x / c), where that is still to be done to each logit x; `None` where the rows
    /// are finished.
    pub fn softcap(&self) -> Option<f32> {
        self.softcap
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.logits.len() / self.n_vocab
    }

    /// Logits of all rows together.
    pub fn n_logits(&self) -> usize {
        self.logits.len()
    }

    /// Whether no position was requested.
    pub fn is_empty(&self) -> bool {
        self.logits.is_empty()
    }

    /// The `row`-th requested position's logits, `[n_vocab]`.
    pub fn row(&self, row: usize) -> &'c [f32] {
        &self.logits[row * self.n_vocab..(row + 1) * self.n_vocab]
    }
}

impl Context {
    /// Makes a context for `model` on `threads`.
    ///
    /// # Errors
    /// [`EngineError::Context`] where memory is short or the engine refuses the combination.
    pub fn new(
        model: &Model,
        params: &ContextParams,
        threads: &Threads,
    ) -> Result<Self, EngineError> {
        log::clear();
        let count = threads.count() as i32;
        // SAFETY: the model is valid, and the parameters are plain values.
        let raw = unsafe {
            let mut raw = sys::llama_context_default_params();
            raw.n_ctx = params.n_ctx;
            raw.n_batch = params.n_batch;
            raw.n_ubatch = params.n_ubatch;
            raw.n_seq_max = 1;
            // As the runners do: sliding-window layers keep only what they can still see.
            raw.swa_full = false;
            raw.n_threads = count;
            raw.n_threads_batch = count;
            raw.type_k = kv_type(params.kv_k);
            raw.type_v = kv_type(params.kv_v);
            raw.flash_attn_type = match params.flash_attention {
                FlashAttention::Auto => sys::LLAMA_FLASH_ATTN_TYPE_AUTO,
                FlashAttention::On => sys::LLAMA_FLASH_ATTN_TYPE_ENABLED,
                FlashAttention::Off => sys::LLAMA_FLASH_ATTN_TYPE_DISABLED,
            };
            sys::llama_init_from_model(model.raw(), raw)
        };
        let raw = NonNull::new(raw)
            .ok_or_else(|| EngineError::Context { n_ctx: params.n_ctx, reason: log::reason() })?;
        // SAFETY: both are valid; `_threads` keeps the pool alive as long as the context.
        unsafe { sys::llama_attach_threadpool(raw.as_ptr(), threads.raw(), threads.raw()) };
        Ok(Self {
            raw,
            position: 0,
            n_vocab: model.vocab().n_tokens(),
            n_rows: 0,
            params: params.clone(),
            watch: None,
            model: model.clone(),
            _threads: threads.clone(),
        })
    }

    /// The model it computes with.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Tokens it holds.
    pub fn n_ctx(&self) -> u32 {
        self.params.n_ctx
    }

    /// Most tokens one [`Context::decode`] takes.
    pub fn n_batch(&self) -> usize {
        self.params.n_batch as usize
    }

    /// Tokens in the KV cache.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Asks `watch` at every graph node of later decodes; `true` aborts with
    /// [`EngineError::Aborted`]. Works on the processor only.
    pub fn set_watch(&mut self, watch: impl Fn() -> bool + Send + Sync + 'static) {
        let watch: Box<Watch> = Box::new(Box::new(watch));
        let data: *const Watch = &raw const *watch;
        // SAFETY: the box does not move, and lives in `self` until the context is freed or the
        // callback replaced (which the next line of a later call does before dropping it).
        unsafe {
            sys::llama_set_abort_callback(
                self.raw.as_ptr(),
                Some(ask_watch),
                data.cast_mut().cast::<c_void>(),
            );
        }
        self.watch = Some(watch);
    }

    /// Empties the KV cache.
    pub fn clear(&mut self) {
        // SAFETY: the context is valid.
        unsafe { sys::llama_memory_clear(sys::llama_get_memory(self.raw.as_ptr()), true) };
        self.position = 0;
    }

    /// Appends `tokens` to the sequence and computes the logits of those at `outputs` (ascending
    /// indexes into `tokens`), one row each, in that order.
    ///
    /// # Errors
    /// More than `n_batch` tokens, a full context, outputs that are no ascending indexes, or an
    /// engine failure.
    pub fn decode(
        &mut self,
        tokens: &[Token],
        outputs: &[usize],
    ) -> Result<LogitRows<'_>, EngineError> {
        self.submit(tokens, outputs)?;
        self.logits()
    }

    /// The first half of [`Context::decode`]: has `tokens` computed, and may return before they are
    /// (on a GPU they are computed, and their logits copied to the host, while the caller does
    /// something else).
    ///
    /// # Errors
    /// As [`Context::decode`].
    pub fn submit(&mut self, tokens: &[Token], outputs: &[usize]) -> Result<(), EngineError> {
        let n_tokens = tokens.len();
        let want = self.position + n_tokens;
        if n_tokens > self.n_batch() || want > self.params.n_ctx as usize {
            return Err(EngineError::ContextFull { want, n_ctx: self.params.n_ctx });
        }
        if let Some(&token) = tokens.iter().find(|&&t| t < 0 || t as usize >= self.n_vocab) {
            return Err(EngineError::TokenRange { token, n_vocab: self.n_vocab });
        }
        self.n_rows = 0;
        let n_rows = outputs.len();
        // The rows come back as one buffer whose length is taken from this list.
        if !outputs.is_sorted_by(|one, next| one < next)
            || outputs.last().is_some_and(|&last| last >= n_tokens)
        {
            return Err(EngineError::Outputs { outputs: outputs.to_vec(), n_tokens });
        }
        self.hand_over(tokens, outputs)?;
        self.position = want;
        self.n_rows = n_rows;
        Ok(())
    }

    /// The second half of [`Context::decode`]: waits for the logits of the last submitted tokens.
    ///
    /// # Errors
    /// An engine failure.
    pub fn logits(&mut self) -> Result<LogitRows<'_>, EngineError> {
        if self.n_rows == 0 {
            return Ok(LogitRows::new(&[], self.n_vocab));
        }
        // SAFETY: after a decode the engine holds one row of `n_vocab` floats per requested
        // position, in order, until the next call that takes the context; `&mut self` borrows it.
        let logits = unsafe {
            let first = sys::llama_get_logits(self.raw.as_ptr());
            if first.is_null() {
                return Err(self.failure(self.n_rows, "no logits came back"));
            }
            std::slice::from_raw_parts(first, self.n_rows * self.n_vocab)
        };
        Ok(LogitRows::new(logits, self.n_vocab))
    }

    fn hand_over(&mut self, tokens: &[Token], outputs: &[usize]) -> Result<(), EngineError> {
        let n_tokens = tokens.len();
        let mut token = tokens.to_vec();
        let mut pos: Vec<sys::llama_pos> =
            (self.position..self.position + n_tokens).map(|p| p as sys::llama_pos).collect();
        let mut n_seq_id = vec![1_i32; n_tokens];
        let mut zero: sys::llama_seq_id = 0;
        let mut seq_id = vec![&raw mut zero; n_tokens];
        let mut wanted = vec![0_i8; n_tokens];
        for &output in outputs {
            wanted[output] = 1;
        }
        let batch = sys::llama_batch {
            n_tokens: n_tokens as i32,
            token: token.as_mut_ptr(),
            embd: std::ptr::null_mut(),
            pos: pos.as_mut_ptr(),
            n_seq_id: n_seq_id.as_mut_ptr(),
            seq_id: seq_id.as_mut_ptr(),
            logits: wanted.as_mut_ptr(),
        };
        log::clear();
        // SAFETY: every array has `n_tokens` entries and outlives the call.
        let code = unsafe { sys::llama_decode(self.raw.as_ptr(), batch) };
        match code {
            0 => Ok(()),
            1 => Err(self.failure(n_tokens, "no room in the KV cache")),
            2 => Err(EngineError::Aborted),
            -1 => Err(self.failure(n_tokens, "invalid batch")),
            _ => Err(self.failure(n_tokens, &log::reason())),
        }
    }

    pub(crate) fn raw(&self) -> *const sys::llama_context {
        self.raw.as_ptr()
    }

    fn failure(&self, n_tokens: usize, reason: &str) -> EngineError {
        EngineError::Decode { n_tokens, position: self.position, reason: reason.to_owned() }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: freed once; `watch`, `model` and the pool are dropped after this body.
        unsafe {
            sys::llama_detach_threadpool(self.raw.as_ptr());
            sys::llama_free(self.raw.as_ptr());
        }
    }
}

unsafe extern "C" fn ask_watch(data: *mut c_void) -> bool {
    // SAFETY: `data` is the boxed watch that the context owns.
    let watch = unsafe { &*data.cast::<Watch>() };
    watch()
}

fn kv_type(kv: KvType) -> sys::ggml_type {
    match kv {
        KvType::F32 => sys::GGML_TYPE_F32,
        KvType::F16 => sys::GGML_TYPE_F16,
        KvType::Bf16 => sys::GGML_TYPE_BF16,
        KvType::Q8_0 => sys::GGML_TYPE_Q8_0,
        KvType::Q5_0 => sys::GGML_TYPE_Q5_0,
        KvType::Q4_0 => sys::GGML_TYPE_Q4_0,
    }
}
