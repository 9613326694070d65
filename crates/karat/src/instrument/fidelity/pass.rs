//! The lock-step pass: all models see the same window, each pair of logits rows becomes a few numbers
//! and is dropped. Owns the order of computation; knows neither files nor the engine.

use std::collections::VecDeque;
use std::iter;
use std::ops::Range;

use super::reduce::Reduce;
use super::window::Window;
use crate::backend::{BackendError, Logits};
use crate::metric::kernel::{Kernel, KernelError};
use crate::metric::token::{ModelScores, PairScores};
use crate::metric::worst::Worst;
use crate::plan::Pair;

/// A measurement that could not be made, and whose fault it is.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// A model failed to compute.
    #[error("{source}")]
    Backend {
        /// Index of the model.
        model: usize,
        /// What failed.
        source: BackendError,
    },
    /// A model's logits are no distribution.
    #[error("logits at position {position} are no distribution: {source}")]
    Row {
        /// Index of the model.
        model: usize,
        /// Position in the window.
        position: usize,
        /// What is wrong.
        source: KernelError,
    },
}

/// What one window gave.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowScores {
    /// In the order of [`Pass::new`]'s `own`.
    pub own: Vec<ModelScores>,
    /// In the order of [`Pass::new`]'s `pairs`.
    pub pairs: Vec<PairScores>,
    /// Likewise; empty but for those of [`Pass::with_worst`].
    pub worst: Vec<Worst>,
}

impl WindowScores {
    /// Puts the scores of later positions behind these.
    pub(super) fn append(&mut self, later: Self) {
        self.own.iter_mut().zip(later.own).for_each(|(scores, later)| scores.append(later));
        self.pairs.iter_mut().zip(later.pairs).for_each(|(scores, later)| scores.append(later));
        self.worst.iter_mut().zip(later.worst).for_each(|(worst, later)| worst.merge(later));
    }
}

/// Scores windows with several models at once.
///
/// A *lane* holds one context of every model and has one window in hand. Each piece of the window is
/// submitted to all models before the first is waited for, so that on a GPU one model's logits are
/// copied to the host while the next one computes. With two lanes, the host reduces the rows of one
/// window while the other is computed; on a processor, which does both, that would gain nothing.
/// Rows are reduced where the engine left them: they are never copied on the host.
///
/// Resident besides the models: their own output buffers, and two rows of `n_vocab` f32 per thread
/// (four, where logits come to be capped).
pub struct Pass<'m> {
    lanes: Vec<Lane<'m>>,
    reduce: Reduce,
}

impl<'m> Pass<'m> {
    /// `own`: models whose own scores are wanted; `pairs`: comparisons wanted. Both index `models`,
    /// which must have vocabularies of one size. Rows are reduced on one thread.
    pub fn new(
        models: Vec<&'m mut dyn Logits>,
        own: Vec<usize>,
        pairs: Vec<Pair>,
        kernel: Kernel,
    ) -> Self {
        let pass = Self { lanes: vec![Lane { models }], reduce: Reduce::new(own, pairs, kernel) };
        pass.with_threads(1)
    }

    /// Reduces rows on this many threads. Changes no result.
    #[must_use]
    pub fn with_threads(mut self, n_threads: usize) -> Self {
        let models = self.lanes.iter().flat_map(|lane| &lane.models);
        let n_vocab = models.map(|model| model.n_vocab()).max().unwrap_or(0);
        self.reduce.prepare(n_threads, n_vocab);
        self
    }

    /// Keeps the worst tokens of these comparisons (indexes into `pairs`) as well.
    #[must_use]
    pub fn with_worst(mut self, pairs: &[usize]) -> Self {
        self.reduce.keep_worst(pairs);
        self
    }

    /// Adds a lane: one more context of each model, in the same order. Changes no result.
    #[must_use]
    pub fn with_lane(mut self, models: Vec<&'m mut dyn Logits>) -> Self {
        self.lanes.push(Lane { models });
        self
    }

    /// Scores one window. `working` is told which model is about to compute.
    pub fn score(
        &mut self,
        window: &Window<'_>,
        working: impl FnMut(usize),
    ) -> Result<WindowScores, PassError> {
        let mut scores = self.reduce.empty();
        self.score_all(iter::once(window.clone()), working, |_, finished| scores = finished)?;
        Ok(scores)
    }

