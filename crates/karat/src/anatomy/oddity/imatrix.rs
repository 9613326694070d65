//! A type that is not made without an importance matrix, in a file that names none.

use karat_quant::FileTypeName;

use super::{Oddity, Subject, note};

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let file_type = subject.mix.file_type.as_ref().and_then(|file_type| file_type.name);
    let needs = file_type
        .and_then(|name| FileTypeName::parse(name).ok())
        .filter(|file_type| file_type.needs_imatrix);
    match needs {
        Some(file_type) if subject.origin.imatrix.is_empty() => vec![note(
            "imatrix",
            format!(
                "{file_type} is made with an importance matrix, but no `quantize.imatrix.` key \
                 says which"
            ),
        )],
        _ => Vec::new(),
    }
}
