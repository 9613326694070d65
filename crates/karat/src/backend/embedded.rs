//! The embedded engine (llama.cpp in this process) as a backend. Runs in workers only.

use std::path::Path;

use karat_llama::{
    Context, ContextParams, FlashAttention, GpuLayers, KvType, LogitRows, MetadataOverride, Model,
    ModelParams, Threads, Token, Vocab,
};

use crate::settings::Kv;

use super::{BackendError, Logits};

/// One model on the embedded engine, with a context of its own.
pub struct Embedded {
    context: Context,
    vocab: Vocab,
}

/// How to load it. The same for every model of a comparison.
#[derive(Clone, Debug)]
pub struct EmbeddedParams {
    /// Tokens of the context.
    pub n_ctx: u32,
    /// Most tokens submitted at once.
    pub n_batch: u32,
    /// Tokens computed at once.
    pub n_ubatch: u32,
    /// Type of the KV cache.
    pub kv: Kv,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
}

impl EmbeddedParams {
    /// How the model is loaded.
    pub fn model_params(&self) -> ModelParams {
        let gpu_layers = match self.gpu_layers {
            None => GpuLayers::All,
            Some(0) => GpuLayers::None,
            Some(count) => GpuLayers::Count(count),
        };
        ModelParams { gpu_layers, ..ModelParams::default() }
    }

    /// How its context is made.
    pub fn context_params(&self) -> ContextParams {
        let kv = kv_type(self.kv);
        ContextParams {
            n_ctx: self.n_ctx,
            n_batch: self.n_batch,
            n_ubatch: self.n_ubatch,
            kv_k: kv,
            kv_v: kv,
            flash_attention: FlashAttention::Auto,
        }
    }
}

impl Embedded {
    /// Loads a model as the runners do. `alive` is called while it loads and, on the processor, while
    /// it computes.
    pub fn load(
        path: &Path,
        params: &EmbeddedParams,
        threads: &Threads,
        alive: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, BackendError> {
        let model = load_model(path, params, Vec::new(), &alive)?;
        Self::over(&model, params, threads, alive)
    }

    /// One more context over the same weights, made the same way.
    pub fn beside(
        &self,
        params: &EmbeddedParams,
        threads: &Threads,
        alive: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, BackendError> {
        Self::over(self.context.model(), params, threads, alive)
    }

    /// A context of its own over a model that is loaded.
    pub(super) fn over(
        model: &Model,
        params: &EmbeddedParams,
        threads: &Threads,
        alive: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, BackendError> {
        let mut context = Context::new(model, &params.context_params(), threads)?;
        context.set_watch(move || {
            alive();
            false
        });
        Ok(Self { context, vocab: model.vocab() })
    }

    /// Its context, to generate with.
    pub(super) fn context(&mut self) -> &mut Context {
        &mut self.context
    }

    /// Tokens of its context.
    pub fn n_ctx(&self) -> u32 {
        self.context.n_ctx()
    }

    /// The model's vocabulary.
    pub fn vocab(&self) -> &Vocab {
        &self.vocab
    }
}

/// The engine's name of a KV type.
pub fn kv_type(kv: Kv) -> KvType {
    match kv {
        Kv::F32 => KvType::F32,
        Kv::F16 => KvType::F16,
        Kv::Bf16 => KvType::Bf16,
        Kv::Q8_0 => KvType::Q8_0,
        Kv::Q5_0 => KvType::Q5_0,
        Kv::Q4_0 => KvType::Q4_0,
    }
}

/// Loads the weights, with `metadata` in place of the file's.
pub(super) fn load_model(
    path: &Path,
    params: &EmbeddedParams,
    metadata: Vec<MetadataOverride>,
    alive: &impl Fn(),
) -> Result<Model, BackendError> {
    let model_params = ModelParams { metadata, ..params.model_params() };
    Ok(Model::load(path, &model_params, |_| {
        alive();
        true
    })?)
}

impl Logits for Embedded {
    fn n_vocab(&self) -> usize {
        self.vocab.n_tokens()
    }

    fn max_advance(&self) -> usize {
        self.context.n_batch()
    }

    fn restart(&mut self) {
        self.context.clear();
    }

    fn submit(&mut self, tokens: &[Token], scored: &[usize]) -> Result<(), BackendError> {
        Ok(self.context.submit(tokens, scored)?)
    }

    fn rows(&mut self) -> Result<LogitRows<'_>, BackendError> {
        Ok(self.context.logits()?)
    }
}
