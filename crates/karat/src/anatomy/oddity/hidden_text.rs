//! Keys, values and tensor names with characters that do not show, or that are no UTF-8: terminal
//! codes, reversed text, tags.

use karat_gguf::{Text, Value};

use super::{Oddity, Subject, count, some_of, warning};
use crate::anatomy::origin::CHAT_TEMPLATE;
use crate::anatomy::shown::name_text;
use crate::visible::is_hidden;

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let metadata = subject.header.metadata();
    let keys = metadata.iter().filter(|(key, _)| has_hidden(key)).map(|(key, _)| name_text(key));
    let strange_values = metadata.iter().filter(|(key, value)| {
        let is_template = key.starts_with(CHAT_TEMPLATE);
        matches!(value, Value::String(text) if is_strange(text, is_template))
    });
    let of_values = strange_values.map(|(key, _)| name_text(key));
    let tensors = subject.header.tensors().iter().filter(|tensor| has_hidden(&tensor.name));
    let tensors = tensors.map(|tensor| name_text(&tensor.name));
    let found: [(&str, &str, Vec<String>); 3] = [
        ("key", ": ", keys.collect()),
        ("value", ", of ", of_values.collect()),
        ("tensor name", ": ", tensors.collect()),
    ];
    let found = found.into_iter().filter(|(_, _, names)| !names.is_empty());
    found
        .map(|(what, lead, names)| {
            warning(
                "hidden_text",
                format!(
                    "{} with hidden characters or invalid UTF-8{lead}{}; shown here as escapes",
                    count(names.len(), what),
                    some_of(&names, 3)
                ),
            )
        })
        .collect()
}

/// Line ends and tabs belong to text; a template may also hold characters that do not show,
/// because it matches the texts of users.
fn is_strange(text: &Text, is_template: bool) -> bool {
    match text.as_str() {
        None => true,
        Some(text) if is_template => text.contains('\u{1b}'),
        Some(text) => has_hidden(text),
    }
}

fn has_hidden(text: &str) -> bool {
    text.chars().any(|c| is_hidden(c) && !matches!(c, '\n' | '\r' | '\t'))
}
