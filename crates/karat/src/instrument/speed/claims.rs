//! What the figures of a speed run support, in sentences: faster, or cannot tell. All comparisons of
//! a run share one error, by Holm's method, and none is claimed that is no larger than what the same
//! model showed against itself. Pure.

use crate::plan::{ControlPlan, SpeedPlan, TestKind};
use crate::record::Claim;
use crate::stats::{BlockMean, Interval, Summary, holm};

use super::attribution::Attribution;

/// Probability with which the blocks asked for would find a difference as large as the one seen.
const POWER: f64 = 0.8;

/// What the sentences call models and tests.
pub(super) struct Names<'p> {
    /// Models, by their index in the plan.
    pub(super) models: Vec<&'p str>,
    /// Each test's title, and what a model does in it.
    pub(super) tests: Vec<(String, &'static str)>,
}

impl<'p> Names<'p> {
    /// Of lengths on the embedded engine.
    pub(super) fn of_speed(plan: &'p SpeedPlan) -> Self {
        let does = |kind| match kind {
            TestKind::Pp => "processes prompts",
            TestKind::Tg => "generates",
        };
        Self {
            models: plan.models.iter().map(|model| model.name.as_str()).collect(),
            tests: plan.tests.iter().map(|test| (test.title(), does(test.kind))).collect(),
        }
    }

    /// Of the control prompt on servers, whose one test is how fast its answer is written.
    pub(super) fn of_control(plan: &'p ControlPlan) -> Self {
        Self {
            models: plan.models.iter().map(|model| model.name.as_str()).collect(),
            tests: vec![(plan.prompt.name.clone(), "generates")],
        }
    }

    fn title(&self, test: usize) -> &str {
        &self.tests[test].0
    }
}

/// One comparison of two models in one test.
pub(super) struct Comparison {
    /// The row it rests on.
    pub(super) row: usize,
    /// Index of the named tests.
    pub(super) test: usize,
    /// ln of this model's rate over the other's.
    pub(super) model: usize,
    /// The other model.
    pub(super) versus: usize,
    /// Over blocks.
    pub(super) mean: BlockMean,
    /// The farthest ln ratio that the model against itself may have in this test.
    pub(super) noise: f64,
}

/// How a comparison came out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Faster,
    /// The interval excludes 1, and so does the model's own against itself.
    WithinNoise,
    Undecided,
}

