//! Text to token ids and back.

use llama_cpp_sys_2 as sys;

use crate::{EngineError, Model};

/// A token id.
pub type Token = i32;

/// Whether special tokens written in a text count as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// `<bos>` in the text is five characters.
    AsText,
    /// `<bos>` in the text is one token.
    Parsed,
}

/// A model's vocabulary.
#[derive(Clone, Debug)]
pub struct Vocab {
    model: Model,
    raw: *const sys::llama_vocab,
}

// SAFETY: the vocabulary is part of the immutable model, which `model` keeps alive.
unsafe impl Send for Vocab {}
// SAFETY: as above.
unsafe impl Sync for Vocab {}

impl Vocab {
    pub(crate) fn of(model: Model) -> Self {
        // SAFETY: the pointer lives as long as the model, which moves into the value.
        let raw = unsafe { sys::llama_model_get_vocab(model.raw()) };
        Self { model, raw }
    }

    /// The model it belongs to.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Entries.
    pub fn n_tokens(&self) -> usize {
        // SAFETY: valid as long as `self`.
        unsafe { sys::llama_vocab_n_tokens(self.raw) as usize }
    }

    /// The token that begins a text, where the model has one.
    pub fn bos(&self) -> Option<Token> {
        // SAFETY: valid as long as `self`.
        let token = unsafe { sys::llama_vocab_bos(self.raw) };
        (token >= 0).then_some(token)
    }

    /// The token that ends a text, where the model has one.
    pub fn eos(&self) -> Option<Token> {
        // SAFETY: valid as long as `self`.
        let token = unsafe { sys::llama_vocab_eos(self.raw) };
        (token >= 0).then_some(token)
    }

    /// Whether the model wants [`Vocab::bos`] in front of a text.
    pub fn adds_bos(&self) -> bool {
        // SAFETY: valid as long as `self`.
        unsafe { sys::llama_vocab_get_add_bos(self.raw) }
    }

    /// Whether a token ends generation.
    pub fn is_end(&self, token: Token) -> bool {
        self.contains(token)
            // SAFETY: valid as long as `self`, and the id is in range.
            && unsafe { sys::llama_vocab_is_eog(self.raw, token) }
    }

    /// Token ids of `text`. `add_special` puts BOS (and EOS) where the model wants them.
    pub fn tokenize(
        &self,
        text: &str,
        add_special: bool,
        special: Special,
    ) -> Result<Vec<Token>, EngineError> {
        let too_long = || EngineError::Tokenize(text.len());
        let length = i32::try_from(text.len()).map_err(|_| too_long())?;
        // No tokenizer makes more tokens than bytes, plus BOS and EOS and a leading space.
        let mut tokens = vec![0; text.len() + 4];
        loop {
            // SAFETY: both buffers are passed with their lengths.
            let n = unsafe {
                sys::llama_tokenize(
                    self.raw,
                    text.as_ptr().cast(),
                    length,
                    tokens.as_mut_ptr(),
                    i32::try_from(tokens.len()).map_err(|_| too_long())?,
                    add_special,
                    special == Special::Parsed,
                )
            };
            if let Ok(n) = usize::try_from(n) {
                tokens.truncate(n);
                return Ok(tokens);
            }
            let needed = n.checked_neg().ok_or_else(too_long)? as usize;
            tokens.resize(needed, 0);
        }
    }

    /// Bytes of one token as generation prints it; special tokens as their text when `special` is
    /// [`Special::Parsed`], else as nothing. May be part of a UTF-8 character.
    pub fn piece(&self, token: Token, special: Special) -> Result<Vec<u8>, EngineError> {
        if !self.contains(token) {
            return Err(EngineError::TokenRange { token, n_vocab: self.n_tokens() });
        }
        let mut bytes = vec![0_u8; 64];
        loop {
            // SAFETY: the buffer is passed with its length, and the id is in range.
            let n = unsafe {
                sys::llama_token_to_piece(
                    self.raw,
                    token,
                    bytes.as_mut_ptr().cast(),
                    bytes.len() as i32,
                    0,
                    special == Special::Parsed,
                )
            };
            if let Ok(n) = usize::try_from(n) {
                bytes.truncate(n);
                return Ok(bytes);
            }
            bytes.resize(n.unsigned_abs() as usize, 0);
        }
    }

    /// Text of a token sequence, special tokens included; bytes that are no UTF-8 become U+FFFD.
    pub fn detokenize(&self, tokens: &[Token]) -> Result<String, EngineError> {
        let mut bytes = Vec::new();
        for &token in tokens {
            bytes.extend(self.piece(token, Special::Parsed)?);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn contains(&self, token: Token) -> bool {
        usize::try_from(token).is_ok_and(|id| id < self.n_tokens())
    }
}
