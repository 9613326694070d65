//! What the figures of a speed run support, in sentences: faster, or cannot tell. All comparisons of
//! a run share one error, by Holm's method, and none is claimed that is no larger than what the same
//! model showed against itself. Pure.

use crate::plan::{SpeedPlan, TestKind};
use crate::record::Claim;
use crate::stats::{BlockMean, Interval, Summary, holm};

use super::attribution::Attribution;

/// Probability with which the blocks asked for would find a difference as large as the one seen.
const POWER: f64 = 0.8;

/// One comparison of two models in one test.
pub(super) struct Comparison {
    /// The row it rests on.
    pub(super) row: usize,
    /// Index of the plan's tests.
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

/// Whether the data tell two models apart in a test; only then is there something to attribute.
pub(super) fn is_decided(
    all: &[Comparison],
    level: f64,
    (test, one, other): (usize, usize, usize),
) -> bool {
    let is_it = |comparison: &Comparison| {
        let pair = (comparison.model, comparison.versus);
        comparison.test == test && (pair == (one, other) || pair == (other, one))
    };
    judged(all, level).iter().any(|(it, verdict)| is_it(it) && *verdict == Verdict::Faster)
}

/// One claim for every decided comparison that does not follow from others, and one for all that are
/// open in a test.
pub(super) fn comparisons(plan: &SpeedPlan, all: &[Comparison], level: f64) -> Vec<Claim> {
    let tested = judged(all, level);
    let alpha = 1.0 - level;
    let with = |test: usize, wanted: fn(Verdict) -> bool| -> Vec<&Comparison> {
        let of_test = tested.iter().filter(|(one, verdict)| one.test == test && wanted(*verdict));
        of_test.map(|(one, _)| *one).collect()
    };
    let mut claims = Vec::new();
    for test in 0..plan.tests.len() {
        let decided = with(test, |verdict| verdict == Verdict::Faster);
        claims.extend(
            decided
                .iter()
                .filter(|one| !is_implied(one, &decided))
                .map(|one| Claim { statement: faster(plan, one, level), estimates: vec![one.row] }),
        );
        let noisy = with(test, |verdict| verdict == Verdict::WithinNoise);
        claims.extend(noisy.iter().map(|one| Claim {
            statement: within_noise(plan, one, level),
            estimates: vec![one.row],
        }));
        let open = with(test, |verdict| verdict == Verdict::Undecided);
        let n_pairs = tested.iter().filter(|(one, _)| one.test == test).count();
        claims.extend(undecided(plan, &open, n_pairs, (level, alpha / tested.len() as f64)));
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
    plan: &SpeedPlan,
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
    let one = cannot_tell(plan, nearest, level);
    let statement = if open.len() == 1 {
        format!("{one}; {more}.")
    } else {
        let title = plan.tests[nearest.test].title();
        let nearest = one.strip_prefix(&format!("{title}: cannot tell ")).unwrap_or(&one);
        format!(
            "{title}: {} of {n_pairs} pairs of models cannot be told apart. The nearest to being \
             settled is {nearest}; {more}.",
            open.len()
        )
    };
    Some(Claim { statement, estimates: open.iter().map(|one| one.row).collect() })
}

fn faster(plan: &SpeedPlan, comparison: &Comparison, level: f64) -> String {
    let Comparison { model, versus, mean, .. } = comparison;
    // The faster one is named first.
    let (fast, slow, sign) =
        if mean.mean > 0.0 { (model, versus, 1.0) } else { (versus, model, -1.0) };
    let turned = BlockMean { mean: sign * mean.mean, ..*mean };
    let gain = turned.summary(level).map(f64::exp_m1);
    let test = plan.tests[comparison.test];
    let does = match test.kind {
        TestKind::Pp => "processes prompts",
        TestKind::Tg => "generates",
    };
    format!(
        "{}: {} {does} {} faster than {}.",
        test.title(),
        plan.models[*fast].name,
        percent(gain),
        plan.models[*slow].name
    )
}

fn within_noise(plan: &SpeedPlan, comparison: &Comparison, level: f64) -> String {
    format!(
        "{}; the interval excludes 1, but {} against itself came out as far apart.",
        cannot_tell(plan, comparison, level),
        plan.models[0].name
    )
}

fn cannot_tell(plan: &SpeedPlan, comparison: &Comparison, level: f64) -> String {
    let ratio = comparison.mean.summary(level).map(f64::exp);
    let interval = ratio.interval.map(|i| format!(" [{:.3}, {:.3}]", i.lo, i.hi));
    format!(
        "{}: cannot tell {} from {}: ratio {:.3}{}",
        plan.tests[comparison.test].title(),
        plan.models[comparison.model].name,
        plan.models[comparison.versus].name,
        ratio.value,
        interval.unwrap_or_default()
    )
}

/// What of a difference is whose. `whole` is ln(A/O); `shares` go with the attribution's parts, each
/// with the row it stands in.
pub(super) fn attribution(
    plan: &SpeedPlan,
    (test, attribution): (usize, &Attribution),
    whole: &BlockMean,
    shares: &[(usize, Summary)],
) -> Claim {
    let (qat, other) = (&plan.models[attribution.qat].name, &plan.models[attribution.other].name);
    let title = plan.tests[test].title();
    let ratio = format!("{title}: {qat} runs at {:.3} times {other}'s rate", whole.mean.exp());
    let names: Vec<String> = attribution
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
    let of_it = if names.is_empty() {
        String::new()
    } else {
        format!("; of ln ratio: {}", names.join(", "))
    };
    let no_interval =
        !shares.is_empty() && shares.iter().all(|(_, share)| share.interval.is_none());
    let caveat = match (no_interval, whole.n) {
        (true, 1) => "; one block gives no intervals",
        (true, _) => "; the whole cannot be told from none, so shares have no intervals",
        (false, _) => "",
    };
    Claim {
        statement: format!("{ratio}{of_it}{caveat}{missing}."),
        estimates: shares.iter().map(|(row, _)| *row).collect(),
    }
}

/// One sentence for several attributions of a test whose wholes may be nothing.
pub(super) fn nothing_to_attribute(
    plan: &SpeedPlan,
    test: usize,
    open: &[(&Attribution, Vec<usize>)],
) -> Claim {
    let others: Vec<&str> =
        open.iter().map(|(one, _)| plan.models[one.other].name.as_str()).collect();
    let qat = open.first().map_or("", |(one, _)| plan.models[one.qat].name.as_str());
    Claim {
        statement: format!(
            "{}: the ratio of {qat} to {} may be 1, so format, build and recipe have nothing to share.",
            plan.tests[test].title(),
            others.join(", ")
        ),
        estimates: open.iter().flat_map(|(_, rows)| rows.clone()).collect(),
    }
}

/// `16.0 % [14.1 %, 17.9 %]`.
pub(super) fn percent(share: Summary) -> String {
    let of = |value: f64| format!("{:.1} %", 100.0 * value);
    let interval =
        share.interval.map(|Interval { lo, hi, .. }| format!(" [{}, {}]", of(lo), of(hi)));
    format!("{}{}", of(share.value), interval.unwrap_or_default())
}