/// How every comparison that can be tested came out, all of them under one error (Holm).
fn judged(all: &[Comparison], level: f64) -> Vec<(&Comparison, Verdict)> {
    let tested: Vec<(&Comparison, f64)> =
        all.iter().filter_map(|one| Some((one, one.mean.p_value()?))).collect();
    let p_values: Vec<f64> = tested.iter().map(|(_, p_value)| *p_value).collect();
    let verdict = |((comparison, _), adjusted): (&(&'_ Comparison, f64), f64)| {
        if adjusted > 1.0 - level {
            Verdict::Undecided
        } else if comparison.mean.mean.abs() <= comparison.noise {
            Verdict::WithinNoise
        } else {
            Verdict::Faster
        }
    };
    let verdicts: Vec<Verdict> = tested.iter().zip(holm(&p_values)).map(verdict).collect();
    tested.into_iter().map(|(one, _)| one).zip(verdicts).collect()
}

/// The row of the comparison of two models in a test, and whether the data tell them apart: only then
/// is there something to attribute.
pub(super) fn compared(
    all: &[Comparison],
    level: f64,
    (test, one, other): (usize, usize, usize),
) -> (Option<usize>, bool) {
    let is_it = |comparison: &&Comparison| {
        let pair = (comparison.model, comparison.versus);
        comparison.test == test && (pair == (one, other) || pair == (other, one))
    };
    let judged = judged(all, level);
    let is_decided = judged.iter().any(|(it, verdict)| is_it(it) && *verdict == Verdict::Faster);
    (all.iter().find(is_it).map(|it| it.row), is_decided)
}

/// One claim for every decided comparison that does not follow from others, and one for all that are
/// open in a test.
pub(super) fn comparisons(names: &Names<'_>, all: &[Comparison], level: f64) -> Vec<Claim> {
    let tested = judged(all, level);
    let alpha = 1.0 - level;
    let with = |test: usize, wanted: fn(Verdict) -> bool| -> Vec<&Comparison> {
        let of_test = tested.iter().filter(|(one, verdict)| one.test == test && wanted(*verdict));
        of_test.map(|(one, _)| *one).collect()
    };
    let mut claims = Vec::new();
    for test in 0..names.tests.len() {
        let decided = with(test, |verdict| verdict == Verdict::Faster);
        claims.extend(
            decided.iter().filter(|one| !is_implied(one, &decided)).map(|one| Claim {
                statement: faster(names, one, level),
                estimates: vec![one.row],
            }),
        );
        let noisy = with(test, |verdict| verdict == Verdict::WithinNoise);
        claims.extend(noisy.iter().map(|one| Claim {
            statement: within_noise(names, one, level),
            estimates: vec![one.row],
        }));
        let open = with(test, |verdict| verdict == Verdict::Undecided);
        let n_pairs = tested.iter().filter(|(one, _)| one.test == test).count();
        claims.extend(undecided(names, &open, n_pairs, (level, alpha / tested.len() as f64)));
    }
    claims
}

/// Whether a third model is slower than the faster and faster than the slower, both decided.
fn is_implied(one: &Comparison, decided: &[&Comparison]) -> bool {
    let order = |one: &Comparison| {
        if one.mean.mean > 0.0 { (one.model, one.versus) } else { (one.versus, one.model) }
    };
    let (fast, slow) = order(one);
    let faster_than = |model: usize| {
        decided.iter().map(|one| order(one)).filter(move |pair| pair.0 == model).map(|pair| pair.1)
    };
    faster_than(fast).any(|between| faster_than(between).any(|end| end == slow))
}

/// What is open in a test, in one sentence: the comparison that the fewest blocks would settle stands
/// for the others.
fn undecided(
    names: &Names<'_>,
    open: &[&Comparison],
    n_pairs: usize,
    (level, alpha): (f64, f64),
) -> Option<Claim> {
    let needed = |one: &Comparison| one.mean.blocks_needed(alpha, POWER);
    let nearest = open.iter().min_by_key(|one| needed(one).unwrap_or(u64::MAX))?;
    let more = match needed(nearest) {
        Some(n) => format!("about {n} blocks would settle a difference of this size"),
        None => "a difference of this size would take more blocks than anyone has".to_owned(),
    };
    let one = cannot_tell(names, nearest, level);
    let statement = if open.len() == 1 {
        format!("{one}; {more}.")
    } else {
        let title = names.title(nearest.test);
        let nearest = one.strip_prefix(&format!("{title}: cannot tell ")).unwrap_or(&one);
        format!(
            "{title}: {} of {n_pairs} pairs of models cannot be told apart. The nearest to being \
             settled is {nearest}; {more}.",
            open.len()
        )
    };
    Some(Claim { statement, estimates: open.iter().map(|one| one.row).collect() })
}

fn faster(names: &Names<'_>, comparison: &Comparison, level: f64) -> String {
    let Comparison { model, versus, mean, .. } = comparison;
    // The faster one is named first.
    let (fast, slow, sign) =
        if mean.mean > 0.0 { (model, versus, 1.0) } else { (versus, model, -1.0) };
    let turned = BlockMean { mean: sign * mean.mean, ..*mean };
    let gain = turned.summary(level).map(f64::exp_m1);
    let (title, does) = &names.tests[comparison.test];
    format!(
        "{title}: {} {does} {} faster than {}.",
        names.models[*fast],
        percent(gain),
        names.models[*slow]
    )
}

fn within_noise(names: &Names<'_>, comparison: &Comparison, level: f64) -> String {
    format!(
        "{}; the interval excludes 1, but {} against itself came out as far apart.",
        cannot_tell(names, comparison, level),
        names.models[0]
    )
}

fn cannot_tell(names: &Names<'_>, comparison: &Comparison, level: f64) -> String {
    format!(
        "{}: cannot tell {} from {}: ratio {}",
        names.title(comparison.test),
        names.models[comparison.model],
        names.models[comparison.versus],
        ratio(&comparison.mean, level)
    )
}

/// What of a difference is whose, in one test.
pub(super) struct Split<'a> {
    /// Index of the named tests.
    pub(super) test: usize,
    /// The question.
    pub(super) attribution: &'a Attribution,
    /// ln(A/O) over blocks.
    pub(super) whole: BlockMean,
    /// The row of that ratio.
    pub(super) row: Option<usize>,
    /// The whole cannot be told from none.
    pub(super) is_open: bool,
    /// As the attribution's parts, each with the row it stands in; none of what is open.
    pub(super) shares: Vec<(usize, Summary)>,
}

