//! From stored samples to rows of the tidy table, claims and findings. Values in, values out.

use crate::plan::{SpeedPlan, TestKind};
use crate::record::{Claim, Estimate, Finding, Unit};
use crate::stats::{BlockMean, Interval, Summary, share};

use super::attribution::attributions;
pub use super::blocks::SpeedResults;
use super::claims::{self, Comparison};
use super::conditions;
use super::rows::{RowMaker, bandwidth_rows};

/// Rows, claims and remarks of a speed run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpeedSummary {
    /// Rows, test by test.
    pub estimates: Vec<Estimate>,
    /// Statements, with the indexes of the rows they rest on.
    pub claims: Vec<Claim>,
    /// What to know when reading them.
    pub findings: Vec<Finding>,
}

/// Summarises what a series has so far. `level`: of every interval, and of all claims together.
pub fn summarize(plan: &SpeedPlan, results: &SpeedResults, level: f64) -> SpeedSummary {
    let mut maker = Maker { plan, results, level, estimates: Vec::new() };
    let mut comparisons = Vec::new();
    for test in 0..plan.tests.len() {
        maker.rates(test);
        let noise = maker.noise_floor(test);
        comparisons.extend(maker.ratios(test, noise));
        if plan.tests[test].kind == TestKind::Tg {
            maker.traffic(test);
        }
    }
    let mut claims = claims::comparisons(plan, &comparisons, level);
    for test in 0..plan.tests.len() {
        claims.extend(maker.shares(test, &comparisons));
    }
    maker.estimates.extend(bandwidth_rows(plan, &results.sweeps));
    let findings = conditions::findings(plan, results);
    SpeedSummary { estimates: maker.estimates, claims, findings }
}

struct Maker<'a> {
    plan: &'a SpeedPlan,
    results: &'a SpeedResults,
    level: f64,
    estimates: Vec<Estimate>,
}

