//! Ids of special tokens that are missing, no ids, or beyond the vocabulary.

use karat_gguf::Value;

use super::{Oddity, Subject, warning};
use crate::anatomy::shown::Shown;
use crate::anatomy::tokenizer::ROLES;

const ID: &str = "special_tokens";

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let Some(n_vocab) = subject.header.vocabulary().map(|vocabulary| vocabulary.len()) else {
        return Vec::new();
    };
    let metadata = subject.header.metadata();
    let mut oddities = Vec::new();
    for (_, key) in ROLES {
        let Some(value) = metadata.get(key) else { continue };
        let id = value.as_i64().and_then(|id| usize::try_from(id).ok());
        if id.is_none_or(|id| id >= n_vocab) {
            oddities.push(warning(
                ID,
                format!("`{key}` is {}, the vocabulary has {n_vocab} tokens", shown(value)),
            ));
        }
    }
    if metadata.get("tokenizer.ggml.eos_token_id").is_none() && subject.shape.is_model() {
        let message = "no EOS token is named: engines guess one, or generate until they are \
                       stopped";
        oddities.push(warning(ID, message.to_owned()));
    }
    let adds_bos = metadata.get_bool("tokenizer.ggml.add_bos_token") == Some(true);
    if adds_bos && metadata.get("tokenizer.ggml.bos_token_id").is_none() {
        let message = "a BOS token is to be added, but none is named: engines guess one";
        oddities.push(warning(ID, message.to_owned()));
    }
    oddities
}

fn shown(value: &Value) -> String {
    let shown = Shown::of(value);
    match value.as_i64() {
        Some(_) => shown.text,
        None => format!("{} ({})", shown.text, shown.r#type),
    }
}