/// One claim for each difference that is shared out, one for each pair of models that lacks a control
/// whatever the tests, and one for all that is open in a test.
pub(super) fn attributions(names: &Names<'_>, splits: &[Split<'_>], level: f64) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut rest: Vec<&Split<'_>> = splits.iter().filter(|split| !split.is_open).collect();
    while let Some(split) = rest.first() {
        // Without parts there is nothing to say of a test but the ratio.
        let is_alike = |other: &Split<'_>| {
            split.attribution == other.attribution
                && (split.test == other.test || split.attribution.parts.is_empty())
        };
        let (alike, others): (Vec<_>, Vec<_>) = rest.iter().partition(|other| is_alike(other));
        claims.push(shared_out(names, &alike, level));
        rest = others;
    }
    for test in 0..names.tests.len() {
        let open: Vec<&Split<'_>> =
            splits.iter().filter(|split| split.is_open && split.test == test).collect();
        claims.extend(nothing_to_share(names, &open, level));
    }
    claims
}

/// The sentence about one attribution in one test, or in several that have nothing but a ratio.
fn shared_out(names: &Names<'_>, splits: &[&Split<'_>], level: f64) -> Claim {
    let Split { attribution, whole, shares, .. } = splits[0];
    let (qat, other) = (names.models[attribution.qat], names.models[attribution.other]);
    let titles: Vec<&str> = splits.iter().map(|split| names.title(split.test)).collect();
    let ratios: Vec<String> = splits.iter().map(|split| ratio(&split.whole, level)).collect();
    let parts: Vec<String> = attribution
        .parts
        .iter()
        .zip(shares)
        .map(|(part, (_, share))| format!("{} {}", part.title, percent(*share)))
        .collect();
    let missing = match (attribution.parts.is_empty(), attribution.has_twin) {
        (true, _) => {
            "; format, build and recipe cannot be separated: that takes a twin (`karat twin --like`), \
             or another build of the same format"
        }
        (false, false) => {
            "; build and recipe cannot be separated without a twin (`karat twin --like`)"
        }
        (false, true) => "",
    };
    let of_it = if parts.is_empty() {
        String::new()
    } else {
        format!("; of ln ratio: {}", parts.join(", "))
    };
    let caveat = if whole.n == 1 { "; one block gives no intervals" } else { "" };
    let rows = splits
        .iter()
        .flat_map(|split| split.row.into_iter().chain(split.shares.iter().map(|(row, _)| *row)));
    Claim {
        statement: format!(
            "{}: {qat} runs at {} times {other}'s rate{of_it}{caveat}{missing}.",
            titles.join(", "),
            ratios.join(", ")
        ),
        estimates: rows.collect(),
    }
}

/// One sentence for all wholes of a test that may be nothing.
fn nothing_to_share(names: &Names<'_>, open: &[&Split<'_>], level: f64) -> Option<Claim> {
    let Split { test, attribution, .. } = open.first()?;
    let times = |split: &&Split<'_>| {
        format!("{} times {}'s", ratio(&split.whole, level), names.models[split.attribution.other])
    };
    let told = if open.len() == 1 { "it cannot be told" } else { "none can be told" };
    Some(Claim {
        statement: format!(
            "{}: {}'s rate is {}; judged with all comparisons and the noise floor, {told} from 1, so \
             there is no difference for format, build and recipe to share.",
            names.title(*test),
            names.models[attribution.qat],
            open.iter().map(times).collect::<Vec<_>>().join(", ")
        ),
        estimates: open.iter().filter_map(|split| split.row).collect(),
    })
}

/// `1.292 [1.284, 1.301]`.
fn ratio(log: &BlockMean, level: f64) -> String {
    let ratio = log.summary(level).map(f64::exp);
    let interval = ratio.interval.map(|i| format!(" [{:.3}, {:.3}]", i.lo, i.hi));
    format!("{:.3}{}", ratio.value, interval.unwrap_or_default())
}

/// `16.0 % [14.1 %, 17.9 %]`.
pub(super) fn percent(share: Summary) -> String {
    let of = |value: f64| format!("{:.1} %", 100.0 * value);
    let interval =
        share.interval.map(|Interval { lo, hi, .. }| format!(" [{}, {}]", of(lo), of(hi)));
    format!("{}{}", of(share.value), interval.unwrap_or_default())
}
