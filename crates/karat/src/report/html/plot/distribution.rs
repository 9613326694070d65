//! How the KLD of single tokens is spread: one ridge per build on a logarithmic axis.
//! Owns one panel per text; the counts are the document's, nothing is smoothed.

use maud::{Markup, html};

use super::super::figure::{Figure, Panel};
use super::super::short_name::short_name;
use super::super::svg::axis;
use super::super::svg::frame::{Frame, WIDTH, px, svg};
use super::super::svg::mark::{Shape, dot, level_whisker, mark};
use super::super::svg::scale::Scale;
use super::super::view::{View, basis, place_title};
use crate::record::{Distribution, Estimate};
use crate::report::metric_names::{KLD_MAX, KLD_MEAN, KLD_MEDIAN, KLD_P99};
use crate::report::number::{MILLI_NATS, figure as printed, short};
use crate::report::page::{Align, Cell, Column, Table};
use crate::report::rows::{Place, window_noun};
use crate::units::count;

/// From one baseline to the next.
const ROW: f64 = 46.0;
/// Height of the highest ridge; it may reach into the row above.
const RIDGE: f64 = 40.0;
const TOP: f64 = 8.0;
const BELOW: f64 = 44.0;
/// Longest name written over a ridge.
const MAX_NAME: usize = 40;
/// Share of a build's tokens that may lie to the left of the axis.
const LEFT_OUT: f64 = 0.02;
/// Fewer tokens than this make a ridge of narrow bins too ragged to read: two bins become one.
const MANY_TOKENS: u64 = 2_000;

/// One build on one text.
struct Ridge<'a> {
    build: &'a str,
    spread: &'a Distribution,
    place: Place<'a>,
}

pub(super) fn figure(view: &View<'_>) -> Option<Figure> {
    let places = view.places();
    let panels: Vec<(Place<'_>, Vec<Ridge<'_>>)> = places
        .iter()
        .map(|place| (*place, ridges(view, *place)))
        .filter(|(_, ridges)| !ridges.is_empty())
        .collect();
    let ends = panels.iter().flat_map(|(_, ridges)| ridges).flat_map(|ridge| range(ridge.spread));
    let axis = Scale::log(ends.flatten())?;
    let original = view.original()?;
    let panel = |(i, (place, ridges)): (usize, &(Place<'_>, Vec<Ridge<'_>>))| Panel {
        title: place_title(*place, &places),
        svg: panel(view, axis, *place, ridges, &format!("spread-{i}")),
    };
    Some(Figure {
        id: "spread",
        heading: "How the distance is spread over tokens",
        lede: format!(
            "Each ridge shows how many tokens lie at which KL divergence from {original}, all of a \
             panel to one scale. Dot: median; ring: mean; tick: 99th percentile; median and \
             percentile with their intervals. Up to 2 % of a build's tokens lie left of the axis."
        ),
        legend: None,
        panels: panels.iter().enumerate().map(panel).collect(),
        notes: Vec::new(),
        table: table(view, panels.iter().flat_map(|(_, ridges)| ridges)),
    })
}

fn ridges<'a>(view: &View<'a>, place: Place<'a>) -> Vec<Ridge<'a>> {
    let ridge = |build: &'a str| {
        let spread = view.doc.distributions.iter().find(|spread| {
            spread.metric == "kld"
                && spread.candidate == build
                && spread.reference.as_deref() == Some(place.reference)
                && spread.scope == place.scope
                && view
                    .rows
                    .figure(place, KLD_MEAN, build)
                    .is_some_and(|row| row.setting == spread.setting)
        })?;
        (spread.n > 0).then_some(Ridge { build, spread, place })
    };
    view.builds().into_iter().filter_map(ridge).collect()
}

/// Lower edge of a bin, in nats.
fn edge(spread: &Distribution, bin: usize) -> f64 {
    spread.lowest * 10_f64.powf(bin as f64 / f64::from(spread.bins_per_decade.max(1)))
}

/// From where all but a few tokens are, to the largest one's bin.
fn range(spread: &Distribution) -> [Option<f64>; 2] {
    let last = spread.counts.iter().rposition(|count| *count > 0);
    let mut seen = 0;
    let first = spread.counts.iter().position(|count| {
        seen += count;
        seen as f64 > LEFT_OUT * spread.n as f64
    });
    [first.map(|bin| edge(spread, bin)), last.map(|bin| edge(spread, bin + 1))]
}

/// Share of the tokens per bin of `width` original bins: its middle in nats, and the share per original
/// bin, so that ridges of different widths compare.
fn shares(spread: &Distribution) -> Vec<(f64, f64)> {
    let width = if spread.n < MANY_TOKENS { 2 } else { 1 };
    let share = |(i, counts): (usize, &[u64])| {
        let middle = (edge(spread, i * width) * edge(spread, (i + 1) * width)).sqrt();
        (middle, counts.iter().sum::<u64>() as f64 / spread.n as f64 / counts.len() as f64)
    };
    spread.counts.chunks(width).enumerate().map(share).collect()
}

