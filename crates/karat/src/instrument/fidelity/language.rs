//! Figures over all texts of one language. Values in, values out.

use std::collections::BTreeMap;

use crate::metric::token::{ModelScores, PairScores};
use crate::plan::{FidelityPlan, Pair};
use crate::record::{Estimate, Instrument, Unit};
use crate::stats::{Bootstrap, Summary, WindowSums, stratified_mean};

/// Per-window sums of one text: all that a figure over several texts needs of it.
#[derive(Clone, Debug, Default)]
pub struct TextSums {
    /// NLL, by member.
    nll: BTreeMap<usize, WindowSums>,
    /// By comparison.
    pairs: BTreeMap<Pair, PairSums>,
}

/// Per-window sums of one comparison on one text.
#[derive(Clone, Debug)]
struct PairSums {
    kld: WindowSums,
    nll_difference: WindowSums,
    same_top: WindowSums,
}

impl TextSums {
    /// From results on the same windows, in the same order.
    pub(super) fn new(
        own: &BTreeMap<usize, Vec<ModelScores>>,
        pairs: &BTreeMap<Pair, Vec<PairScores>>,
    ) -> Self {
        let nll = |windows: &Vec<ModelScores>| {
            WindowSums::new(windows.iter().map(|window| window.nll.iter().copied()))
        };
        let pair = |(&pair, windows): (&Pair, &Vec<PairScores>)| {
            let (candidate, reference) = (own.get(&pair.candidate)?, own.get(&pair.reference)?);
            let nll = std::iter::zip(candidate, reference);
            let sums =
                PairSums {
                    kld: WindowSums::new(windows.iter().map(|window| window.kld().iter().copied())),
                    nll_difference: WindowSums::new(nll.map(|(candidate, reference)| {
                        let tokens = std::iter::zip(&candidate.nll, &reference.nll);
                        tokens.map(|(candidate, reference)| candidate - reference)
                    })),
                    same_top: WindowSums::new(windows.iter().map(|window| {
                        window.same_top().iter().map(|&same| f64::from(u8::from(same)))
                    })),
                };
            Some((pair, sums))
        };
        Self {
            nll: own.iter().map(|(&member, windows)| (member, nll(windows))).collect(),
            pairs: pairs.iter().filter_map(pair).collect(),
        }
    }
}

/// `ppl`, `ln_ppl_ratio`, `kld_mean` and `same_top_p` over all texts of each language, with the scope
/// `language:NAME`; none where the run has one text only.
///
/// Every scored token counts alike, so that a text counts by its windows: a pooled `ppl` is exp of
/// the token mean of all texts, not a mean of perplexities. Windows are resampled within each text.
/// Who lacks a text of a language has no row for it. `texts`: in the order of the plan.
pub fn language_rows(
    plan: &FidelityPlan,
    texts: &[TextSums],
    bootstrap: &Bootstrap,
) -> Vec<Estimate> {
    if texts.len() < 2 {
        return Vec::new();
    }
    let mut by_language: BTreeMap<&str, Vec<&TextSums>> = BTreeMap::new();
    for (record, sums) in plan.texts.iter().zip(texts) {
        if let Some(language) = &record.language {
            by_language.entry(language).or_default().push(sums);
        }
    }
    let rows = by_language.into_iter().flat_map(|(language, texts)| {
        let pooled = Pooled { plan, scope: format!("language:{language}"), texts, bootstrap };
        pooled.rows()
    });
    rows.collect()
}

/// All texts of one language.
struct Pooled<'a> {
    plan: &'a FidelityPlan,
    scope: String,
    texts: Vec<&'a TextSums>,
    bootstrap: &'a Bootstrap,
}

impl Pooled<'_> {
    fn rows(&self) -> Vec<Estimate> {
        let members = self.plan.members();
        let mut rows = Vec::new();
        for member in 0..members.len() {
            if let Some(nll) = self.sums(|text| text.nll.get(&member)) {
                let ppl = |mean: Summary| mean.map(f64::exp);
                rows.push(self.row("ppl", Unit::Perplexity, (member, None), &nll, ppl));
            }
        }
        for pair in self.plan.pairs() {
            let of = |sums: fn(&PairSums) -> &WindowSums| {
                self.sums(|text| text.pairs.get(&pair).map(sums))
            };
            let who = (pair.candidate, Some(pair.reference));
            if let (Some(kld), Some(nll), Some(same_top)) =
                (of(|pair| &pair.kld), of(|pair| &pair.nll_difference), of(|pair| &pair.same_top))
            {
                rows.push(self.row("ln_ppl_ratio", Unit::Nats, who, &nll, |mean| mean));
                let positive = |mean: Summary| mean.within(0.0, f64::INFINITY);
                rows.push(self.row("kld_mean", Unit::Nats, who, &kld, positive));
                let share = |mean: Summary| mean.within(0.0, 1.0).with_width();
                rows.push(self.row("same_top_p", Unit::Fraction, who, &same_top, share));
            }
        }
        rows
    }

    /// One figure's sums, text by text; none where a text lacks them.
    fn sums<'t>(
        &'t self,
        of: impl Fn(&'t TextSums) -> Option<&'t WindowSums>,
    ) -> Option<Vec<WindowSums>> {
        self.texts.iter().map(|text| of(text).cloned()).collect()
    }

    fn row(
        &self,
        metric: &str,
        unit: Unit,
        (member, reference): (usize, Option<usize>),
        sums: &[WindowSums],
        shape: impl Fn(Summary) -> Summary,
    ) -> Estimate {
        let members = self.plan.members();
        let summary = stratified_mean(sums, self.bootstrap).map(shape);
        let summary = summary.filter(|summary| summary.value.is_finite());
        let interval = summary
            .and_then(|summary| summary.interval)
            .filter(|interval| interval.lo.is_finite() && interval.hi.is_finite());
        Estimate {
            instrument: Instrument::Fidelity,
            metric: metric.to_owned(),
            candidate: self.plan.label(&members[member]),
            reference: reference.map(|reference| self.plan.label(&members[reference])),
            versus: None,
            scope: self.scope.clone(),
            setting: self.plan.setting(&members[member]),
            value: summary.map(|summary| summary.value),
            lo: interval.map(|interval| interval.lo),
            hi: interval.map(|interval| interval.hi),
            level: interval.map(|interval| interval.level),
            n: sums.iter().map(|sums| sums.windows().len() as u64).sum(),
            unit,
        }
    }
}
