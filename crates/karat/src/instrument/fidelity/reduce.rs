//! From logit rows to numbers, on several threads. Owns which row meets which; knows no models, and
//! keeps no row.

use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

use super::finish::Finish;
use super::pass::{PassError, WindowScores};
use super::window::Window;
use crate::backend::LogitRows;
use crate::metric::kernel::{Kernel, Reference, RowStats};
use crate::metric::token::{ModelScores, PairScores};
use crate::metric::worst::{ScoredPosition, Worst};
use crate::plan::Pair;

/// Fewest logits swept by a thread for which it is started: about half a millisecond of work, many
/// times what starting it takes.
const LOGITS_WORTH_A_THREAD: usize = 1 << 20;

/// Reduces rows of logits.
///
/// Positions do not depend on each other, so each thread takes a run of them, with a prepared
/// reference row of its own; its results are put behind those of the thread before. Which thread did
/// what shows in no bit.
///
/// Threads are started for every piece of a window, which costs some 30 µs each: a pool would save
/// less than a thousandth of the time, and would have to be fed.
pub(super) struct Reduce {
    plan: Comparisons,
    /// One per thread.
    desks: Vec<Desk>,
}

/// What a thread reduces rows with.
struct Desk {
    reference: Reference,
    /// For rows of yardsticks, and for those that are compared with them.
    finish: [Finish; 2],
}

/// What is wanted of every position.
struct Comparisons {
    own: Vec<usize>,
    pairs: Vec<Pair>,
    /// Comparisons whose worst tokens are wanted.
    worst: Vec<usize>,
    /// Models that are a reference of some pair, or whose own scores no pair gives.
    yardsticks: Vec<usize>,
    kernel: Kernel,
}

impl Reduce {
    /// `own`: models whose own scores are wanted; `pairs`: comparisons wanted.
    pub(super) fn new(own: Vec<usize>, pairs: Vec<Pair>, kernel: Kernel) -> Self {
        let mut yardsticks: Vec<usize> = pairs.iter().map(|pair| pair.reference).collect();
        yardsticks
            .extend(own.iter().filter(|&&model| pairs.iter().all(|pair| pair.candidate != model)));
        yardsticks.sort_unstable();
        yardsticks.dedup();
        let plan = Comparisons { own, pairs, worst: Vec::new(), yardsticks, kernel };
        Self { plan, desks: Vec::new() }
    }

    /// Keeps the worst tokens of these comparisons as well.
    pub(super) fn keep_worst(&mut self, pairs: &[usize]) {
        self.plan.worst = pairs.to_vec();
    }

    /// Makes room for `n_threads` threads over rows of `n_vocab`: two rows each, and
    /// two more where logits are still to be capped.
    pub(super) fn prepare(&mut self, n_threads: usize, n_vocab: usize) {
        let finish = || [(); 2].map(|()| Finish::new(self.plan.kernel));
        let desk = |_| Desk { reference: Reference::new(n_vocab), finish: finish() };
        self.desks = (0..n_threads.max(1)).map(desk).collect();
    }

    /// Nothing scored yet.
    pub(super) fn empty(&self) -> WindowScores {
        self.plan.empty()
    }

    /// Adds the scores at `positions` of a window, whose logits are `rows`, by model.
    ///
    /// # Errors
    /// The first position whose logits are no distribution; then nothing is added.
    pub(super) fn piece(
        &mut self,
        rows: &[LogitRows<'_>],
        window: &Window<'_>,
        positions: &[usize],
        scores: &mut WindowScores,
    ) -> Result<(), PassError> {
        let plan = &self.plan;
        let piece = Piece { rows, window, positions };
        let n_logits: usize = rows.iter().map(LogitRows::n_logits).sum();
        let n_threads =
            (n_logits / LOGITS_WORTH_A_THREAD).clamp(1, self.desks.len()).min(positions.len());
        let share = positions.len().div_ceil(n_threads.max(1)).max(1);
        let shares = (0..positions.len()).step_by(share);
        let mut work = shares.map(|start| start..positions.len().min(start + share));
        let mut desks = self.desks.iter_mut();
        let parts: Vec<Result<WindowScores, PassError>> = thread::scope(|scope| {
            let first = work.next().zip(desks.next());
            let others: Vec<_> = work
                .zip(desks)
                .map(|(share, desk)| scope.spawn(|| plan.share(&piece, share, desk)))
                .collect();
            let first = first.map(|(share, desk)| plan.share(&piece, share, desk));
            let others = others
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            first.into_iter().chain(others).collect()
        });
        for part in parts.into_iter().collect::<Result<Vec<_>, _>>()? {
            scores.append(part);
        }
        Ok(())
    }
}

/// A part of a window, computed by every model.
struct Piece<'p> {
    /// By model.
    rows: &'p [LogitRows<'p>],
    window: &'p Window<'p>,
    /// Position of each row.
    positions: &'p [usize],
}

impl Comparisons {
    fn empty(&self) -> WindowScores {
        WindowScores {
            own: vec![ModelScores::default(); self.own.len()],
            pairs: vec![PairScores::default(); self.pairs.len()],
            worst: vec![Worst::default(); self.pairs.len()],
        }
    }

    /// One thread's share.
    fn share(
        &self,
        piece: &Piece<'_>,
        rows: Range<usize>,
        desk: &mut Desk,
    ) -> Result<WindowScores, PassError> {
        let mut scores = self.empty();
        for row in rows {
            self.row(piece, row, desk, &mut scores)?;
        }
        Ok(scores)
    }

    fn row(
        &self,
        piece: &Piece<'_>,
        row: usize,
        desk: &mut Desk,
        scores: &mut WindowScores,
    ) -> Result<(), PassError> {
        let rows = piece.rows;
        let Desk { reference, finish: [yardsticks, candidates] } = desk;
        let position = piece.positions[row];
        let target = piece.window.target(position) as u32;
        let blame = |model| move |source| PassError::Row { model, position, source };
        // Whose own scores are in already: a model may meet several yardsticks.
        let mut seen = vec![false; rows.len()];
        for &yardstick in &self.yardsticks {
            let logits = yardsticks.row(&rows[yardstick], row);
            let own =
                reference.load(self.kernel, logits, target).map_err(blame(yardstick))?.to_owned();
            self.note(yardstick, &own, &mut seen, scores);
            for (index, pair) in self.pairs.iter().enumerate() {
                if pair.reference != yardstick {
                    continue;
                }
                let candidate = candidates.row(&rows[pair.candidate], row);
                let stats =
                    reference.compare(self.kernel, candidate).map_err(blame(pair.candidate))?;
                self.note(pair.candidate, &stats.candidate, &mut seen, scores);
                scores.pairs[index].push(&stats);
                let worst = &mut scores.worst[index];
                if self.worst.contains(&index) && worst.admits(stats.kld, position) {
                    let (reference, candidate) = ((&own, logits), (&stats, candidate));
                    worst.observe(ScoredPosition::new(position, reference, candidate));
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
