//! Headers that the engine cannot load. What makes one so is [`Shape`]'s to know, and what other verbs
//! refuse a file for is told here in the same words. Known architectures only.

use super::{Oddity, Subject, warning};
use crate::memory::Shape;

const ID: &str = "unloadable";

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let header = subject.header;
    if subject.shape.architecture.is_none() || !subject.shape.is_model() {
        return Vec::new();
    }
    if header.tensors().is_empty() {
        let message = "the file holds no tensor: there is nothing to compute with";
        return vec![warning(ID, message.to_owned())];
    }
    match Shape::read(header.metadata(), header.tensors()) {
        Err(error) if error.is_unloadable() => {
            vec![warning(ID, format!("{error}: the engine cannot load the file"))]
        }
        // Widths that contradict each other are `dimensions`' to tell: some the engine loads.
        _ => Vec::new(),
    }
}
