//! No architecture, or one that the engine does not know.

use super::{Oddity, Subject, note, warning};

const ID: &str = "architecture";

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let shape = &subject.shape;
    let Some(architecture) = &shape.architecture else {
        let message = "`general.architecture` is missing or no string: no engine can tell what \
                       the tensors are for";
        return vec![warning(ID, message.to_owned())];
    };
    if !shape.is_model() {
        let kind = shape.kind.as_deref().unwrap_or_default();
        return vec![note(ID, format!("the file says that it is a {kind}, not a whole model"))];
    }
    if shape.known {
        return Vec::new();
    }
    vec![warning(
        ID,
        format!(
            "architecture `{architecture}` is unknown to karat's engine: measures are shown as \
             the keys state them, and the model cannot be run here"
        ),
    )]
}
