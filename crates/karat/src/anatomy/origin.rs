//! Where a file says it comes from: chat templates, the importance matrix, models it was made of,
//! who made it under which licence. It repeats what the keys say and checks nothing.

use karat_gguf::{Header, Value};
use serde::Serialize;

use super::shown::{KeyValue, name_text};
use crate::digest::sha256_hex;

/// Key of the chat template that is used unless another is asked for.
pub(super) const CHAT_TEMPLATE: &str = "tokenizer.chat_template";
/// Keys of importance matrices.
const IMATRIX: &str = "quantize.imatrix.";
/// Keys of origin, by the beginning of their names.
const ORIGIN: [&str; 20] = [
    "general.name",
    "general.basename",
    "general.finetune",
    "general.version",
    "general.size_label",
    "general.author",
    "general.organization",
    "general.quantized_by",
    "general.repo_url",
    "general.url",
    "general.doi",
    "general.uuid",
    "general.license",
    "general.source.",
    "general.base_model.",
    "general.dataset.",
    "general.datasets",
    "general.tags",
    "general.languages",
    "general.description",
];

/// A chat template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChatTemplate {
    /// Its name; `None` of the one that is used unless another is asked for.
    pub name: Option<String>,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Lines of its text.
    pub lines: u64,
}

/// Where the file comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// Chat templates, the default one first.
    pub chat_templates: Vec<ChatTemplate>,
    /// Keys of the importance matrix; empty where none was used, or the file does not say.
    pub imatrix: Vec<KeyValue>,
    /// Name, maker, licence, base models and sources.
    pub provenance: Vec<KeyValue>,
}

impl Origin {
    pub(super) fn of(header: &Header) -> Self {
        let named = format!("{CHAT_TEMPLATE}.");
        let metadata = header.metadata();
        let mut origin = Self::default();
        origin
            .chat_templates
            .extend(metadata.get(CHAT_TEMPLATE).and_then(|value| ChatTemplate::of(None, value)));
        for (key, value) in metadata.iter() {
            if let Some(name) = key.strip_prefix(&named) {
                origin.chat_templates.extend(ChatTemplate::of(Some(name_text(name)), value));
            } else if key.starts_with(IMATRIX) {
                origin.imatrix.push(KeyValue::new(key, value));
            } else if ORIGIN.iter().any(|part| is_under(key, part)) {
                origin.provenance.push(KeyValue::new(key, value));
            }
        }
        origin
    }
}

/// Whether `key` is `part`, one of its derived forms (`general.license.link`), or begins with it
/// where it ends in a dot.
fn is_under(key: &str, part: &str) -> bool {
    key.strip_prefix(part)
        .is_some_and(|rest| part.ends_with('.') || rest.is_empty() || rest.starts_with('.'))
}

impl ChatTemplate {
    /// `None` where the value is no string.
    fn of(name: Option<String>, value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        let bytes = text.as_bytes();
        Some(Self {
            name,
            sha256: sha256_hex(bytes),
            bytes: bytes.len() as u64,
            lines: bytes.split_inclusive(|&byte| byte == b'\n').count() as u64,
        })
    }
}
