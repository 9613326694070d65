//! A text as a job scores it: running text cut into windows, or conversations that are a window each.
//! Owns how a file becomes windows; computes no logits.

use std::path::Path;

use karat_llama::{Special, Vocab};

use super::chat_text::{ChatText, Talk};
use super::job::JobError;
use super::window::{Window, Windows};
use crate::backend::Token;
use crate::plan::Part;
use crate::settings::RulerSpec;
use crate::worker::SurveyedText;

/// A text, tokenized.
pub enum Text {
    /// Running text.
    Raw {
        /// All of it, with BOS in front where the model wants one.
        tokens: Vec<Token>,
        /// Tokens of a window.
        n_ctx: usize,
        /// The token each window begins with, where the model wants one.
        bos: Option<Token>,
    },
    /// Conversations.
    Chat(ChatText),
}

impl Text {
    /// Reads a file with the vocabulary (and for conversations the chat template) of `model`.
    pub fn read(
        vocab: &Vocab,
        model: &Path,
        path: &Path,
        ruler: &RulerSpec,
    ) -> Result<Self, JobError> {
        if ruler.chat {
            let text = read_utf8(path)?;
            return ChatText::read(vocab, model, path, &text, ruler.n_ctx as usize).map(Self::Chat);
        }
        let tokens = tokenize(vocab, path, ruler.parse_special)?;
        let bos = if vocab.adds_bos() { vocab.bos() } else { None };
        Ok(Self::Raw { tokens, n_ctx: ruler.n_ctx as usize, bos })
    }

    /// Tokens in all.
    pub fn n_tokens(&self) -> usize {
        match self {
            Self::Raw { tokens, .. } => tokens.len(),
            Self::Chat(chat) => chat.talks.iter().map(|talk| talk.tokens.len()).sum(),
        }
    }

    /// Windows in all.
    pub fn n_windows(&self) -> usize {
        match self {
            // A ruler of no length asks how long the text is, and for no windows.
            Self::Raw { tokens, n_ctx, .. } => tokens.len().checked_div(*n_ctx).unwrap_or(0),
            Self::Chat(chat) => chat.talks.len(),
        }
    }

    /// How much of it there is. `most`: windows that are to be scored, where not all of them.
    pub fn survey(&self, most: Option<u32>) -> SurveyedText {
        let scored = |window_idx| {
            self.window(window_idx, Part::SecondHalf).map(|window| window.scored().len() as u32)
        };
        SurveyedText {
            tokens: self.n_tokens() as u64,
            scored: (0..self.n_windows()).filter_map(scored).collect(),
            summary: self.chat().map(|chat| chat.summary(most)),
            warnings: self.chat().map(|chat| chat.warnings(most)).unwrap_or_default(),
        }
    }

    fn chat(&self) -> Option<&ChatText> {
        match self {
            Self::Raw { .. } => None,
            Self::Chat(chat) => Some(chat),
        }
    }

    /// The `window_idx`-th window, or its first half, where there is one. Conversations have no
    /// halves: what counts in them is said by the assistant.
    pub fn window(&self, window_idx: usize, part: Part) -> Option<Window<'_>> {
        match self {
            Self::Raw { tokens, n_ctx, bos } => {
                let windows = Windows::new(tokens, *n_ctx, *bos);
                match part {
                    Part::FirstHalf => windows.first_half(window_idx),
                    Part::SecondHalf => windows.get(window_idx),
                }
            }
            Self::Chat(chat) => {
                chat.talks.get(window_idx).map(|Talk { tokens, scored, .. }| {
                    Window::new(tokens.clone(), tokens, scored.clone())
                })
            }
        }
    }
}

/// Tokens of a text file, as llama-perplexity makes them: one newline at the very end does not
/// count, BOS goes in front where the model wants one.
pub fn tokenize(vocab: &Vocab, path: &Path, parse_special: bool) -> Result<Vec<Token>, JobError> {
    let text = read_utf8(path)?;
    let special = if parse_special { Special::Parsed } else { Special::AsText };
    Ok(vocab.tokenize(text.strip_suffix('\n').unwrap_or(&text), true, special)?)
}

fn read_utf8(path: &Path) -> Result<String, JobError> {
    let unreadable = |reason| JobError::Text { path: path.to_path_buf(), reason };
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        unreadable(format!("not UTF-8 at byte {at}; convert it first"))
    })
}
