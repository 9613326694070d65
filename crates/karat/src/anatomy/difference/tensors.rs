//! Tensors that differ in type or shape, or are in one file only; layers are summed up.

use std::collections::BTreeMap;

use karat_gguf::{Header, Tensor};
use serde::Serialize;

use crate::anatomy::shown::name_text;
use crate::anatomy::tensor_pattern::pattern;

/// How the tables of tensors differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TensorDiff {
    /// Tensors of other types, by pattern of the name.
    pub types: Vec<TypeChange>,
    /// Tensors of other shapes, by pattern of the name.
    pub shapes: Vec<ShapeChange>,
    /// Patterns of tensors in the first file only, with their number.
    pub only_in_first: BTreeMap<String, u64>,
    /// Patterns of tensors in the second file only, with their number.
    pub only_in_second: BTreeMap<String, u64>,
    /// Tensors of the same type and shape in both.
    pub same: u64,
}

/// Tensors of one pattern that went from one type to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeChange {
    /// `blk.*.attn_v.weight`, or the whole name of a single tensor.
    pub tensors: String,
    /// How many.
    pub count: u64,
    /// Type in the first file.
    pub first: &'static str,
    /// Type in the second file.
    pub second: &'static str,
}

/// Tensors of one pattern with two shapes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShapeChange {
    /// `blk.*.attn_v.weight`, or the whole name of a single tensor.
    pub tensors: String,
    /// How many.
    pub count: u64,
    /// Shape in the first file, the row first.
    pub first: Vec<u64>,
    /// Shape in the second file.
    pub second: Vec<u64>,
}

/// How many tensors a pattern stands for, and one of them.
#[derive(Default)]
struct Group {
    count: u64,
    name: String,
}

impl TensorDiff {
    pub(super) fn of(first: &Header, second: &Header) -> Self {
        let mut diff = Self::default();
        let mut types: BTreeMap<(String, &'static str, &'static str), Group> = BTreeMap::new();
        let mut shapes: BTreeMap<(String, &[u64], &[u64]), Group> = BTreeMap::new();
        for tensor in first.tensors() {
            let Some(other) = second.tensor(&tensor.name) else {
                *diff.only_in_first.entry(key(tensor)).or_default() += 1;
                continue;
            };
            if tensor.dims != other.dims {
                let group = shapes.entry((key(tensor), &tensor.dims, &other.dims)).or_default();
                group.add(tensor);
            }
            if tensor.ty != other.ty {
                let names = (key(tensor), tensor.ty.name(), other.ty.name());
                types.entry(names).or_default().add(tensor);
            }
            diff.same += u64::from(tensor.dims == other.dims && tensor.ty == other.ty);
        }
        for tensor in second.tensors().iter().filter(|tensor| first.tensor(&tensor.name).is_none())
        {
            *diff.only_in_second.entry(key(tensor)).or_default() += 1;
        }
        let types = types.into_iter();
        diff.types = types
            .map(|((pattern, first, second), group)| {
                let (tensors, count) = group.told(pattern);
                TypeChange { tensors, count, first, second }
            })
            .collect();
        let shapes = shapes.into_iter();
        diff.shapes = shapes
            .map(|((pattern, first, second), group)| {
                let (tensors, count) = group.told(pattern);
                ShapeChange { tensors, count, first: first.to_vec(), second: second.to_vec() }
            })
            .collect();
        diff
    }

    pub(super) fn is_empty(&self) -> bool {
        self.types.is_empty()
            && self.shapes.is_empty()
            && self.only_in_first.is_empty()
            && self.only_in_second.is_empty()
    }
}

impl Group {
    fn add(&mut self, tensor: &Tensor) {
        self.count += 1;
        self.name.clone_from(&tensor.name);
    }

    /// A single tensor by its own name, several by their pattern.
    fn told(self, pattern: String) -> (String, u64) {
        (if self.count == 1 { name_text(&self.name) } else { pattern }, self.count)
    }
}

fn key(tensor: &Tensor) -> String {
    name_text(&pattern(&tensor.name))
}
