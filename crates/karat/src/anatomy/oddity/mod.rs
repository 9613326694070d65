//! What is odd about a model file: one function per oddity, in one list. None of them is an error;
//! a file that cannot be read at all never gets here.

mod alignment;
mod architecture;
mod chat_template;
mod control_tokens;
mod data_end;
mod dimensions;
mod hidden_text;
mod imatrix;
mod layers;
mod measures;
mod misread_keys;
mod missing_keys;
mod output_copy;
mod special_tokens;
mod token_arrays;
mod type_label;
mod unloadable;
mod vocabulary_rows;

use serde::Serialize;

use super::examine::Subject;
use crate::record::Severity;

/// Something about a file that its reader should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Oddity {
    /// Stable name of the kind of oddity, for programs.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is odd, and what it means, in a sentence or two.
    pub message: String,
}

/// Looks for one kind of oddity.
type Check = fn(&Subject) -> Vec<Oddity>;

/// Every check, in the order of the report.
const CHECKS: &[Check] = &[
    architecture::check,
    missing_keys::check,
    misread_keys::check,
    measures::check,
    layers::check,
    dimensions::check,
    unloadable::check,
    type_label::check,
    imatrix::check,
    output_copy::check,
    vocabulary_rows::check,
    token_arrays::check,
    special_tokens::check,
    control_tokens::check,
    chat_template::check,
    hidden_text::check,
    alignment::check,
    data_end::check,
];

pub(super) fn oddities(subject: &Subject) -> Vec<Oddity> {
    CHECKS.iter().flat_map(|check| check(subject)).collect()
}

/// Something that changes what the model does, or what the reader should think of it.
pub(super) fn warning(id: &'static str, message: String) -> Oddity {
    Oddity { id, severity: Severity::Warning, message }
}

/// Something that is good to know.
pub(super) fn note(id: &'static str, message: String) -> Oddity {
    Oddity { id, severity: Severity::Note, message }
}

/// `a`, `b` and 3 more: the first `max` of them.
pub(super) fn some_of(names: &[String], max: usize) -> String {
    let shown: Vec<String> = names.iter().take(max).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(max) {
        0 => match shown.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        },
        n_more => format!("{} and {n_more} more", shown.join(", ")),
    }
}

/// `1 tensor`, `2 tensors`.
pub(super) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
