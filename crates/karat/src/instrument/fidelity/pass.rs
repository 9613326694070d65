//! The lock-step pass: all models see the same window, each pair of logits rows becomes a few numbers
//! and is dropped. Owns the order of computation; knows neither files nor the engine.

use super::window::Window;
use crate::backend::{BackendError, LogitRows, Logits};
use crate::metric::kernel::{Kernel, KernelError, Reference, RowStats};
use crate::metric::token::{ModelScores, PairScores};
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
}

/// Scores windows with several models at once.
///
/// Resident besides the models: their own output buffers, and two rows of `n_vocab` f32.
pub struct Pass<'m> {
    models: Vec<&'m mut dyn Logits>,
    own: Vec<usize>,
    pairs: Vec<Pair>,
    /// Models that are a reference of some pair, or whose own scores no pair gives.
    yardsticks: Vec<usize>,
    kernel: Kernel,
    reference: Reference,
}

impl<'m> Pass<'m> {
    /// `own`: models whose own scores are wanted; `pairs`: comparisons wanted. Both index `models`,
    /// which must have vocabularies of one size.
    pub fn new(
        models: Vec<&'m mut dyn Logits>,
        own: Vec<usize>,
        pairs: Vec<Pair>,
        kernel: Kernel,
    ) -> Self {
        let n_vocab = models.iter().map(|model| model.n_vocab()).max().unwrap_or(0);
        let mut yardsticks: Vec<usize> = pairs.iter().map(|pair| pair.reference).collect();
        yardsticks
            .extend(own.iter().filter(|&&model| pairs.iter().all(|pair| pair.candidate != model)));
        yardsticks.sort_unstable();
        yardsticks.dedup();
        Self { models, own, pairs, yardsticks, kernel, reference: Reference::new(n_vocab) }
    }

    /// Scores one window. `working` is told which model is about to compute.
    pub fn score(
        &mut self,
        window: &Window<'_>,
        mut working: impl FnMut(usize),
    ) -> Result<WindowScores, PassError> {
        let mut scores = WindowScores {
            own: vec![ModelScores::default(); self.own.len()],
            pairs: vec![PairScores::default(); self.pairs.len()],
        };
        let piece_len =
            self.models.iter().map(|model| model.max_advance()).min().unwrap_or(1).max(1);
        for model in &mut self.models {
            model.restart();
        }
        for start in (0..window.input.len()).step_by(piece_len) {
            let end = window.input.len().min(start + piece_len);
            let wanted = window.scored_in_piece(start, end - start);
            let mut rows = Vec::with_capacity(self.models.len());
            for (index, model) in self.models.iter_mut().enumerate() {
                working(index);
                let advanced = model.advance(&window.input[start..end], &wanted);
                rows.push(advanced.map_err(|source| PassError::Backend { model: index, source })?);
            }
            let mut reduce = Reduce {
                own: &self.own,
                pairs: &self.pairs,
                yardsticks: &self.yardsticks,
                kernel: self.kernel,
                reference: &mut self.reference,
            };
            reduce.piece(&rows, window, start, &wanted, &mut scores)?;
        }
        Ok(scores)
    }
}

/// The part of a pass that turns rows into numbers; apart from the models, which the rows borrow.
struct Reduce<'p> {
    own: &'p [usize],
    pairs: &'p [Pair],
    yardsticks: &'p [usize],
    kernel: Kernel,
    reference: &'p mut Reference,
}

impl Reduce<'_> {
    fn piece(
        &mut self,
        rows: &[LogitRows<'_>],
        window: &Window<'_>,
        start: usize,
        wanted: &[usize],
        scores: &mut WindowScores,
    ) -> Result<(), PassError> {
        for (row, position) in wanted.iter().map(|offset| start + offset).enumerate() {
            let target = window.target(position) as u32;
            // Whose own scores are in already: a model may meet several yardsticks.
            let mut seen = vec![false; rows.len()];
            for &yardstick in self.yardsticks {
                let blame = |model| move |source| PassError::Row { model, position, source };
                let logits = rows[yardstick].row(row);
                let own = self
                    .reference
                    .load(self.kernel, logits, target)
                    .map_err(blame(yardstick))?
                    .to_owned();
                self.note(yardstick, &own, &mut seen, scores);
                for (index, pair) in self.pairs.iter().enumerate() {
                    if pair.reference != yardstick {
                        continue;
                    }
                    let stats = self
                        .reference
                        .compare(self.kernel, rows[pair.candidate].row(row))
                        .map_err(blame(pair.candidate))?;
                    self.note(pair.candidate, &stats.candidate, &mut seen, scores);
                    scores.pairs[index].push(&stats);
                }
            }
        }
        Ok(())
    }

    fn note(&self, model: usize, own: &RowStats, seen: &mut [bool], scores: &mut WindowScores) {
        if seen[model] {
            return;
        }
        seen[model] = true;
        if let Some(index) = self.own.iter().position(|&wanted| wanted == model) {
            scores.own[index].push(own.nll);
        }
    }
}
