//! No chat template where the vocabulary is one of chats, or a template that is no text.

use super::{Oddity, Subject, some_of, warning};
use crate::anatomy::origin::CHAT_TEMPLATE;

const ID: &str = "chat_template";

/// Tokens that open or end a turn: a vocabulary with one of them is made for chats.
const TURNS: [&str; 10] = [
    "<|turn>",
    "<start_of_turn>",
    "<|im_start|>",
    "<|start_header_id|>",
    "<|eot_id|>",
    "[INST]",
    "<|user|>",
    "<|assistant|>",
    "<|start|>",
    "<|User|>",
];

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let metadata = subject.header.metadata();
    match metadata.get(CHAT_TEMPLATE) {
        Some(value) if value.as_str().is_none() => {
            let ty = value.value_type().name();
            return vec![warning(ID, format!("`{CHAT_TEMPLATE}` is {ty}, not a UTF-8 string"))];
        }
        Some(value) if value.as_str().is_some_and(|text| text.trim().is_empty()) => {
            return vec![warning(ID, "the chat template is empty".to_owned())];
        }
        Some(_) => return Vec::new(),
        None => {}
    }
    let Some(vocabulary) = subject.header.vocabulary() else { return Vec::new() };
    let turns: Vec<String> = TURNS
        .iter()
        .filter(|turn| vocabulary.iter().any(|token| token == turn.as_bytes()))
        .map(|turn| (*turn).to_owned())
        .collect();
    if turns.is_empty() {
        return Vec::new();
    }
    vec![warning(
        ID,
        format!(
            "no chat template, though the vocabulary is made for chats ({}): runners fall back to \
             a template that the model may not know, unless this is a base model",
            some_of(&turns, 3)
        ),
    )]
}