fn panel(view: &View<'_>, axis: Scale, place: Place<'_>, ridges: &[Ridge<'_>], id: &str) -> Markup {
    let bottom = TOP + ridges.len() as f64 * ROW;
    let frame = Frame { left: 6.0, right: WIDTH - 12.0, top: TOP, bottom };
    let highest = ridges
        .iter()
        .flat_map(|ridge| shares(ridge.spread))
        .map(|(_, share)| share)
        .fold(f64::MIN_POSITIVE, f64::max);
    let title = format!("Spread of the KLD of tokens, {}", place.scope);
    let description = format!(
        "{}, one ridge each: number of tokens by KL divergence from {}, logarithmic.",
        count(ridges.len() as u64, "build"),
        place.reference
    );
    let content = html! {
        (axis::below(frame, axis, "KLD of a token, nats (log)"))
        @for (i, ridge) in ridges.iter().enumerate() {
            @let base = TOP + (i + 1) as f64 * ROW;
            (mark(
                view.palette.class(ridge.build),
                &says(view, ridge),
                i == 0,
                &ridge_markup(view, ridge, (frame, axis), (base, highest)),
            ))
        }
    };
    svg(id, bottom + BELOW, (&title, &description), &content)
}

fn ridge_markup(
    view: &View<'_>,
    ridge: &Ridge<'_>,
    (frame, axis): (Frame, Scale),
    (base, highest): (f64, f64),
) -> Markup {
    let x = |nats: f64| frame.x(axis.place(nats));
    let within = |nats: &f64| (1e-9..1.0 - 1e-9).contains(&axis.place(*nats));
    let points: Vec<(f64, f64)> = shares(ridge.spread)
        .into_iter()
        .filter(|(middle, _)| within(middle))
        .map(|(middle, share)| (x(middle), base - share / highest * RIDGE))
        .collect();
    let outline = |(x, y): &(f64, f64)| format!("L{} {}", px(*x), px(*y));
    let outline: String = points.iter().map(outline).collect();
    let (first, last) = (points.first().map_or(0.0, |p| p.0), points.last().map_or(0.0, |p| p.0));
    let row = |metric| view.rows.figure(ridge.place, metric, ridge.build);
    let place_of = |row: Option<&Estimate>| row?.value.filter(|value| *value > 0.0).map(x);
    let whisker = |row: Option<&Estimate>| Some((x(row?.lo?), x(row?.hi?)));
    html! {
        path.area d={ "M" (px(first)) " " (px(base)) (outline) "L" (px(last)) " " (px(base)) "Z" } {}
        path.outline d={ "M" (px(first)) " " (px(base)) (outline) "L" (px(last)) " " (px(base)) } {}
        line.base x1=(px(frame.left)) x2=(px(frame.right)) y1=(px(base)) y2=(px(base)) {}
        @for metric in [KLD_MEDIAN, KLD_P99] {
            @if let Some((lo, hi)) = whisker(row(metric)) { (level_whisker(base, lo, hi)) }
        }
        @if let Some(p99) = place_of(row(KLD_P99)) {
            line.tick x1=(px(p99)) x2=(px(p99)) y1=(px(base - 8.0)) y2=(px(base + 4.0)) {}
        }
        @if let Some(mean) = place_of(row(KLD_MEAN)) {
            circle.ring cx=(px(mean)) cy=(px(base)) r="4" {}
        }
        @if let Some(median) = place_of(row(KLD_MEDIAN)) { (dot(Shape::Circle, median, base)) }
        text.name x=(px(frame.left)) y=(px(base - 8.0)) {
            (short_name(ridge.build, MAX_NAME)) (view.lineage(ridge.build))
        }
    }
}

fn says(view: &View<'_>, ridge: &Ridge<'_>) -> Vec<String> {
    let row = |metric| view.rows.figure(ridge.place, metric, ridge.build);
    let line = |name: &str, metric| {
        let cell = printed(row(metric), MILLI_NATS);
        format!("{name} {} {}", cell.text, cell.interval.unwrap_or_default())
    };
    let share = short(ridge.spread.zero as f64 / ridge.spread.n as f64 * 100.0);
    vec![
        format!("{} on {}", ridge.build, ridge.place.scope),
        format!("KLD in {}", MILLI_NATS.unit),
        line("median", KLD_MEDIAN),
        line("mean", KLD_MEAN),
        line("p99", KLD_P99),
        row(KLD_MEAN).map(|row| basis(row, window_noun(&row.setting))).unwrap_or_default(),
        format!("{} tokens, {share} % of them at exactly 0", ridge.spread.n),
    ]
}

fn table<'a>(view: &View<'_>, ridges: impl Iterator<Item = &'a Ridge<'a>>) -> Table {
    let kld = |title: &str| Column::new(title, MILLI_NATS.unit, Align::Point);
    let columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("text", "", Align::Left),
        Column::new("tokens", "", Align::Point),
        Column::new("exactly 0", "tokens", Align::Point),
        kld("median"),
        kld("mean"),
        kld("p99"),
        kld("max"),
        Column::new("windows", "", Align::Point),
    ];
    let row = |ridge: &Ridge<'_>| {
        let row = |metric| view.rows.figure(ridge.place, metric, ridge.build);
        let mut cells = vec![
            Cell::plain(ridge.build),
            Cell::plain(ridge.place.scope),
            Cell::plain(ridge.spread.n.to_string()),
            Cell::plain(ridge.spread.zero.to_string()),
        ];
        cells.extend([KLD_MEDIAN, KLD_MEAN, KLD_P99, KLD_MAX].map(|m| printed(row(m), MILLI_NATS)));
        cells.push(row(KLD_MEAN).map_or_else(Cell::missing, |row| Cell::plain(row.n.to_string())));
        cells
    };
    Table { columns, rows: ridges.map(row).collect() }
}