impl Maker<'_> {
    /// The mean of ln(one / other) over blocks; `None` where no block has both.
    fn log_ratio(&self, pair: (usize, usize), test: usize) -> Option<BlockMean> {
        BlockMean::of(&self.results.log_ratios(self.plan, &[pair], test)[0])
    }

    /// The geometric mean of a model's rate over blocks.
    fn rate(&self, model: usize, test: usize) -> Option<(Summary, usize)> {
        let logs = self.results.log_rates(self.plan, model, test);
        let mean = BlockMean::of(&logs.into_values().collect::<Vec<f64>>())?;
        Some((mean.summary(self.level).map(f64::exp), mean.n))
    }

    fn rates(&mut self, test: usize) {
        let rows = RowMaker::new(self.plan, test);
        for model in 0..self.plan.models.len() {
            let Some((rate, n)) = self.rate(model, test) else { continue };
            let metric = rows.metric("rate");
            let row = rows.of_model(model, &metric, Unit::TokensPerSecond, rate, n);
            self.estimates.push(row);
        }
    }

    /// The first model against itself; gives the farthest ln ratio that its interval holds.
    fn noise_floor(&mut self, test: usize) -> f64 {
        let again = self.plan.models.len();
        let Some(mean) = self.log_ratio((again, 0), test) else { return 0.0 };
        let rows = RowMaker::new(self.plan, test);
        let metric = format!("noise_floor_{}", rows.metric("rate_ratio"));
        let ratio = mean.summary(self.level).map(f64::exp);
        self.estimates.push(rows.of_pair((0, 0), &metric, Unit::Ratio, ratio, mean.n));
        mean.interval(self.level).map_or(0.0, |Interval { lo, hi, .. }| lo.abs().max(hi.abs()))
    }

    /// Every model against every one before it.
    fn ratios(&mut self, test: usize, noise: f64) -> Vec<Comparison> {
        let rows = RowMaker::new(self.plan, test);
        let mut comparisons = Vec::new();
        for versus in 0..self.plan.models.len() {
            for model in versus + 1..self.plan.models.len() {
                let Some(mean) = self.log_ratio((model, versus), test) else { continue };
                let ratio = mean.summary(self.level).map(f64::exp);
                let (pair, metric) = ((model, versus), rows.metric("rate_ratio"));
                comparisons.push(Comparison {
                    row: self.estimates.len(),
                    test,
                    model,
                    versus,
                    mean,
                    noise,
                });
                self.estimates.push(rows.of_pair(pair, &metric, Unit::Ratio, ratio, mean.n));
            }
        }
        comparisons
    }

    /// What a generated token moves, and how near that comes to what memory can do.
    fn traffic(&mut self, test: usize) {
        let rows = RowMaker::new(self.plan, test);
        let planned = self.plan.tests[test];
        let best = self.results.sweeps.iter().copied().reduce(f64::max);
        for (model, anatomy) in self.plan.anatomy.iter().enumerate() {
            let weights = anatomy.weight_bytes.map(|bytes| bytes as f64);
            let kv = anatomy.kv.as_ref().map(|kv| {
                kv.bytes_per_token(u64::from(planned.depth), u64::from(planned.n_tokens))
            });
            let bare = |value| Summary { value, interval: None };
            let mut add = |metric: &str, unit, summary, n| {
                self.estimates.push(rows.of_model(model, metric, unit, summary, n));
            };
            if let Some(weights) = weights {
                add("weight_bytes_per_token", Unit::Bytes, bare(weights), 0);
            }
            if let Some(kv) = kv {
                add("kv_bytes_per_token", Unit::Bytes, bare(kv), 0);
            }
            let Some((weights, kv)) = weights.zip(kv) else { continue };
            let bytes = weights + kv;
            add("bytes_per_token", Unit::Bytes, bare(bytes), 0);
            let is_bound = conditions::is_memory_bound(self.plan, model);
            let Some(best) = best.filter(|_| is_bound) else { continue };
            let logs = self.results.log_rates(self.plan, model, test);
            let Some(mean) = BlockMean::of(&logs.into_values().collect::<Vec<f64>>()) else {
                continue;
            };
            let share = mean.summary(self.level).map(|ln| ln.exp() * bytes / best);
            add("bandwidth_share", Unit::Fraction, share, mean.n);
        }
    }

    /// What of the QAT file's lead is whose.
    fn shares(&mut self, test: usize, comparisons: &[Comparison]) -> Vec<Claim> {
        let rows = RowMaker::new(self.plan, test);
        let (mut claims, mut open) = (Vec::new(), Vec::new());
        let attributions = attributions(self.plan);
        for attribution in &attributions {
            let (qat, other) = (attribution.qat, attribution.other);
            let steps = attribution.parts.iter().map(|part| (part.one, part.other));
            let pairs: Vec<(usize, usize)> = std::iter::once((qat, other)).chain(steps).collect();
            let logs = self.results.log_ratios(self.plan, &pairs, test);
            let Some(whole) = BlockMean::of(&logs[0]) else { continue };
            let is_decided = claims::is_decided(comparisons, self.level, (test, qat, other));
            // Of one block nothing can be told, and the shares are single figures like the ratio.
            let is_open = whole.n > 1 && !is_decided;
            let mut shares = Vec::new();
            for (part, logs_of_part) in attribution.parts.iter().zip(&logs[1..]) {
                let Some(share) = share(logs_of_part, &logs[0], self.level) else { continue };
                // What may be nothing has no shares that an interval could hold.
                let interval = share.interval.filter(|_| !is_open);
                let share = Summary { interval, ..share };
                let mut row =
                    rows.of_pair((qat, other), part.metric, Unit::Fraction, share, whole.n);
                // The same share by way of another control is another figure.
                let of = |model: usize| self.plan.models[model].name.clone();
                row.setting.insert(
                    "between".to_owned(),
                    format!("{} and {}", of(part.one), of(part.other)),
                );
                shares.push((self.estimates.len(), share));
                self.estimates.push(row);
            }
            let claim = claims::attribution(self.plan, (test, attribution), &whole, &shares);
            if is_open && !shares.is_empty() {
                open.push((attribution, claim));
            } else {
                claims.push(claim);
            }
        }
        if open.len() > 1 {
            let open: Vec<_> =
                open.into_iter().map(|(one, claim)| (one, claim.estimates)).collect();
            claims.push(claims::nothing_to_attribute(self.plan, test, &open));
        } else {
            claims.extend(open.into_iter().map(|(_, claim)| claim));
        }
        claims
    }
}