    /// Scores windows, and hands out each one's index and scores as it is finished: in order where
    /// they are equally long. `working` is told which model is about to compute or waited for: the one
    /// to blame if it does not return.
    pub fn score_all<'w>(
        &mut self,
        windows: impl Iterator<Item = Window<'w>>,
        mut working: impl FnMut(usize),
        mut finished: impl FnMut(usize, WindowScores),
    ) -> Result<(), PassError> {
        let Self { lanes, reduce } = self;
        let mut windows = windows.enumerate();
        let mut in_hand = VecDeque::with_capacity(lanes.len());
        for lane in lanes {
            if let Some(window) = windows.next() {
                let task = lane.begin(window, reduce.empty(), &mut working)?;
                in_hand.push_back((lane, task));
            }
        }
        while let Some((lane, mut task)) = in_hand.pop_front() {
            lane.collect(&mut task, reduce, &mut working)?;
            if let Some(next) = task.next_piece(lane.piece_len()) {
                task.piece = next;
                lane.submit(&task, &mut working)?;
            } else {
                finished(task.index, task.scores);
                let Some(window) = windows.next() else { continue };
                task = lane.begin(window, reduce.empty(), &mut working)?;
            }
            in_hand.push_back((lane, task));
        }
        Ok(())
    }
}

/// One context of every model.
struct Lane<'m> {
    models: Vec<&'m mut dyn Logits>,
}

/// A window in a lane's hand.
struct Task<'w> {
    /// Which one.
    index: usize,
    window: Window<'w>,
    /// The part of it that was submitted last.
    piece: Range<usize>,
    /// Of what was reduced so far.
    scores: WindowScores,
}

impl Task<'_> {
    /// What comes after the current piece, where there is more.
    fn next_piece(&self, piece_len: usize) -> Option<Range<usize>> {
        let (start, all) = (self.piece.end, self.window.input.len());
        (start < all).then(|| start..all.min(start + piece_len))
    }

    /// The scored positions of the current piece, relative to its start.
    fn wanted(&self) -> Vec<usize> {
        self.window.scored_in_piece(self.piece.start, self.piece.len())
    }
}

