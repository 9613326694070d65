//! Rows as they are measured: what a backend left to be done to its logits is done here. Owns the
//! buffer for it; measures nothing.

use crate::backend::LogitRows;
use crate::metric::kernel::Kernel;

/// Finishes rows, one at a time.
pub(super) struct Finish {
    kernel: Kernel,
    /// A finished row, where there was one to finish.
    finished: Vec<f32>,
}

impl Finish {
    pub(super) fn new(kernel: Kernel) -> Self {
        Self { kernel, finished: Vec::new() }
    }

    /// A row ready to be measured, good until the next one is asked for.
    ///
    /// A model that meets two yardsticks is capped for each: finished rows of all models would fall
    /// out of the cache, and reading them back takes longer than capping them again.
    pub(super) fn row<'r>(&'r mut self, rows: &LogitRows<'r>, row: usize) -> &'r [f32] {
        let logits = rows.row(row);
        let Some(cap) = rows.softcap() else { return logits };
        self.finished.resize(logits.len(), 0.0);
        self.kernel.softcap(logits, cap, &mut self.finished);
        &self.finished
    }
}
