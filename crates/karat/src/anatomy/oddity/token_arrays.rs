//! Lists that go with the vocabulary and are not as long as it is, or not of numbers.

use karat_gguf::{Array, Value};

use super::{Oddity, Subject, warning};
use crate::anatomy::Shown;

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let Some(n_vocab) = subject.header.vocabulary().map(|vocabulary| vocabulary.len()) else {
        return Vec::new();
    };
    let metadata = subject.header.metadata();
    let mut oddities = Vec::new();
    for key in ["tokenizer.ggml.token_type", "tokenizer.ggml.scores"] {
        let said = match metadata.get(key) {
            None => continue,
            Some(Value::Array(Array::I32(_) | Array::U32(_) | Array::F32(_))) => {
                let len = metadata.get(key).and_then(Value::as_array).map_or(0, Array::len);
                if len == n_vocab {
                    continue;
                }
                format!("`{key}` has {len} entries for {n_vocab} tokens")
            }
            Some(other) => {
                let ty = Shown::of(other).r#type;
                format!("`{key}` is {ty}, it should be one number for each token")
            }
        };
        oddities.push(warning("token_arrays", said));
    }
    oddities
}
