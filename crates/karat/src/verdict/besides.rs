//! What else there is to say about a pair, apart from quality: distance, memory, speed and whose it is.
//! Owns these sentences; judges nothing.

use crate::record::{Estimate, Instrument, Lineage, ModelRecord, Question};
use crate::stats::{Interval, holm, p_from_t_interval};
use crate::units::Bytes;

use super::settings::VerdictSettings;
use super::table::Table;

/// A sentence and the rows it rests on.
pub(super) type Said = (String, Vec<usize>);

/// A row with its index.
type Row<'a> = (usize, &'a Estimate);

/// Everything there is to say besides, in the order in which people ask.
pub(super) fn besides(
    table: Table<'_>,
    question: Question,
    pair: (&ModelRecord, &ModelRecord),
    settings: &VerdictSettings,
) -> Vec<Said> {
    let mut said = Vec::new();
    match question {
        Question::Recipe => {}
        Question::Budget => said.extend(memory(table, pair, settings)),
        Question::Ceiling => said.extend(distance(table, pair)),
    }
    if question != Question::Ceiling {
        said.extend(speed(table, pair));
    }
    said
}

/// How far a build is from the original, where that is not what decided.
fn distance(table: Table<'_>, (build, original): (&ModelRecord, &ModelRecord)) -> Option<Said> {
    let name = table.form_of(&build.name);
    let figure = |metric: &'static str, scope: Option<&str>| {
        let mut rows = table.of(Instrument::Fidelity, metric);
        rows.find(|(_, row)| {
            row.candidate == name
                && row.reference.as_deref() == Some(original.name.as_str())
                && row.versus.is_none()
                && scope.is_none_or(|scope| row.scope == scope)
        })
    };
    let (kld_at, kld) = figure("kld_mean", None)?;
    let (top_at, top) = figure("same_top_p", Some(&kld.scope))?;
    let moved = if build.lineage.contains(&Lineage::Qat) {
        ", what the training moved included"
    } else {
        ""
    };
    let text = format!(
        "distance on {}: mean KLD {:.1}·10⁻³ nats, the same likeliest token at {:.1} % of places{moved}",
        kld.scope,
        1e3 * kld.value?,
        100.0 * top.value?
    );
    Some((text, vec![kld_at, top_at]))
}

fn memory(
    table: Table<'_>,
    (small, big): (&ModelRecord, &ModelRecord),
    settings: &VerdictSettings,
) -> Option<Said> {
    let totals = total_bytes(table, (small, big), settings.n_ctx);
    let Some(((small_at, small_row), (big_at, big_row))) = totals else {
        let saved = big.bytes.saturating_sub(small.bytes);
        return Some((format!("its file is {} smaller", Bytes(saved)), Vec::new()));
    };
    let (one, other) = (small_row.value? as u64, big_row.value? as u64);
    let n_ctx = small_row.setting.get("n_ctx").map_or("?", String::as_str);
    let needs = format!(
        "with {n_ctx} tokens of context it takes {}, {} takes {}",
        gib(one),
        big.name,
        gib(other)
    );
    let fits = settings.vram.map(|vram| {
        let fits = |bytes: u64| if bytes <= vram { "fits" } else { "does not fit" };
        match (one <= vram, other <= vram) {
            (a, b) if a == b => format!(": each {} {}", fits(one), gib(vram)),
            _ => format!(": the first {} {}, the other {}", fits(one), gib(vram), fits(other)),
        }
    });
    Some((format!("{needs}{}", fits.unwrap_or_default()), vec![small_at, big_at]))
}

fn gib(bytes: u64) -> String {
    let mib = bytes as f64 / (1_u64 << 20) as f64;
    if mib < 1000.0 { format!("{mib:.1} MiB") } else { format!("{:.2} GiB", mib / 1024.0) }
}

/// Totals of both with the same context and KV type: measured ones before predicted ones; the context
/// asked for, or the largest.
fn total_bytes<'a>(
    table: Table<'a>,
    (small, big): (&ModelRecord, &ModelRecord),
    n_ctx: Option<u32>,
) -> Option<(Row<'a>, Row<'a>)> {
    let of = |model: &ModelRecord| -> Vec<Row<'a>> {
        let rows = table.of(Instrument::Memory, "total_bytes");
        rows.filter(|(_, row)| row.candidate == model.name && row.scope == "all").collect()
    };
    let context = |row: &Estimate| row.setting.get("n_ctx").and_then(|n| n.parse::<u32>().ok());
    let is_measured = |row: &Estimate| row.setting.get("basis").is_some_and(|b| b == "measured");
    let (smalls, bigs) = (of(small), of(big));
    smalls
        .into_iter()
        .filter(|(_, row)| n_ctx.is_none() || context(row) == n_ctx)
        .filter_map(|one| {
            let other = bigs.iter().find(|(_, row)| row.setting == one.1.setting)?;
            Some((one, *other))
        })
        .max_by_key(|((_, row), _)| (is_measured(row), context(row)))
}

