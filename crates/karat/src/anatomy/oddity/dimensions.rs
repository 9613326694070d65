//! Widths that the keys and a layer's own tensors do not agree about. Known architectures only: which
//! key makes which tensor how wide is [`Shape`]'s to know.

use super::{Oddity, Subject, warning};
use crate::memory::{MemoryError, Shape};

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let header = subject.header;
    match Shape::read(header.metadata(), header.tensors()) {
        Err(error @ MemoryError::Rows { .. }) => {
            let message = format!("{error}; an engine that loads it may compute nonsense");
            vec![warning("dimensions", message)]
        }
        // What else is wrong with a header is other checks' to tell.
        _ => Vec::new(),
    }
}
