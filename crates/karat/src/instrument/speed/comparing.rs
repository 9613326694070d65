//! From one figure block by block to its rows: each model's own, the first against itself, every model
//! against every one before it, and whose the difference is. Pure; knows no plan.

use std::collections::BTreeSet;

use crate::record::{Claim, Estimate, Unit};
use crate::stats::{BlockMean, Interval, Summary, share};

use super::attribution::Attribution;
use super::claims::{self, Comparison, Names, Split};
use super::rows::RowMaker;
use super::series::Series;

/// What is being made of a run's figures.
pub(super) struct Comparing<'p> {
    /// What sentences call models and tests.
    pub(super) names: Names<'p>,
    /// Confidence level of every interval, and of all claims together.
    pub(super) level: f64,
    /// Pairs of entries that must not be compared, the later one first.
    pub(super) refused: BTreeSet<(usize, usize)>,
    /// Rows so far.
    pub(super) estimates: Vec<Estimate>,
}

impl Comparing<'_> {
    /// Whether two entries may be compared.
    pub(super) fn may_compare(&self, (one, other): (usize, usize)) -> bool {
        !self.refused.contains(&(one.max(other), one.min(other)))
    }

    /// Each model's own figure: the geometric mean over blocks.
    pub(super) fn own(&mut self, rows: &RowMaker<'_>, series: &Series) {
        for model in 0..self.names.models.len() {
            let Some(mean) = BlockMean::of(&series.of(model)) else { continue };
            let summary = mean.summary(self.level).map(f64::exp);
            self.estimates.push(rows.of_model(model, rows.metric, rows.unit, summary, mean.n));
        }
    }

    /// The first model against itself; gives the farthest ln ratio that its interval holds.
    pub(super) fn noise_floor(&mut self, rows: &RowMaker<'_>, series: &Series) -> f64 {
        let again = (self.names.models.len(), 0);
        let mean = self.may_compare(again).then(|| log_ratio(series, again)).flatten();
        let Some(mean) = mean else { return 0.0 };
        let metric = format!("noise_floor_{}_ratio", rows.metric);
        let ratio = mean.summary(self.level).map(f64::exp);
        self.estimates.push(rows.of_pair((0, 0), &metric, Unit::Ratio, ratio, mean.n));
        mean.interval(self.level).map_or(0.0, |Interval { lo, hi, .. }| lo.abs().max(hi.abs()))
    }

    /// Every model against every one before it, in a test of which [`Comparing::noise_floor`] gave
    /// `noise`.
    pub(super) fn ratios(
        &mut self,
        (test, noise): (usize, f64),
        rows: &RowMaker<'_>,
        series: &Series,
    ) -> Vec<Comparison> {
        let mut comparisons = Vec::new();
        for versus in 0..self.names.models.len() {
            for model in versus + 1..self.names.models.len() {
                let pair = (model, versus);
                let mean = self.may_compare(pair).then(|| log_ratio(series, pair)).flatten();
                let Some(mean) = mean else { continue };
                let ratio = mean.summary(self.level).map(f64::exp);
                let metric = format!("{}_ratio", rows.metric);
                let row = self.estimates.len();
                comparisons.push(Comparison { row, test, model, versus, mean, noise });
                self.estimates.push(rows.of_pair(pair, &metric, Unit::Ratio, ratio, mean.n));
            }
        }
        comparisons
    }

    /// What of the QAT file's lead is whose, in each test with its rows and figures.
    pub(super) fn shares(
        &mut self,
        tests: &[(RowMaker<'_>, Series)],
        attributions: &[Attribution],
        comparisons: &[Comparison],
    ) -> Vec<Claim> {
        let mut splits = Vec::new();
        for (test, figures) in tests.iter().enumerate() {
            for attribution in attributions {
                splits.extend(self.split((test, figures), attribution, comparisons));
            }
        }
        claims::attributions(&self.names, &splits, self.level)
    }

    /// One difference and the rows of its shares; `None` where it must not be made or no block has it.
    fn split<'a>(
        &mut self,
        (test, (rows, series)): (usize, &(RowMaker<'_>, Series)),
        attribution: &'a Attribution,
        comparisons: &[Comparison],
    ) -> Option<Split<'a>> {
        let (qat, other) = (attribution.qat, attribution.other);
        let steps = attribution.parts.iter().map(|part| (part.one, part.other));
        let pairs: Vec<(usize, usize)> = std::iter::once((qat, other)).chain(steps).collect();
        if !pairs.iter().all(|&pair| self.may_compare(pair)) {
            return None;
        }
        let logs = series.ratios(&pairs);
        let whole = BlockMean::of(&logs[0])?;
        let (row, is_decided) = claims::compared(comparisons, self.level, (test, qat, other));
        let of_part = |logs_of_part: &Vec<f64>| share(logs_of_part, &logs[0], self.level);
        let figures: Vec<Option<Summary>> = logs[1..].iter().map(of_part).collect();
        // Of one block nothing can be told, and the shares are single figures like the ratio.
        let is_bounded = figures.iter().flatten().all(|share| share.interval.is_some());
        let is_open = whole.n > 1 && !(is_decided && is_bounded);
        let mut shares = Vec::new();
        for (part, share) in attribution.parts.iter().zip(figures).filter(|_| !is_open) {
            let Some(share) = share else { continue };
            let mut row = rows.of_pair((qat, other), part.metric, Unit::Fraction, share, whole.n);
            // The same share by way of another control is another figure.
            let of = |model: usize| self.names.models[model];
            let between = format!("{} and {}", of(part.one), of(part.other));
            row.setting.insert("between".to_owned(), between);
            shares.push((self.estimates.len(), share));
            self.estimates.push(row);
        }
        Some(Split { test, attribution, whole, row, is_open, shares })
    }
}

/// The mean of ln(one / other) over blocks; `None` where no block has both.
fn log_ratio(series: &Series, pair: (usize, usize)) -> Option<BlockMean> {
    BlockMean::of(&series.ratios(&[pair])[0])
}