impl Lane<'_> {
    /// Tokens that every model takes at once.
    fn piece_len(&self) -> usize {
        self.models.iter().map(|model| model.max_advance()).min().unwrap_or(1).max(1)
    }

    /// Takes a window in hand and submits its first piece.
    fn begin<'w>(
        &mut self,
        (index, window): (usize, Window<'w>),
        scores: WindowScores,
        working: &mut impl FnMut(usize),
    ) -> Result<Task<'w>, PassError> {
        for model in &mut self.models {
            model.restart();
        }
        let first = 0..window.input.len().min(self.piece_len());
        let task = Task { index, window, piece: first, scores };
        self.submit(&task, working)?;
        Ok(task)
    }

    /// Has every model begin to compute the task's piece.
    fn submit(
        &mut self,
        task: &Task<'_>,
        working: &mut impl FnMut(usize),
    ) -> Result<(), PassError> {
        let tokens = &task.window.input[task.piece.clone()];
        let wanted = task.wanted();
        for (index, model) in self.models.iter_mut().enumerate() {
            working(index);
            let submitted = model.submit(tokens, &wanted);
            submitted.map_err(|source| PassError::Backend { model: index, source })?;
        }
        Ok(())
    }

    /// Waits for the task's piece and reduces it.
    fn collect(
        &mut self,
        task: &mut Task<'_>,
        reduce: &mut Reduce,
        working: &mut impl FnMut(usize),
    ) -> Result<(), PassError> {
        let wanted = task.wanted();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::with_capacity(self.models.len());
        for (index, model) in self.models.iter_mut().enumerate() {
            working(index);
            let computed = model.rows();
            rows.push(computed.map_err(|source| PassError::Backend { model: index, source })?);
        }
        let positions: Vec<usize> = wanted.iter().map(|offset| task.piece.start + offset).collect();
        reduce.piece(&rows, &task.window, &positions, &mut task.scores)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::backend::{LogitRows, Token};
    use crate::instrument::fidelity::window::Windows;

    const N_VOCAB: usize = 8;
    const N_CTX: usize = 8;

    /// A model whose logits depend on the tokens it saw, and that notes what it is asked to do.
    struct Scripted<'l> {
        name: &'static str,
        piece_len: usize,
        log: &'l RefCell<Vec<String>>,
        seen: Vec<Token>,
        logits: Vec<f32>,
    }

    impl<'l> Scripted<'l> {
        fn new(name: &'static str, piece_len: usize, log: &'l RefCell<Vec<String>>) -> Self {
            Self { name, piece_len, log, seen: Vec::new(), logits: Vec::new() }
        }
    }

    impl Logits for Scripted<'_> {
        fn n_vocab(&self) -> usize {
            N_VOCAB
        }

        fn max_advance(&self) -> usize {
            self.piece_len
        }

        fn restart(&mut self) {
            self.seen.clear();
        }

        fn submit(&mut self, tokens: &[Token], scored: &[usize]) -> Result<(), BackendError> {
            self.log.borrow_mut().push(format!("{} computes {}", self.name, tokens[0]));
            let before = self.seen.len();
            self.seen.extend(tokens);
            self.logits.clear();
            for &position in scored {
                let sum: Token = self.seen[..=before + position].iter().sum();
                let logit = |id: usize| ((sum as usize * (id + 3)) % 13) as f32 * 0.5;
                self.logits.extend((0..N_VOCAB).map(logit));
            }
            Ok(())
        }

        fn rows(&mut self) -> Result<LogitRows<'_>, BackendError> {
            self.log.borrow_mut().push(format!("{} hands over", self.name));
            Ok(LogitRows::new(&self.logits, N_VOCAB))
        }
    }

    /// Scores of a text of four windows, and what was done in which order.
    fn run(n_lanes: usize, piece_len: usize) -> (Vec<WindowScores>, Vec<String>) {
        let tokens: Vec<Token> = (0..4 * N_CTX).map(|i| (i * 5 % 7) as Token).collect();
        let windows = Windows::new(&tokens, N_CTX, None);
        let log = RefCell::new(Vec::new());
        let names = [["x", "y"], ["x'", "y'"]];
        let mut lanes: Vec<Vec<Scripted<'_>>> = names[..n_lanes]
            .iter()
            .map(|names| names.iter().map(|name| Scripted::new(name, piece_len, &log)).collect())
            .collect();
        let mut lanes = lanes.iter_mut().map(|models| {
            models.iter_mut().map(|model| model as &mut dyn Logits).collect::<Vec<_>>()
        });
        let pair = Pair { reference: 0, candidate: 1 };
        let first = lanes.next().unwrap();
        let pass = Pass::new(first, vec![0, 1], vec![pair], Kernel::detect()).with_threads(3);
        let mut pass = lanes.fold(pass, Pass::with_lane);
        let mut scores = Vec::new();
        let all = (0..windows.len()).filter_map(|window_idx| windows.get(window_idx));
        pass.score_all(all, |_| (), |_, window| scores.push(window)).unwrap();
        (scores, log.into_inner())
    }

    #[test]
    fn lanes_and_pieces_change_no_score_and_no_order() {
        let (want, _) = run(1, N_CTX);
        assert_eq!(want.len(), 4);
        assert_eq!(want[0].own[1].len(), N_CTX - 1 - N_CTX / 2);
        assert_ne!(want[0], want[1]);
        for (n_lanes, piece_len) in [(1, 3), (2, N_CTX), (2, 3), (2, 1)] {
            assert_eq!(run(n_lanes, piece_len).0, want, "{n_lanes} lanes, pieces of {piece_len}");
        }
    }

    #[test]
    fn every_model_computes_before_the_first_is_waited_for() {
        let (_, log) = run(1, N_CTX);
        assert_eq!(log[..4], ["x computes 0", "y computes 0", "x hands over", "y hands over"]);
    }

    #[test]
    fn a_second_lane_computes_while_the_first_is_reduced() {
        let (_, log) = run(2, N_CTX);
        assert_eq!(log[..4], ["x computes 0", "y computes 0", "x' computes 5", "y' computes 5"]);
        assert_eq!(log[4..8], ["x hands over", "y hands over", "x computes 3", "y computes 3"]);
        assert_eq!(log[8..10], ["x' hands over", "y' hands over"]);
    }
}
