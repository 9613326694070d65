//! Reads the keys of one architecture as what they should be, and remembers those that are
//! something else. It never fills in a default.

use karat_gguf::{Array, Metadata, Value};
use serde::Serialize;

use super::shown::name_text;

/// Most layers that a list is read for. The largest models have a few hundred; a longer list is no
/// list of layers.
const MAX_LAYERS: usize = 1 << 14;

/// A number that may differ from layer to layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PerLayer {
    /// The same in every layer.
    All(u64),
    /// One for each layer.
    Each(Vec<u64>),
}

impl PerLayer {
    /// The largest; `None` of an empty list.
    pub fn largest(&self) -> Option<u64> {
        match self {
            Self::All(number) => Some(*number),
            Self::Each(numbers) => numbers.iter().copied().max(),
        }
    }
}

/// A key whose value is not what its name asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Misread {
    /// The key.
    pub key: String,
    /// Type or value that was found.
    pub found: String,
    /// What it should be.
    pub want: &'static str,
}

/// The keys of an architecture.
pub(super) struct Keys<'a> {
    metadata: &'a Metadata,
    prefix: &'a str,
    pub(super) misread: Vec<Misread>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(metadata: &'a Metadata, architecture: &'a str) -> Self {
        Self { metadata, prefix: architecture, misread: Vec::new() }
    }

    /// A count; `None` where the key is missing or holds something else.
    pub(super) fn number(&mut self, name: &str) -> Option<u64> {
        let (key, value) = self.value(name)?;
        let number = value.as_u64();
        self.checked(&key, value, "a whole number that is not negative", number)
    }

    /// A count for all layers or for each.
    pub(super) fn per_layer(&mut self, name: &str) -> Option<PerLayer> {
        let (key, value) = self.value(name)?;
        let read = match value {
            Value::Array(array) if array.len() <= MAX_LAYERS => {
                whole_numbers(array).map(PerLayer::Each)
            }
            _ => value.as_u64().map(PerLayer::All),
        };
        self.checked(&key, value, "whole numbers that are not negative", read)
    }

    /// A finite number with a fraction.
    pub(super) fn real(&mut self, name: &str) -> Option<f64> {
        let (key, value) = self.value(name)?;
        let real = value.as_f64().filter(|real| real.is_finite());
        self.checked(&key, value, "a finite float", real)
    }

    /// A word.
    pub(super) fn word(&mut self, name: &str) -> Option<String> {
        let (key, value) = self.value(name)?;
        let word = value.as_str().map(name_text);
        self.checked(&key, value, "a UTF-8 string", word)
    }

    /// How many layers are marked, of how many; a scalar is a period and marks no layer by itself.
    pub(super) fn marked(&mut self, name: &str) -> Option<(u64, u64)> {
        let (key, value) = self.value(name)?;
        let marks = match value {
            Value::Array(Array::Bool(marks)) => marks.iter().filter(|&&mark| mark).count(),
            Value::Array(array) => {
                let numbers = whole_numbers(array);
                let marks = numbers.map(|numbers| numbers.iter().filter(|&&n| n != 0).count());
                self.checked(&key, value, "an array of bools", marks)?
            }
            _ => return None,
        };
        Some((marks as u64, value.as_array()?.len() as u64))
    }

    fn value(&self, name: &str) -> Option<(String, &'a Value)> {
        let key = format!("{}.{name}", self.prefix);
        let value = self.metadata.get(&key)?;
        Some((key, value))
    }

    fn checked<T>(
        &mut self,
        key: &str,
        value: &Value,
        want: &'static str,
        read: Option<T>,
    ) -> Option<T> {
        if read.is_none() {
            let key = name_text(key);
            self.misread.push(Misread { key, found: found(value), want });
        }
        read
    }
}

/// A wrong value in few words.
fn found(value: &Value) -> String {
    match (value.as_i64(), value.as_f64()) {
        (Some(number), _) => number.to_string(),
        (_, Some(real)) => format!("{real} ({})", value.value_type().name()),
        _ => super::shown::Shown::of(value).r#type,
    }
}

/// The elements of an integer array; `None` where one is negative or they are no integers.
pub(super) fn whole_numbers(array: &Array) -> Option<Vec<u64>> {
    fn all<T: Copy + TryInto<u64>>(numbers: &[T]) -> Option<Vec<u64>> {
        numbers.iter().map(|&number| number.try_into().ok()).collect()
    }
    match array {
        Array::U8(v) => all(v),
        Array::I8(v) => all(v),
        Array::U16(v) => all(v),
        Array::I16(v) => all(v),
        Array::U32(v) => all(v),
        Array::I32(v) => all(v),
        Array::U64(v) => all(v),
        Array::I64(v) => all(v),
        _ => None,
    }
}
