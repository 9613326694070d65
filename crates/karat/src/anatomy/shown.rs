//! Metadata values and tokens as people read them: on one line, hidden characters escaped, cut
//! where they are long. It never gives a key a meaning.

use karat_gguf::{Array, Value};
use serde::Serialize;

use crate::visible::{visible, visible_bytes};

/// Most characters of a string that are shown.
const MAX_CHARS: usize = 200;
/// Arrays up to this length are shown whole, if their elements are not arrays.
const WHOLE_LEN: usize = 8;
/// Elements of a longer array that are shown.
const FIRST_LEN: usize = 3;
/// Most characters of an element that are shown.
const MAX_ELEMENT_CHARS: usize = 40;

/// A value as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Stored type in the GGUF specification's spelling: `UINT32`, `STRING[8192]`.
    pub r#type: String,
    /// The value: hidden characters as escapes, long strings and arrays cut with `…`.
    pub text: String,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyValue {
    /// The key, hidden characters as escapes.
    pub key: String,
    /// Its value.
    pub value: Shown,
}

impl KeyValue {
    pub(super) fn new(key: &str, value: &Value) -> Self {
        Self { key: visible(key), value: Shown::of(value) }
    }
}

impl Shown {
    /// The value for people.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Array(array) => {
                let ty = format!("{}[{}]", array.element_type().name(), array.len());
                Self { r#type: ty, text: array_text(array) }
            }
            _ => Self { r#type: value.value_type().name().to_owned(), text: scalar_text(value) },
        }
    }
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::U8(v) => v.to_string(),
        Value::I8(v) => v.to_string(),
        Value::U16(v) => v.to_string(),
        Value::I16(v) => v.to_string(),
        Value::U32(v) => v.to_string(),
        Value::I32(v) => v.to_string(),
        Value::F32(v) => v.to_string(),
        Value::Bool(v) => v.to_string(),
        Value::String(v) => visible_bytes(v.as_bytes(), MAX_CHARS),
        Value::Array(v) => array_text(v),
        Value::U64(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::F64(v) => v.to_string(),
    }
}

fn array_text(array: &Array) -> String {
    let is_whole = array.len() <= WHOLE_LEN && !matches!(array, Array::Array(_));
    let n_shown = if is_whole { array.len() } else { FIRST_LEN.min(array.len()) };
    let mut parts: Vec<String> =
        (0..n_shown).filter_map(|index| element_text(array, index)).collect();
    if n_shown < array.len() {
        parts.push("…".to_owned());
    }
    format!("[{}]", parts.join(", "))
}

/// Element `index` of an array; `None` beyond its end.
pub(super) fn element_text(array: &Array, index: usize) -> Option<String> {
    Some(match array {
        Array::U8(v) => v.get(index)?.to_string(),
        Array::I8(v) => v.get(index)?.to_string(),
        Array::U16(v) => v.get(index)?.to_string(),
        Array::I16(v) => v.get(index)?.to_string(),
        Array::U32(v) => v.get(index)?.to_string(),
        Array::I32(v) => v.get(index)?.to_string(),
        Array::F32(v) => v.get(index)?.to_string(),
        Array::Bool(v) => v.get(index)?.to_string(),
        Array::String(v) => token_text(v.get(index)?),
        Array::Array(v) => {
            let inner = v.get(index)?;
            format!("{}[{}]", inner.element_type().name(), inner.len())
        }
        Array::U64(v) => v.get(index)?.to_string(),
        Array::I64(v) => v.get(index)?.to_string(),
        Array::F64(v) => v.get(index)?.to_string(),
    })
}

/// A token, or another short string that stands among others.
pub(super) fn token_text(bytes: &[u8]) -> String {
    visible_bytes(bytes, MAX_ELEMENT_CHARS)
}

/// A name from the file inside a sentence.
pub(super) fn name_text(name: &str) -> String {
    visible_bytes(name.as_bytes(), MAX_ELEMENT_CHARS * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &Value, ty: &str, text: &str) {
        assert_eq!(Shown::of(value), Shown { r#type: ty.to_owned(), text: text.to_owned() });
    }

    #[test]
    fn short_values_are_shown_whole() {
        check(&Value::U32(7), "UINT32", "7");
        check(&Value::F32(0.95), "FLOAT32", "0.95");
        check(&Value::Array(Array::Bool(vec![true, false])), "BOOL[2]", "[true, false]");
    }

    #[test]
    fn long_and_hostile_values_are_cut_and_made_visible() {
        let huge = Value::String("x".repeat(10 << 20).as_str().into());
        check(&huge, "STRING", &("x".repeat(MAX_CHARS) + "…"));
        check(&Value::String("\x1b]0;gone\x07".into()), "STRING", r"\u{1b}]0;gone\u{7}");
        check(&Value::Array(Array::U8(vec![1; 9])), "UINT8[9]", "[1, 1, 1, …]");
        let nested = Array::Array(vec![Array::U8(vec![1, 2])]);
        check(&Value::Array(nested), "ARRAY[1]", "[UINT8[2]]");
    }
}
