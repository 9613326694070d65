//! Windows of a text and the positions that count in them: llama-perplexity's rule. Pure.

use std::ops::Range;

use crate::backend::Token;

/// Cuts a tokenized text into windows that stand alone.
///
/// The text is tokenized once, with BOS in front where the model wants one, and cut into
/// `⌊tokens / n_ctx⌋` windows that do not overlap; the tail is dropped. In each window the first token is
/// replaced by BOS (where the model wants one), the first half is context only, and each later
/// token but the first of that half is predicted from all before it: `n_ctx - 1 - ⌊n_ctx / 2⌋`
/// predictions.
///
/// Source: llama.cpp, `tools/perplexity/perplexity.cpp`.
#[derive(Clone, Copy, Debug)]
pub struct Windows<'a> {
    tokens: &'a [Token],
    n_ctx: usize,
    bos: Option<Token>,
}

/// One window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window<'a> {
    /// What the model sees, `[n_ctx]`.
    pub input: Vec<Token>,
    /// The text itself, `[n_ctx]`: where targets come from.
    text: &'a [Token],
}

impl<'a> Windows<'a> {
    /// `bos`: the token each window begins with, where the model wants one.
    pub fn new(tokens: &'a [Token], n_ctx: usize, bos: Option<Token>) -> Self {
        Self { tokens, n_ctx, bos }
    }

    /// Windows in the text.
    pub fn len(&self) -> usize {
        self.tokens.len() / self.n_ctx
    }

    /// Whether the text is shorter than one window.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `window_idx`-th window, where there is one.
    pub fn get(&self, window_idx: usize) -> Option<Window<'a>> {
        let text = self.tokens.chunks_exact(self.n_ctx).nth(window_idx)?;
        let mut input = text.to_vec();
        if let (Some(bos), Some(first)) = (self.bos, input.first_mut()) {
            *first = bos;
        }
        Some(Window { input, text })
    }
}

impl Window<'_> {
    /// The token that the logits at `position` have to predict.
    pub fn target(&self, position: usize) -> Token {
        self.text[position + 1]
    }
}

/// Positions of a window whose logits are scored.
pub fn scored_positions(n_ctx: usize) -> Range<usize> {
    n_ctx / 2..n_ctx.saturating_sub(1)
}

/// The part of `scored` that lies in a piece of the window, relative to the piece's start.
pub fn scored_in_piece(scored: &Range<usize>, start: usize, len: usize) -> Range<usize> {
    let from = scored.start.clamp(start, start + len) - start;
    let to = scored.end.clamp(start, start + len) - start;
    from..to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_window_less_one_token_is_scored() {
        assert_eq!(scored_positions(512), 256..511);
        assert_eq!(scored_positions(512).len(), 255);
    }

    #[test]
    fn every_window_begins_with_bos_and_keeps_its_targets() {
        let tokens: Vec<Token> = (100..110).collect();
        let windows = Windows::new(&tokens, 4, Some(1));
        assert_eq!(windows.len(), 2);
        let second = windows.get(1).unwrap();
        assert_eq!(second.input, [1, 105, 106, 107]);
        assert_eq!(second.target(2), 107);
        assert_eq!(windows.get(2), None);
    }

    #[test]
    fn a_model_without_bos_sees_the_text_itself() {
        let tokens: Vec<Token> = (0..8).collect();
        assert_eq!(Windows::new(&tokens, 4, None).get(1).unwrap().input, [4, 5, 6, 7]);
    }

    #[test]
    fn pieces_cover_the_scored_positions_once() {
        let scored = scored_positions(1024);
        let mut seen = Vec::new();
        for start in (0..1024).step_by(300) {
            let len = 300.min(1024 - start);
            seen.extend(scored_in_piece(&scored, start, len).map(|i| i + start));
        }
        assert_eq!(seen, scored.collect::<Vec<_>>());
    }
}
