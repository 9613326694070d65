//! The embedded engine for nothing but logits: without what scoring does not need or does faster
//! itself. Owns which parts of a model are left out; generates no text.
//!
//! Two parts are. The vocabulary: scoring needs its size, and only the model that tokenizes needs more
//! (reading 262,144 tokens takes the engine about a second). And the final softcap, where the engine's
//! graph does without it when its metadata say 0: on the processor it is one call of the C library's
//! tanh per logit, a third of the forward pass of a small model; the metrics kernel applies it to a
//! row it is about to read anyway.

use std::path::Path;

use karat_gguf::Gguf;
use karat_llama::{LogitRows, MetadataOverride, Threads, Token, Vocab};

use super::embedded::{Embedded, EmbeddedParams, load_model};
use super::{BackendError, Logits};

/// Architectures whose graph leaves out the softcap where it is 0, and nothing else then: those whose
/// rows a test compares with the engine's own. (In others, such as gemma2 and gemma3n, the engine
/// divides by it unasked.) Read in the sources of llama-cpp-sys-2 0.1.161.
const OPTIONAL_SOFTCAP: &[&str] = &["gemma4"];

/// What is loaded of a vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// All of it, to tokenize with.
    Whole,
    /// How many entries it has.
    Size,
}

/// One model on the embedded engine that gives logits and nothing else.
pub struct EmbeddedLogits {
    engine: Embedded,
    vocabulary: Vocabulary,
    softcap: Option<f32>,
}

impl EmbeddedLogits {
    /// Loads a model. `alive` is called while it loads and, on the processor, while it computes.
    pub fn load(
        path: &Path,
        params: &EmbeddedParams,
        threads: &Threads,
        vocabulary: Vocabulary,
        alive: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, BackendError> {
        let gguf = Gguf::open(path)?;
        // A GPU caps its logits in no time.
        let softcap = optional_softcap(&gguf).filter(|_| params.gpu_layers == Some(0));
        let mut metadata = Vec::new();
        if let Some((key, _)) = &softcap {
            metadata.push(MetadataOverride::F32(key.clone(), 0.0));
        }
        if vocabulary == Vocabulary::Size {
            metadata.extend(no_vocabulary(&gguf));
        }
        let model = load_model(path, params, metadata, &alive)?;
        let engine = Embedded::over(&model, params, threads, alive)?;
        Ok(Self { engine, vocabulary, softcap: softcap.map(|(_, cap)| cap) })
    }

    /// One more context over the same weights, made the same way.
    pub fn beside(
        &self,
        params: &EmbeddedParams,
        threads: &Threads,
        alive: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, BackendError> {
        Ok(Self { engine: self.engine.beside(params, threads, alive)?, ..*self })
    }

    /// The model's vocabulary, where it was loaded.
    pub fn vocab(&self) -> Option<&Vocab> {
        (self.vocabulary == Vocabulary::Whole).then(|| self.engine.vocab())
    }
}

impl Logits for EmbeddedLogits {
    fn n_vocab(&self) -> usize {
        self.engine.n_vocab()
    }

    fn max_advance(&self) -> usize {
        self.engine.max_advance()
    }

    fn restart(&mut self) {
        self.engine.restart();
    }

    fn submit(&mut self, tokens: &[Token], scored: &[usize]) -> Result<(), BackendError> {
        self.engine.submit(tokens, scored)
    }

    fn rows(&mut self) -> Result<LogitRows<'_>, BackendError> {
        let rows = self.engine.rows()?;
        Ok(match self.softcap {
            Some(cap) => rows.to_be_capped(cap),
            None => rows,
        })
    }
}

/// Key and value of a softcap that the engine can do without.
fn optional_softcap(gguf: &Gguf) -> Option<(String, f32)> {
    let architecture = gguf.architecture().filter(|name| OPTIONAL_SOFTCAP.contains(name))?;
    let key = format!("{architecture}.final_logit_softcapping");
    // Stored as f32, so nothing is lost; without the key the engine takes a default of its own.
    let cap = gguf.metadata().get_f64(&key)? as f32;
    (cap.is_finite() && cap > 0.0).then_some((key, cap))
}

/// What makes the engine take the vocabulary for so many nameless tokens.
fn no_vocabulary(gguf: &Gguf) -> Vec<MetadataOverride> {
    let (Some(architecture), Some(vocabulary)) = (gguf.architecture(), gguf.vocabulary()) else {
        return Vec::new();
    };
    vec![
        MetadataOverride::Str("tokenizer.ggml.model".to_owned(), "none".to_owned()),
        MetadataOverride::U32(format!("{architecture}.vocab_size"), vocabulary.len() as u32),
    ]
}
