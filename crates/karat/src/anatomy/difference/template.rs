//! The chat templates of two files as a unified text diff.

use karat_gguf::{Metadata, Value};
use serde::Serialize;
use similar::TextDiff;

use crate::anatomy::origin::CHAT_TEMPLATE;
use crate::digest::sha256_hex;
use crate::visible::{is_hidden, visible_start};

/// Most lines of a diff that are kept.
const MAX_LINES: usize = 400;
/// Most characters of a line that are kept.
const MAX_LINE_CHARS: usize = 300;
/// Templates longer than this are compared by their hashes alone: a diff takes time beyond
/// proportion, and no template in use is a tenth as long.
const MAX_BYTES: usize = 1 << 20;

/// How the templates differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TemplateDiff {
    /// SHA-256 of the first file's; `None` where it has none.
    pub first_sha256: Option<String>,
    /// SHA-256 of the second file's.
    pub second_sha256: Option<String>,
    /// Unified diff, hidden characters as escapes; empty where there are not two different ones.
    pub lines: Vec<String>,
    /// Lines of the diff that were left out.
    pub omitted_lines: u64,
    /// Templates of other names that are not the same in both.
    pub other_names: Vec<String>,
}

/// Whether this file tells about a key.
pub(super) fn owns(key: &str) -> bool {
    key.strip_prefix(CHAT_TEMPLATE).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl TemplateDiff {
    pub(super) fn of(first: &Metadata, second: &Metadata) -> Self {
        let (ours, theirs) = (text(first), text(second));
        let hash = |text: Option<&[u8]>| text.map(sha256_hex);
        let mut diff = Self {
            first_sha256: hash(ours),
            second_sha256: hash(theirs),
            other_names: other_names(first, second),
            ..Self::default()
        };
        if let (Some(ours), Some(theirs)) = (ours, theirs)
            && ours != theirs
            && ours.len().max(theirs.len()) <= MAX_BYTES
        {
            let lines = unified(&String::from_utf8_lossy(ours), &String::from_utf8_lossy(theirs));
            diff.omitted_lines = lines.len().saturating_sub(MAX_LINES) as u64;
            diff.lines = lines.into_iter().take(MAX_LINES).collect();
        }
        diff
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first_sha256 == self.second_sha256 && self.other_names.is_empty()
    }
}

fn text(metadata: &Metadata) -> Option<&[u8]> {
    match metadata.get(CHAT_TEMPLATE)? {
        Value::String(text) => Some(text.as_bytes()),
        _ => None,
    }
}

fn unified(first: &str, second: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(first, second);
    let text = diff.unified_diff().context_radius(2).missing_newline_hint(false).to_string();
    // Tabs indent a template; everything else that does not show is worth seeing.
    let line = |line: &str| {
        let line = line.replace('\t', "    ");
        if line.chars().any(is_hidden) || line.len() > MAX_LINE_CHARS {
            visible_start(&line, MAX_LINE_CHARS)
        } else {
            line
        }
    };
    text.split_terminator('\n').map(line).collect()
}

/// Templates under a name of their own that are missing in one file, or differ.
fn other_names(first: &Metadata, second: &Metadata) -> Vec<String> {
    let names = first.iter().chain(second.iter()).map(|(key, _)| key);
    let mut names: Vec<&str> =
        names.filter(|key| owns(key) && first.get(key) != second.get(key)).collect();
    names.retain(|key| *key != CHAT_TEMPLATE);
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| visible_start(name, 100)).collect()
}
