//! The tokenizer of a model: its kind, the tokens' types, and the tokens with a role. It never
//! splits a text.

use std::collections::BTreeMap;

use karat_gguf::{Array, Header, Metadata, Value};
use serde::Serialize;

use super::shown::{name_text, token_text};

/// Keys that give a token a role, in the order of the report.
///
/// Source: `LLM_KV_NAMES` of llama.cpp as vendored in llama-cpp-sys-2 0.1.161 (`seperator` is its
/// own spelling).
pub(super) const ROLES: [(&str, &str); 16] = [
    ("BOS", "tokenizer.ggml.bos_token_id"),
    ("EOS", "tokenizer.ggml.eos_token_id"),
    ("EOT", "tokenizer.ggml.eot_token_id"),
    ("EOM", "tokenizer.ggml.eom_token_id"),
    ("UNK", "tokenizer.ggml.unknown_token_id"),
    ("PAD", "tokenizer.ggml.padding_token_id"),
    ("SEP", "tokenizer.ggml.seperator_token_id"),
    ("CLS", "tokenizer.ggml.cls_token_id"),
    ("MASK", "tokenizer.ggml.mask_token_id"),
    ("FIM prefix", "tokenizer.ggml.fim_pre_token_id"),
    ("FIM suffix", "tokenizer.ggml.fim_suf_token_id"),
    ("FIM middle", "tokenizer.ggml.fim_mid_token_id"),
    ("FIM pad", "tokenizer.ggml.fim_pad_token_id"),
    ("FIM repository", "tokenizer.ggml.fim_rep_token_id"),
    ("FIM separator", "tokenizer.ggml.fim_sep_token_id"),
    ("prefix", "tokenizer.ggml.prefix_token_id"),
];

/// `LLAMA_TOKEN_TYPE_CONTROL` of llama.cpp.
pub(super) const CONTROL: i64 = 3;

/// The tokenizer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tokenizer {
    /// `tokenizer.ggml.model`.
    pub model: Option<String>,
    /// `tokenizer.ggml.pre`.
    pub pre: Option<String>,
    /// Entries of the vocabulary.
    pub tokens: u64,
    /// Merges of a BPE.
    pub merges: Option<u64>,
    /// Scores of the tokens.
    pub scores: Option<u64>,
    /// How many tokens are of which type, by ascending number of the type; empty where the file
    /// does not say.
    pub types: Vec<TypeCount>,
    /// Tokens with a role.
    pub special: Vec<SpecialToken>,
    /// `tokenizer.ggml.add_bos_token`.
    pub add_bos: Option<bool>,
    /// `tokenizer.ggml.add_eos_token`.
    pub add_eos: Option<bool>,
}

/// Tokens of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeCount {
    /// llama.cpp's name of the type.
    pub r#type: String,
    /// How many.
    pub tokens: u64,
}

/// A token with a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpecialToken {
    /// `BOS`, `EOS`, ...
    pub role: &'static str,
    /// Its id as stored; negative where the file says so.
    pub id: i64,
    /// Its text; `None` where the vocabulary has no such id.
    pub text: Option<String>,
    /// llama.cpp's name of its type.
    pub r#type: Option<String>,
}

impl Tokenizer {
    /// `None` where the file has neither a vocabulary nor a tokenizer's name.
    pub(super) fn of(header: &Header) -> Option<Self> {
        let metadata = header.metadata();
        let vocabulary = header.vocabulary();
        let model = metadata.get_str("tokenizer.ggml.model").map(name_text);
        if vocabulary.is_none() && model.is_none() {
            return None;
        }
        let length = |key| Some(metadata.get(key)?.as_array()?.len() as u64);
        Some(Self {
            model,
            pre: metadata.get_str("tokenizer.ggml.pre").map(name_text),
            tokens: vocabulary.map_or(0, |vocabulary| vocabulary.len() as u64),
            merges: length("tokenizer.ggml.merges"),
            scores: length("tokenizer.ggml.scores"),
            types: type_counts(metadata),
            special: ROLES.iter().filter_map(|&role| special(header, role)).collect(),
            add_bos: metadata.get_bool("tokenizer.ggml.add_bos_token"),
            add_eos: metadata.get_bool("tokenizer.ggml.add_eos_token"),
        })
    }
}

/// llama.cpp's name of a token type.
///
/// Source: `enum llama_token_type` of llama.cpp.
pub(super) fn type_name(number: i64) -> String {
    match number {
        0 => "UNDEFINED".to_owned(),
        1 => "NORMAL".to_owned(),
        2 => "UNKNOWN".to_owned(),
        CONTROL => "CONTROL".to_owned(),
        4 => "USER_DEFINED".to_owned(),
        5 => "UNUSED".to_owned(),
        6 => "BYTE".to_owned(),
        other => format!("type {other}"),
    }
}

/// The type of token `id`; `None` where the file does not say.
pub(super) fn token_type(metadata: &Metadata, id: usize) -> Option<i64> {
    match metadata.get("tokenizer.ggml.token_type")?.as_array()? {
        Array::I32(types) => types.get(id).copied().map(i64::from),
        Array::U32(types) => types.get(id).copied().map(i64::from),
        _ => None,
    }
}

fn type_counts(metadata: &Metadata) -> Vec<TypeCount> {
    let n_types =
        metadata.get("tokenizer.ggml.token_type").and_then(Value::as_array).map_or(0, Array::len);
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for number in (0..n_types).filter_map(|id| token_type(metadata, id)) {
        *counts.entry(number).or_default() += 1;
    }
    // A damaged array may hold a million different numbers; nobody reads the rest of them.
    let counts = counts.into_iter().take(16);
    counts.map(|(number, tokens)| TypeCount { r#type: type_name(number), tokens }).collect()
}

fn special(header: &Header, (role, key): (&'static str, &str)) -> Option<SpecialToken> {
    let id = header.metadata().get(key)?.as_i64()?;
    let idx = usize::try_from(id).ok();
    let text = idx.and_then(|idx| header.vocabulary()?.get(idx).map(token_text));
    let number = idx.and_then(|idx| token_type(header.metadata(), idx));
    Some(SpecialToken { role, id, text, r#type: number.map(type_name) })
}
