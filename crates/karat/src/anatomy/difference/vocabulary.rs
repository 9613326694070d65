//! Tokens, token types, scores, special ids and merges that differ.

use karat_gguf::{Array, Header, Metadata, Value};
use serde::Serialize;

use super::metadata::{ArrayChange, array_change};
use crate::anatomy::shown::{Shown, token_text};
use crate::anatomy::tokenizer::{ROLES, token_type, type_name};

const TOKENS: &str = "tokenizer.ggml.tokens";
const TYPES: &str = "tokenizer.ggml.token_type";
const SCORES: &str = "tokenizer.ggml.scores";
const MERGES: &str = "tokenizer.ggml.merges";
/// Most tokens that are listed.
const MAX_LISTED: usize = 20;

/// How the vocabularies differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VocabularyDiff {
    /// Tokens in the first file.
    pub first_tokens: u64,
    /// Tokens in the second file.
    pub second_tokens: u64,
    /// Ids at which the two have different strings, as far as both have any.
    pub differing_tokens: u64,
    /// The first of them.
    pub tokens: Vec<TokenChange>,
    /// Ids at which the types differ.
    pub differing_types: u64,
    /// The first of them.
    pub types: Vec<TokenChange>,
    /// Where the scores differ.
    pub scores: Option<ArrayChange>,
    /// Where the merges differ.
    pub merges: Option<ArrayChange>,
    /// Special ids that differ: role, value in the first file, in the second.
    pub special: Vec<(&'static str, Option<String>, Option<String>)>,
    /// Lists that only one file has, or that are of two types.
    pub lists: Vec<(String, Option<String>, Option<String>)>,
}

/// A token that is not the same in both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenChange {
    /// Its id.
    pub id: u64,
    /// Its text in the first file.
    pub text: String,
    /// In the first file: the type, or the text.
    pub first: String,
    /// In the second file.
    pub second: String,
}

/// Whether this file tells about a key.
pub(super) fn owns(key: &str) -> bool {
    [TOKENS, TYPES, SCORES, MERGES].contains(&key) || ROLES.iter().any(|(_, role)| *role == key)
}

impl VocabularyDiff {
    pub(super) fn of(first: &Header, second: &Header) -> Self {
        let mut diff = Self::default();
        diff.compare_tokens(first, second);
        diff.compare_types(first, second);
        let (ours, theirs) = (first.metadata(), second.metadata());
        diff.scores = both(ours, theirs, SCORES).and_then(array_change);
        diff.merges = both(ours, theirs, MERGES).and_then(array_change);
        diff.special = special(ours, theirs);
        diff.lists = lists(ours, theirs);
        diff
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first_tokens == self.second_tokens
            && self.differing_tokens == 0
            && self.differing_types == 0
            && self.scores.is_none()
            && self.merges.is_none()
            && self.special.is_empty()
            && self.lists.is_empty()
    }

    fn compare_tokens(&mut self, first: &Header, second: &Header) {
        let count = |header: &Header| header.vocabulary().map_or(0, |v| v.len()) as u64;
        (self.first_tokens, self.second_tokens) = (count(first), count(second));
        let (Some(ours), Some(theirs)) = (first.vocabulary(), second.vocabulary()) else { return };
        for (id, (our, their)) in std::iter::zip(ours.iter(), theirs.iter()).enumerate() {
            if our == their {
                continue;
            }
            self.differing_tokens += 1;
            if self.tokens.len() < MAX_LISTED {
                let (text, second) = (token_text(our), token_text(their));
                let change = TokenChange { id: id as u64, text: text.clone(), first: text, second };
                self.tokens.push(change);
            }
        }
    }

    fn compare_types(&mut self, first: &Header, second: &Header) {
        let (ours, theirs) = (first.metadata(), second.metadata());
        let len = |metadata: &Metadata| {
            metadata.get(TYPES).and_then(Value::as_array).map_or(0, Array::len)
        };
        for id in 0..len(ours).min(len(theirs)) {
            let (Some(our), Some(their)) = (token_type(ours, id), token_type(theirs, id)) else {
                continue;
            };
            if our == their {
                continue;
            }
            self.differing_types += 1;
            if self.types.len() < MAX_LISTED {
                let text = first.vocabulary().and_then(|v| v.get(id)).map(token_text);
                let (first, second) = (type_name(our), type_name(their));
                let text = text.unwrap_or_default();
                self.types.push(TokenChange { id: id as u64, text, first, second });
            }
        }
    }
}

/// A list that both have, of one type.
fn both<'a>(
    first: &'a Metadata,
    second: &'a Metadata,
    key: &str,
) -> Option<(&'a Array, &'a Array)> {
    first.get(key)?.as_array().zip(second.get(key)?.as_array())
}

fn special(
    first: &Metadata,
    second: &Metadata,
) -> Vec<(&'static str, Option<String>, Option<String>)> {
    let shown = |metadata: &Metadata, key| metadata.get(key).map(|value| Shown::of(value).text);
    let changed = ROLES.iter().filter(|(_, key)| {
        let id = |metadata: &Metadata| metadata.get(key).and_then(Value::as_i64);
        // The same number in another width is the same id.
        let (ours, theirs) = (first.get(key), second.get(key));
        ours != theirs && (id(first).is_none() || id(first) != id(second))
    });
    changed.map(|(role, key)| (*role, shown(first, key), shown(second, key))).collect()
}

/// Lists that one file lacks, or that are of two types or lengths.
fn lists(first: &Metadata, second: &Metadata) -> Vec<(String, Option<String>, Option<String>)> {
    let kind = |metadata: &Metadata, key| metadata.get(key).map(|value| Shown::of(value).r#type);
    [TOKENS, TYPES, SCORES, MERGES]
        .into_iter()
        .map(|key| (key.to_owned(), kind(first, key), kind(second, key)))
        .filter(|(_, ours, theirs)| ours != theirs)
        .collect()
}
