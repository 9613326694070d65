//! The families that come with karat, inside the binary.

use super::{Family, TaskError};

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$((concat!($name, ".toml"), include_str!(concat!("../../../../tasks/", $name, ".toml")))),+]
    };
}

/// Task files of the repository's folder `tasks/`.
const FILES: &[(&str, &str)] = files![
    "bug_fix",
    "code_from_spec",
    "constraint_conflict",
    "date_arithmetic",
    "exact_arithmetic",
    "long_context_recall",
    "multilingual",
    "strict_json",
    "table_lookup",
    "tool_call",
    "unit_arithmetic",
    "word_list",
];

/// The bundled families, by name.
pub fn bundled() -> Result<Vec<Family>, TaskError> {
    FILES.iter().map(|(file, text)| Family::parse(file, text)).collect()
}
