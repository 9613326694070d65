//! Which of a file's chat templates is used. Reads metadata, renders nothing.

use karat_gguf::Metadata;

const DEFAULT: &str = "tokenizer.chat_template";

/// The chat template of a GGUF file: with tools the one named `tool_use` where there is one, else the
/// default, else the only named one. `None` where the file has none, or none that is UTF-8.
///
/// Source: the GGUF keys that llama.cpp reads (`tokenizer.chat_template`, and
/// `tokenizer.chat_template.NAME` for the names in `tokenizer.chat_templates`).
pub fn template_source(metadata: &Metadata, with_tools: bool) -> Option<&str> {
    let named = |name: &str| metadata.get_str(&format!("{DEFAULT}.{name}"));
    let only_named = || {
        let names = metadata.get_strings("tokenizer.chat_templates")?;
        let mut found = names.iter().filter_map(|name| named(std::str::from_utf8(name).ok()?));
        found.next().filter(|_| found.next().is_none())
    };
    let for_tools = if with_tools { named("tool_use") } else { None };
    for_tools
        .or_else(|| metadata.get_str(DEFAULT))
        .or_else(|| named("default"))
        .or_else(only_named)
        .filter(|source| !source.trim().is_empty())
}
