//! Tokens that steer the conversation and are not of type CONTROL. A published QAT file had such:
//! markers were then written out as text, or read from a user's text.

use super::{Oddity, Subject, warning};
use crate::anatomy::shown::token_text;
use crate::anatomy::tokenizer::{CONTROL, token_type, type_name};

/// Begin and end of a text, of a turn and of a header: never part of a text.
///
/// Source: the tokens whose type llama.cpp corrects at loading (`llama-vocab.cpp`, as vendored in
/// llama-cpp-sys-2 0.1.161), less the ones that are ordinary text in some vocabularies (`</s>`) or
/// meant to be printed (tool calls, thought channels); and the markers that open what these end.
const MARKERS: [&str; 26] = [
    "<bos>",
    "<eos>",
    "<|turn>",
    "<turn|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<|im_start|>",
    "<|im_end|>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|endoftext|>",
    "<|startoftext|>",
    "<|start|>",
    "<|return|>",
    "<|call|>",
    "<end_of_utterance>",
    "<EOT>",
    "[EOT]",
    "[EOS]",
    "[e~[",
    "<｜begin▁of▁sentence｜>",
    "<｜end▁of▁sentence｜>",
];
/// Roles whose token must be CONTROL, whatever it is called.
const ROLES: [&str; 4] = ["BOS", "EOS", "EOT", "EOM"];
/// Most tokens that are named.
const SHOWN: usize = 6;

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let (Some(vocabulary), Some(tokenizer)) = (subject.header.vocabulary(), &subject.tokenizer)
    else {
        return Vec::new();
    };
    let metadata = subject.header.metadata();
    let in_role = tokenizer.special.iter().filter(|token| ROLES.contains(&token.role));
    let in_role: Vec<usize> = in_role.filter_map(|token| usize::try_from(token.id).ok()).collect();
    let mut wrong = Vec::new();
    for (id, text) in vocabulary.iter().enumerate() {
        let is_marker = MARKERS.iter().any(|marker| marker.as_bytes() == text);
        if !is_marker && !in_role.contains(&id) {
            continue;
        }
        match token_type(metadata, id) {
            None | Some(CONTROL) => {}
            Some(other) => {
                let text = token_text(text);
                wrong.push(format!("`{text}` ({id}) is {}", type_name(other)));
            }
        }
    }
    if wrong.is_empty() {
        return Vec::new();
    }
    let more = wrong.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    wrong.truncate(SHOWN);
    vec![warning(
        "control_tokens",
        format!(
            "control tokens of the wrong type: {}{more}. Engines may print them, read them out of \
             a user's text, or not stop at them",
            wrong.join(", ")
        ),
    )]
}
