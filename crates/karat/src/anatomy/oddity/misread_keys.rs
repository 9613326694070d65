//! Keys whose values are not what their names ask for.

use super::{Oddity, Subject, warning};
use crate::anatomy::keys::Misread;

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let line = |misread: &Misread| {
        format!("`{}` is {}, it should be {}", misread.key, misread.found, misread.want)
    };
    subject.shape.misread.iter().map(|misread| warning("misread_keys", line(misread))).collect()
}
