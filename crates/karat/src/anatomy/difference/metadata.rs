//! Keys that are in one file only, or whose values differ. Chat template and vocabulary have their
//! own files.

use karat_gguf::{Array, Metadata, Value};
use serde::Serialize;

use super::{template, vocabulary};
use crate::anatomy::shown::{KeyValue, Shown, element_text};
use crate::visible::visible;

/// Keys that differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct KeyDiff {
    /// In the first file only, in its order.
    pub only_in_first: Vec<KeyValue>,
    /// In the second file only, in its order.
    pub only_in_second: Vec<KeyValue>,
    /// In both with different values, in the first file's order.
    pub changed: Vec<Changed>,
    /// Keys with the same value in both, of any kind.
    pub same: u64,
}

/// A key with different values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// The key, hidden characters as escapes.
    pub key: String,
    /// In the first file.
    pub first: Shown,
    /// In the second file.
    pub second: Shown,
    /// Where two arrays differ; `None` where the values are no two arrays of one type.
    pub array: Option<ArrayChange>,
}

/// Where two arrays differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArrayChange {
    /// Elements that differ, as far as both have any.
    pub differing: u64,
    /// The first index at which they differ; the shorter one's length, where it is the beginning
    /// of the other.
    pub first_index: u64,
    /// What the first file has there.
    pub first: Option<String>,
    /// What the second file has there.
    pub second: Option<String>,
}

impl KeyDiff {
    pub(super) fn of(first: &Metadata, second: &Metadata) -> Self {
        let is_told_elsewhere = |key: &str| template::owns(key) || vocabulary::owns(key);
        let mut diff = Self::default();
        for (key, value) in first.iter() {
            match second.get(key) {
                Some(other) if is_same(value, other) => diff.same += 1,
                _ if is_told_elsewhere(key) => {}
                Some(other) => diff.changed.push(Changed {
                    key: visible(key),
                    first: Shown::of(value),
                    second: Shown::of(other),
                    array: value.as_array().zip(other.as_array()).and_then(array_change),
                }),
                None => diff.only_in_first.push(KeyValue::new(key, value)),
            }
        }
        let added = second.iter().filter(|(key, _)| first.get(key).is_none());
        let added = added.filter(|(key, _)| !is_told_elsewhere(key));
        diff.only_in_second = added.map(|(key, value)| KeyValue::new(key, value)).collect();
        diff
    }

    pub(super) fn is_empty(&self) -> bool {
        self.only_in_first.is_empty() && self.only_in_second.is_empty() && self.changed.is_empty()
    }
}

/// Equal, and for floats: the same to the bit, so that a NaN is no change.
fn is_same(first: &Value, second: &Value) -> bool {
    match (first, second) {
        (Value::F32(a), Value::F32(b)) => a.to_bits() == b.to_bits(),
        (Value::F64(a), Value::F64(b)) => a.to_bits() == b.to_bits(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len()
                && array_change((a, b)).is_none()
                && a.element_type() == b.element_type()
        }
        _ => first == second,
    }
}

/// Where two arrays of one type differ; `None` where they do not, or are of two types.
pub(super) fn array_change((first, second): (&Array, &Array)) -> Option<ArrayChange> {
    fn of<T>(first: &[T], second: &[T], is_same: impl Fn(&T, &T) -> bool) -> (u64, Option<usize>) {
        let unequal = std::iter::zip(first, second).enumerate();
        let mut unequal = unequal.filter(|(_, (a, b))| !is_same(a, b)).map(|(index, _)| index);
        let first_index = unequal.next();
        (u64::from(first_index.is_some()) + unequal.count() as u64, first_index)
    }
    let (differing, index) = match (first, second) {
        (Array::U8(a), Array::U8(b)) => of(a, b, PartialEq::eq),
        (Array::I8(a), Array::I8(b)) => of(a, b, PartialEq::eq),
        (Array::U16(a), Array::U16(b)) => of(a, b, PartialEq::eq),
        (Array::I16(a), Array::I16(b)) => of(a, b, PartialEq::eq),
        (Array::U32(a), Array::U32(b)) => of(a, b, PartialEq::eq),
        (Array::I32(a), Array::I32(b)) => of(a, b, PartialEq::eq),
        (Array::U64(a), Array::U64(b)) => of(a, b, PartialEq::eq),
        (Array::I64(a), Array::I64(b)) => of(a, b, PartialEq::eq),
        (Array::Bool(a), Array::Bool(b)) => of(a, b, PartialEq::eq),
        (Array::F32(a), Array::F32(b)) => of(a, b, |a, b| a.to_bits() == b.to_bits()),
        (Array::F64(a), Array::F64(b)) => of(a, b, |a, b| a.to_bits() == b.to_bits()),
        (Array::Array(a), Array::Array(b)) => of(a, b, |a, b| {
            a.element_type() == b.element_type()
                && a.len() == b.len()
                && array_change((a, b)).is_none()
        }),
        (Array::String(a), Array::String(b)) => {
            let (a, b): (Vec<&[u8]>, Vec<&[u8]>) = (a.iter().collect(), b.iter().collect());
            of(&a, &b, PartialEq::eq)
        }
        _ => return None,
    };
    let shorter = first.len().min(second.len());
    let is_longer = first.len() != second.len();
    let index = index.or_else(|| is_longer.then_some(shorter))?;
    Some(ArrayChange {
        differing,
        first_index: index as u64,
        first: element_text(first, index),
        second: element_text(second, index),
    })
}
