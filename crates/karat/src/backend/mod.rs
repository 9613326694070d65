//! What can run a model: [`Generate`] for text, [`Logits`] for distributions. They are separate, so
//! that a plan that asks a server for logits is refused before anything loads.
//!
//! A backend is one file here; the embedded engine is the first.

pub mod embedded;
pub mod embedded_logits;

pub use karat_llama::{LogitRows, Sampling, Token};

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

/// A piece of a streamed answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta<'a> {
    /// Its bytes; a UTF-8 character may be split between two.
    pub bytes: &'a [u8],
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The model ended its turn.
    Stop,
    /// The token limit or the context was reached.
    Length,
    /// The caller stopped listening.
    Cancelled,
}

/// What to answer, and how.
#[derive(Clone, Copy, Debug)]
pub struct Prompt<'a> {
    /// Text with the template's special tokens written out.
    pub text: &'a str,
    /// Most tokens of the answer.
    pub max_tokens: usize,
    /// How tokens are chosen.
    pub sampling: Sampling,
}

/// A finished answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// All of it; bytes that are no UTF-8 became U+FFFD.
    pub text: String,
    /// Tokens of the prompt.
    pub prompt_tokens: u64,
    /// Tokens of the answer, the end token not included.
    pub generated_tokens: u64,
    /// Why it ended.
    pub finish: FinishReason,
}

/// Text generation.
pub trait Generate {
    /// Answers one prompt from scratch. `listen` gets the pieces as they come and returns whether
    /// to go on.
    fn generate(
        &mut self,
        prompt: &Prompt<'_>,
        listen: &mut dyn FnMut(Delta<'_>) -> bool,
    ) -> Result<Generation, BackendError>;
}