/// How fast the pair generates, and whose the difference is where a quantization-aware file is asked
/// about. Only builds that were timed in turns can be compared: answers to tasks came one build after
/// the other, some of them from earlier runs.
fn speed(table: Table<'_>, (one, other): (&ModelRecord, &ModelRecord)) -> Option<Said> {
    let pair = (one.name.as_str(), other.name.as_str());
    let Some((at, row, ratio)) = ratio(table, "tg_rate_ratio", pair) else {
        let mut asked = table.differences(Instrument::Behaviour, "pass_rate_diff", pair);
        let text = "speed was not measured in turns, so nothing is said of it: karat probe";
        return asked.next().map(|_| (text.to_owned(), Vec::new()));
    };
    let mut rows = vec![at];
    let is_nothing = !is_told_apart(table, at) || ratio.0.ln().abs() <= noise(table, row);
    let text = if ratio.1.is_some() && is_nothing {
        // What may be nothing has no shares.
        let text = format!("speed apart: cannot tell, ratio {:.3}{}", ratio.0, ends(ratio.1));
        return Some((text, rows));
    } else {
        let (factor, word) =
            if ratio.0 >= 1.0 { (ratio.0 - 1.0, "faster") } else { (1.0 - ratio.0, "slower") };
        let single = if ratio.1.is_none() { " (single figures, no interval)" } else { "" };
        format!("speed apart: it generates {:.1} % {word}{}{single}", 100.0 * factor, ends(ratio.1))
    };
    let shares = shares(table, pair, row);
    rows.extend(shares.iter().map(|(at, _)| *at));
    let parts: Vec<&str> = shares.iter().map(|(_, part)| part.as_str()).collect();
    let whose = if parts.is_empty() {
        String::new()
    } else {
        format!("; of that ratio {}", parts.join(", "))
    };
    Some((format!("{text}{whose}"), rows))
}

fn ends(interval: Option<Interval>) -> String {
    interval.map(|i| format!(" [× {:.3}, {:.3}]", i.lo, i.hi)).unwrap_or_default()
}

type Ratio = (f64, Option<Interval>);

/// A ratio one / other, whichever was divided by the other; from an empty cache where depths differ.
fn ratio<'a>(
    table: Table<'a>,
    metric: &'static str,
    (one, other): (&str, &str),
) -> Option<(usize, &'a Estimate, Ratio)> {
    let is_first = |row: &Estimate| row.setting.get("depth").is_none_or(|depth| depth == "0");
    table.of(Instrument::Speed, metric).filter(|(_, row)| is_first(row)).find_map(|(at, row)| {
        let value = row.value.filter(|value| *value > 0.0)?;
        let ends = row.lo.zip(row.hi).zip(row.level);
        let interval = ends.map(|((lo, hi), level)| Interval { lo, hi, level });
        match (row.candidate.as_str(), row.versus.as_deref()?) {
            pair if pair == (one, other) => Some((at, row, (value, interval))),
            pair if pair == (other, one) => {
                let turned = interval.filter(|i| i.lo > 0.0).map(|i| Interval {
                    lo: i.hi.recip(),
                    hi: i.lo.recip(),
                    ..i
                });
                Some((at, row, (value.recip(), turned)))
            }
            _ => None,
        }
    })
}

/// Whether the ratio in a row is told from 1 when every ratio of rates of the run shares one error
/// (Holm), as in the claims about speed.
fn is_told_apart(table: Table<'_>, row: usize) -> bool {
    let ratios = ["pp_rate_ratio", "tg_rate_ratio"];
    let rows = ratios.into_iter().flat_map(|metric| table.of(Instrument::Speed, metric));
    let tested: Vec<(usize, f64, f64)> = rows
        .filter_map(|(at, row)| {
            let ends = row.lo.zip(row.hi).filter(|(lo, _)| *lo > 0.0)?;
            let level = row.level?;
            let interval = Interval { lo: ends.0.ln(), hi: ends.1.ln(), level };
            let p = p_from_t_interval(row.value?.ln(), interval, row.n as usize)?;
            Some((at, p, level))
        })
        .collect();
    let p_values: Vec<f64> = tested.iter().map(|(_, p, _)| *p).collect();
    let mut adjusted = tested.iter().zip(holm(&p_values));
    adjusted.any(|((at, _, level), p)| *at == row && p <= 1.0 - level)
}

/// The farthest ln ratio that a model against itself may have had in the same test.
fn noise(table: Table<'_>, like: &Estimate) -> f64 {
    let mut rows = table.of(Instrument::Speed, "noise_floor_tg_rate_ratio");
    let row = rows.find(|(_, row)| row.scope == like.scope && row.setting == like.setting);
    let ends = row.and_then(|(_, row)| row.lo.zip(row.hi));
    ends.map_or(0.0, |(lo, hi)| lo.ln().abs().max(hi.ln().abs()))
}

/// `57 % format`, with the row each stands in.
fn shares(table: Table<'_>, pair: (&str, &str), like: &Estimate) -> Vec<(usize, String)> {
    let metrics = [
        ("recipe_share", "recipe"),
        ("build_share", "build"),
        ("build_and_recipe_share", "build and recipe together"),
        ("format_share", "format"),
    ];
    let mut found = Vec::new();
    for (metric, title) in metrics {
        let row = table.of(Instrument::Speed, metric).find(|(_, row)| {
            (row.candidate.as_str(), row.versus.as_deref()) == (pair.0, Some(pair.1))
                && row.scope == like.scope
                && row.setting.get("depth") == like.setting.get("depth")
        });
        let Some((at, row)) = row else { continue };
        found.extend(row.value.map(|share| (at, format!("{:.0} % {title}", 100.0 * share))));
    }
    found
}
