//! Tokens as text: a scored position with the words before it and both models' guesses.
//! Owns how token ids become text; escapes nothing, which is the reports' business.

use std::fmt::Write as _;

use karat_llama::{Special, Vocab};

use super::window::Window;
use crate::backend::Token;
use crate::metric::worst::{Likely, ScoredPosition};
use crate::record::{LikelyToken, TokenInContext};

/// Tokens shown before a target.
const CONTEXT_TOKENS: usize = 24;

/// A scored position in words.
pub(super) fn describe(
    vocab: &Vocab,
    window: &Window<'_>,
    scored: &ScoredPosition,
) -> TokenInContext {
    let position = scored.position;
    let context = &window.input[(position + 1).saturating_sub(CONTEXT_TOKENS)..=position];
    let likeliest = |top: &[Likely]| top.iter().map(|likely| name(vocab, *likely)).collect();
    let finite = |nats: f64| nats.is_finite().then_some(nats);
    TokenInContext {
        position: position as u32,
        context: text(vocab, context),
        target: text(vocab, &[window.target(position)]),
        kld: finite(scored.kld),
        nll_reference: finite(scored.nll_reference),
        nll_candidate: finite(scored.nll_candidate),
        top_reference: likeliest(&scored.top_reference),
        top_candidate: likeliest(&scored.top_candidate),
    }
}

fn name(vocab: &Vocab, likely: Likely) -> LikelyToken {
    let text = text(vocab, &[likely.id as Token]);
    LikelyToken { text, probability: likely.probability }
}

/// A token that the vocabulary cannot spell is shown by its number.
fn text(vocab: &Vocab, tokens: &[Token]) -> String {
    let piece = |&token: &Token| {
        let piece = vocab.piece(token, Special::Parsed);
        piece.unwrap_or_else(|_| format!("<token {token}>").into_bytes())
    };
    spelled(&tokens.iter().flat_map(piece).collect::<Vec<u8>>())
}

/// Bytes as text. What is no UTF-8, such as half a character, is written as vocabularies name such
/// tokens: `<0xC4>`.
fn spelled(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(text, "<0x{byte:02X}>");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::spelled;

    #[test]
    fn half_a_character_is_spelled_in_bytes() {
        assert_eq!(spelled("zażółć".as_bytes()), "zażółć");
        assert_eq!(spelled(&"ż".as_bytes()[..1]), "<0xC5>");
        assert_eq!(spelled(b"\xbca\xff\n"), "<0xBC>a<0xFF>\n");
    }
}
