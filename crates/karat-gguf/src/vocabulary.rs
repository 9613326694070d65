//! The token strings of a model, by token id. It never splits or joins text.

use crate::metadata::Metadata;
use crate::value::StringList;

/// The vocabulary of a model: token id to string, as stored under `tokenizer.ggml.tokens`.
///
/// Strings are bytes: byte-level and byte-fallback vocabularies may hold invalid UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vocabulary<'a> {
    tokens: &'a StringList,
}

impl<'a> Vocabulary<'a> {
    pub(crate) fn of(metadata: &'a Metadata) -> Option<Self> {
        Some(Self { tokens: metadata.get_strings("tokenizer.ggml.tokens")? })
    }

    /// Number of tokens (n_vocab).
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The string of token `id`.
    pub fn get(&self, id: usize) -> Option<&'a [u8]> {
        self.tokens.get(id)
    }

    /// The strings by ascending id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        self.tokens.iter()
    }

    /// Gives a hash function what it needs to tell vocabularies apart.
    ///
    /// For each token by ascending id: the length of its string as 8 little-endian bytes, then
    /// the string. Two vocabularies yield the same bytes only if they have the same strings at
    /// the same ids; token types, scores and special-token ids play no part.
    pub fn feed_digest(&self, mut feed: impl FnMut(&[u8])) {
        for token in self.iter() {
            feed(&(token.len() as u64).to_le_bytes());
            feed(token);
        }
    }
}
