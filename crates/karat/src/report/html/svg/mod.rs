//! Parts of a drawing: frame, scales, axes, marks, labels.
//! Owns the list; each plot puts them together.

pub(super) mod axis;
pub(super) mod frame;
pub(super) mod label;
pub(super) mod mark;
pub(super) mod scale;
pub(super) mod series_names;
