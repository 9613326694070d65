//! What can run a model: [`Generate`] for text, [`Logits`] for distributions. They are separate, so
//! that a plan that asks a server for logits is refused before anything loads.
//!
//! A backend is one file or folder here: the embedded engine, Ollama, and every server that speaks
//! OpenAI's chat completions.

mod answer;
mod counter;
pub mod embedded;
pub mod embedded_generate;
pub mod embedded_logits;
mod http;
mod markup;
pub mod ollama;
pub mod openai;
pub mod runaway;
mod thought_tally;

pub use crate::generation::{ChatRequest, Ready, Sampling, SamplingValues, Terms, Thinking};
pub use answer::Listener;
pub use answer::splitter::{Piece, ThinkingSplitter};
pub use http::Patience;
pub use karat_llama::{LogitRows, Token};
pub use markup::{Mark, Markup};

use crate::generation::{Generation, GenerationFailure};
use crate::record::Finding;

/// Why a backend could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The embedded engine failed.
    #[error(transparent)]
    Engine(#[from] karat_llama::EngineError),
    /// The model file is none.
    #[error(transparent)]
    Gguf(#[from] karat_gguf::GgufError),
}

/// Next-token distributions of one model, window by window.
pub trait Logits {
    /// Entries of a row.
    fn n_vocab(&self) -> usize;

    /// Most tokens that one [`Logits::submit`] takes.
    fn max_advance(&self) -> usize;

    /// Forgets everything seen, so that the next window stands alone.
    fn restart(&mut self);

    /// Appends `tokens` and has the logits at the positions `scored` (ascending indexes into `tokens`)
    /// computed. May return before they are.
    fn submit(&mut self, tokens: &[Token], scored: &[usize]) -> Result<(), BackendError>;

    /// Waits for the logits that the last [`Logits::submit`] wanted: one row each, borrowed until the
    /// next call.
    fn rows(&mut self) -> Result<LogitRows<'_>, BackendError>;

    /// Both in one.
    fn advance(
        &mut self,
        tokens: &[Token],
        scored: &[usize],
    ) -> Result<LogitRows<'_>, BackendError> {
        self.submit(tokens, scored)?;
        self.rows()
    }
}

/// Text of one model.
pub trait Generate {
    /// Checks before anything is measured that the model is there and takes `terms`: loads it where
    /// that is ours to do, and sees to it that it is alone where that can be seen. What does not hold
    /// is [`crate::generation::FailureKind::NotAsAsked`]; what cannot be verified is a finding.
    fn get_ready(&mut self, terms: &Terms) -> Result<Ready, GenerationFailure>;

    /// Answers one conversation from scratch. `listen` gets the pieces as they come and returns whether
    /// to go on; an answer that it ended is an answer, cancelled.
    fn generate(
        &mut self,
        request: &ChatRequest,
        listen: Listener<'_>,
    ) -> Result<Generation, GenerationFailure>;

    /// Ends a series of answers: frees what [`Generate::get_ready`] loaded, and tells what only the
    /// whole series shows, e.g. that no answer thought although every one was asked to.
    fn finish(&mut self) -> Result<Vec<Finding>, GenerationFailure>;
}

/// A model that a server has under a name.
pub trait Served: Generate {
    /// What the server says the model behind the name is, and what runs it. Equal words are one model as
    /// far as the server tells; `None` where it tells nothing but the name. Loads nothing.
    fn identify(&mut self) -> Result<Option<String>, GenerationFailure>;

    /// Bytes of the model, where the server told them when it was identified.
    fn bytes(&self) -> Option<u64>;

    /// Tokens of a text in the model's vocabulary, none added; `None` where the server counts none
    /// without an answer. It has to have been identified or ready before.
    fn count_tokens(&self, text: &str) -> Result<Option<u64>, GenerationFailure>;
}
