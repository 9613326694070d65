//! Windows of a text and the positions that count in them: llama-perplexity's rule. Pure.

use std::ops::Range;

use crate::backend::Token;
use crate::worker::CutWindow;

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

/// One window: what a model is shown, and which of its predictions count. Windows may differ in
/// length and in the number of positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window<'a> {
    /// What the model sees.
    pub input: Vec<Token>,
    /// The text itself: where targets come from.
    text: &'a [Token],
    scored: Vec<usize>,
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
        Some(Window::new(input, text, scored_positions(self.n_ctx).collect()))
    }
}

impl<'a> Windows<'a> {
    /// The first half of the `window_idx`-th window, scored from its beginning: each token up to
    /// and including the one in the window's middle, predicted from all before it.
    ///
    /// Computed by itself rather than along with the rest, so that scoring it cannot change a bit of
    /// the second half's logits.
    pub fn first_half(&self, window_idx: usize) -> Option<Window<'a>> {
        let Window { mut input, text, .. } = self.get(window_idx)?;
        input.truncate(self.n_ctx / 2);
        let scored = (0..input.len()).collect();
        Some(Window::new(input, text, scored))
    }
}

impl<'a> Window<'a> {
    /// `input`: what the model is shown, at the positions of `text`; `scored`: ascending positions
    /// of `input` whose logits count, each with a token after it in `text`.
    ///
    /// # Panics
    /// Where `scored` is anything else.
    pub fn new(input: Vec<Token>, text: &'a [Token], scored: Vec<usize>) -> Self {
        assert!(scored.is_sorted_by(|one, next| one < next), "positions ascend");
        let last = scored.last().copied();
        assert!(last.is_none_or(|last| last < input.len() && last + 1 < text.len()));
        Self { input, text, scored }
    }

    /// The window as it is sent from the worker that cuts it to one that scores it.
    pub fn cut(&self, window_idx: u32) -> CutWindow {
        let n_input = self.input.len();
        CutWindow {
            window_idx,
            text: self.text[..self.text.len().min(n_input + 1)].to_vec(),
            n_input: n_input as u32,
            first: self.input.first().copied(),
            scored: self.scored.iter().map(|&position| position as u32).collect(),
        }
    }

    /// Positions whose logits are scored, ascending.
    pub fn scored(&self) -> &[usize] {
        &self.scored
    }

    /// The scored positions among the `len` from `start` on, relative to `start`.
    pub fn scored_in_piece(&self, start: usize, len: usize) -> Vec<usize> {
        let from = self.scored.partition_point(|&position| position < start);
        let to = self.scored.partition_point(|&position| position < start + len);
        self.scored[from..to].iter().map(|position| position - start).collect()
    }

    /// The token that the logits at `position` have to predict.
    pub fn target(&self, position: usize) -> Token {
        self.text[position + 1]
    }
}

impl<'a> From<&'a CutWindow> for Window<'a> {
    fn from(cut: &'a CutWindow) -> Self {
        let mut input = cut.text[..cut.n_input as usize].to_vec();
        if let (Some(shown), Some(first)) = (cut.first, input.first_mut()) {
            *first = shown;
        }
        Self::new(input, &cut.text, cut.scored.iter().map(|&position| position as usize).collect())
    }
}

/// Positions that the rule scores in a window of a text.
pub fn scored_positions(n_ctx: usize) -> Range<usize> {
    n_ctx / 2..n_ctx.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_window_less_one_token_is_scored() {
        let tokens: Vec<Token> = (0..512).collect();
        let window = Windows::new(&tokens, 512, None).get(0).unwrap();
        assert_eq!(window.scored(), (256..511).collect::<Vec<_>>());
        assert_eq!(window.scored().len(), 255);
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
    fn both_halves_together_score_every_token_but_the_first_once() {
        for n_ctx in [8, 9, 512] {
            let tokens: Vec<Token> = (0..2 * n_ctx as Token).collect();
            let windows = Windows::new(&tokens, n_ctx, Some(-1));
            let (first, second) = (windows.first_half(1).unwrap(), windows.get(1).unwrap());
            assert_eq!(first.input[0], -1);
            assert_eq!(first.input.len(), n_ctx / 2);
            let targets = |window: &Window<'_>| -> Vec<Token> {
                window.scored().iter().map(|&position| window.target(position)).collect()
            };
            let all = [targets(&first), targets(&second)].concat();
            assert_eq!(all, tokens[n_ctx + 1..]);
        }
    }

    #[test]
    fn a_cut_window_shows_scores_and_asks_the_same() {
        let tokens: Vec<Token> = (100..116).collect();
        let windows = Windows::new(&tokens, 8, Some(1));
        for window in [windows.get(1), windows.first_half(1)].map(Option::unwrap) {
            let cut = window.cut(1);
            let again = Window::from(&cut);
            assert_eq!((&again.input, again.scored()), (&window.input, window.scored()));
            for &position in window.scored() {
                assert_eq!(again.target(position), window.target(position));
            }
        }
    }

    #[test]
    fn a_model_without_bos_sees_the_text_itself() {
        let tokens: Vec<Token> = (0..8).collect();
        assert_eq!(Windows::new(&tokens, 4, None).get(1).unwrap().input, [4, 5, 6, 7]);
    }

    #[test]
    fn pieces_cover_the_scored_positions_once() {
        let tokens: Vec<Token> = (0..1000).collect();
        let scored = vec![3, 4, 299, 300, 301, 650, 900, 998];
        let window = Window::new(tokens.clone(), &tokens, scored.clone());
        let mut seen = Vec::new();
        for start in (0..1000).step_by(300) {
            let len = 300.min(1000 - start);
            seen.extend(window.scored_in_piece(start, len).iter().map(|i| i + start));
        }
        assert_eq!(seen, scored);
    }

    #[test]
    #[should_panic(expected = "last + 1 < text.len()")]
    fn the_last_token_predicts_nothing_that_could_be_scored() {
        Window::new(vec![1, 2], &[1, 2], vec![1]);
    }
}
