//! Memory by part: weights, KV cache and compute buffers stacked, one bar per build.
//! Owns one panel per context and KV type, predicted and measured bars apart.

use maud::{Markup, html};

use super::super::figure::{Figure, Panel};
use super::super::short_name::short_name;
use super::super::svg::axis;
use super::super::svg::frame::{Frame, LINE, WIDTH, px, svg};
use super::super::svg::mark::mark;
use super::super::svg::scale::Scale;
use super::super::view::{View, shared, told_apart};
use crate::record::Estimate;
use crate::report::metric_names::{COMPUTE_BYTES, KV_BYTES, OUTPUT_BYTES, WEIGHTS_BYTES};
use crate::report::number::{SizeUnit, memory_size};
use crate::report::page::{Align, Cell, Column, Table};
use crate::report::rows::Ruler;
use crate::visible::visible;

/// From one bar to the next: a line of text and a bar.
const ROW: f64 = 40.0;
const BAR: f64 = 14.0;
const TOP: f64 = 2.0;
const BELOW: f64 = 42.0;
/// Longest name written over a bar.
const MAX_NAME: usize = 34;
/// The setting that tells a prediction from a measurement.
const BASIS: &str = "basis";

/// The rows of all devices together.
const ALL_DEVICES: &str = "all";

/// The parts from left to right, with their style classes: one colour per build, one tint per part.
const PARTS: [(&str, &str, &str); 4] = [
    (WEIGHTS_BYTES, "weights", "part weights"),
    (KV_BYTES, "KV cache", "part kv"),
    (COMPUTE_BYTES, "compute", "part compute"),
    (OUTPUT_BYTES, "output", "part output"),
];

/// One build at one setting on one device.
struct Bar<'a> {
    build: &'a str,
    device: &'a str,
    /// With the basis.
    setting: &'a Ruler,
    /// In the order of [`PARTS`].
    bytes: [Option<f64>; PARTS.len()],
}

pub(super) fn figure(view: &View<'_>) -> Option<Figure> {
    let bars = bars(view);
    let most = bars.iter().map(Bar::total).fold(0.0, f64::max);
    let unit = SizeUnit::memory(most as u64);
    let scale = Scale::from_zero([unit.of_bytes(most as u64)])?;
    let mut panels: Vec<(&str, Ruler)> = Vec::new();
    for bar in &bars {
        let panel = bar.panel();
        if !panels.contains(&panel) {
            panels.push(panel);
        }
    }
    let settings: Vec<&Ruler> = panels.iter().map(|(_, setting)| setting).collect();
    let title = |(device, setting): &(&str, Ruler)| {
        let device = if *device == ALL_DEVICES { "" } else { device };
        let parts = [device, &told_apart(setting, &settings)].map(str::to_owned);
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" · ")
    };
    let panel = |(i, panel): (usize, &(&str, Ruler))| {
        let bars: Vec<&Bar<'_>> = bars.iter().filter(|bar| bar.panel() == *panel).collect();
        let title = title(panel);
        Panel {
            svg: self::panel(view, (scale, unit), &title, &bars, &format!("memory-{i}")),
            title,
        }
    };
    Some(Figure {
        id: "memory",
        heading: "Memory by part",
        lede: "From left to right: weights, KV cache, compute buffers, output buffers, in tints of \
               the build's colour. Hatched bars are predicted from the header, filled ones measured \
               in the engine."
            .to_owned(),
        legend: Some(legend(&bars)),
        panels: panels.iter().enumerate().map(panel).collect(),
        notes: shared(&settings).into_iter().collect(),
        table: table(&bars),
    })
}

/// A bar per build, setting and device. With a single device, it and all together are the same.
fn bars<'a>(view: &View<'a>) -> Vec<Bar<'a>> {
    let mut bars: Vec<Bar<'a>> = Vec::new();
    for row in &view.doc.estimates {
        let part = PARTS.iter().position(|(metric, ..)| row.metric == *metric);
        let (Some(part), None) = (part, &row.versus) else { continue };
        let is_its = |bar: &Bar<'_>| {
            (bar.build, bar.device) == (row.candidate.as_str(), row.scope.as_str())
                && bar.setting == &row.setting
        };
        let place = bars.iter().position(is_its).unwrap_or_else(|| {
            let (build, device) = (row.candidate.as_str(), row.scope.as_str());
            bars.push(Bar { build, device, setting: &row.setting, bytes: [None; PARTS.len()] });
            bars.len() - 1
        });
        bars[place].bytes[part] = bytes(row);
    }
    bars.retain(|bar| bar.total() > 0.0);
    let mut devices: Vec<&str> = bars.iter().map(|bar| bar.device).collect();
    devices.sort_unstable();
    devices.dedup();
    if devices.len() == 2 && devices.contains(&ALL_DEVICES) {
        bars.retain(|bar| bar.device == ALL_DEVICES);
    }
    bars
}

fn bytes(row: &Estimate) -> Option<f64> {
    row.value.filter(|value| value.is_finite() && *value >= 0.0)
}

impl Bar<'_> {
    /// The device and the setting, which all bars of a panel share.
    fn panel(&self) -> (&str, Ruler) {
        let setting = self.setting.iter().filter(|(name, _)| *name != BASIS);
        (self.device, setting.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    fn total(&self) -> f64 {
        self.bytes.iter().flatten().sum()
    }

    fn is_predicted(&self) -> bool {
        self.setting.get(BASIS).is_some_and(|basis| basis == "predicted")
    }

    /// `predicted` or `measured`; empty where the row does not say.
    fn basis(&self) -> &str {
        self.setting.get(BASIS).map(String::as_str).unwrap_or_default()
    }
}

/// Every setting: none is that of an empty one.
fn setting_text(setting: &Ruler) -> String {
    told_apart(setting, &[&Ruler::new()])
}

fn panel(
    view: &View<'_>,
    (scale, unit): (Scale, SizeUnit),
    title: &str,
    bars: &[&Bar<'_>],
    id: &str,
) -> Markup {
    let bottom = TOP + bars.len() as f64 * ROW + 4.0;
    let frame = Frame { left: 8.0, right: WIDTH - 16.0, top: TOP, bottom };
    let x = |bytes: f64| frame.x(scale.place(unit.of_bytes(bytes as u64)));
    let heading = format!("Memory by part, {title}");
    let description = format!("{} bars of stacked parts, in {}.", bars.len(), unit.name);
    let content = html! {
        (hatching(id))
        (axis::below(frame, scale, unit.name))
        @for (i, bar) in bars.iter().enumerate() {
            @let y = TOP + i as f64 * ROW;
            (mark(view.palette.class(bar.build), &says(bar), i == 0, &bar_markup(bar, (frame, &x), y, id)))
        }
    };
    svg(id, bottom + BELOW, (&heading, &description), &content)
}

/// What tints and hatching stand for, over all panels; in grey, because each build has its own colour.
fn legend(bars: &[Bar<'_>]) -> Markup {
    let parts = (0..PARTS.len()).filter(|part| bars.iter().any(|bar| bar.bytes[*part].is_some()));
    let is_predicted = bars.iter().any(Bar::is_predicted);
    html! {
        ul.legend {
            @for (_, name, class) in parts.map(|part| PARTS[part]) {
                li { span class={ "swatch " (class) } {} (name) }
            }
            @if is_predicted {
                li { span class="swatch hatched" {} "predicted" }
            }
        }
    }
}

/// Lines that are laid over predicted bars.
fn hatching(id: &str) -> Markup {
    html! {
        defs {
            pattern id={ (id) "-hatch" } width="5" height="5" patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)" {
                line.hatch x1="0" y1="0" x2="0" y2="5" {}
            }
        }
    }
}

fn bar_markup(
    bar: &Bar<'_>,
    (frame, x): (Frame, &impl Fn(f64) -> f64),
    y: f64,
    id: &str,
) -> Markup {
    let mut from = 0.0;
    let mut parts = Vec::new();
    for ((_, _, class), bytes) in PARTS.iter().zip(bar.bytes) {
        let bytes = bytes.unwrap_or_default();
        if bytes > 0.0 {
            parts.push((*class, x(from), (x(from + bytes) - x(from)).max(0.5)));
        }
        from += bytes;
    }
    let top = y + LINE + 4.0;
    html! {
        text.name x=(px(frame.left)) y=(px(y + LINE)) {
            (short_name(bar.build, MAX_NAME)) " " tspan.interval { (visible(bar.basis())) }
        }
        text.figure x=(px(frame.right)) y=(px(y + LINE)) text-anchor="end" {
            (memory_size(bar.total() as u64))
        }
        @for (class, left, width) in &parts {
            rect class=(class) x=(px(*left)) y=(px(top)) width=(px(*width)) height=(px(BAR)) {}
        }
        @if bar.is_predicted() {
            rect x=(px(x(0.0))) y=(px(top)) width=(px(x(from) - x(0.0))) height=(px(BAR))
                fill={ "url(#" (id) "-hatch)" } {}
        }
    }
}

fn says(bar: &Bar<'_>) -> Vec<String> {
    let mut lines = vec![bar.build.to_owned(), setting_text(bar.setting)];
    lines.extend(PARTS.iter().zip(bar.bytes).filter_map(|((_, name, _), bytes)| {
        Some(format!("{name} {}", memory_size(bytes? as u64)))
    }));
    lines.push(format!("total {}", memory_size(bar.total() as u64)));
    lines
}

fn table(bars: &[Bar<'_>]) -> Table {
    let mut columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("device", "", Align::Left),
        Column::new("setting", "", Align::Left),
        Column::new("basis", "", Align::Left),
    ];
    columns.extend(PARTS.map(|(_, name, _)| Column::new(name, "", Align::Point)));
    columns.push(Column::new("total", "", Align::Point));
    let size = |bytes: f64| Cell::plain(memory_size(bytes as u64));
    let word = |word: &str| if word.is_empty() { Cell::missing() } else { Cell::plain(word) };
    let row = |bar: &Bar<'_>| {
        let mut cells = vec![
            Cell::plain(bar.build),
            word(bar.device),
            word(&setting_text(&bar.panel().1)),
            word(bar.basis()),
        ];
        cells.extend(bar.bytes.map(|bytes| bytes.map_or_else(Cell::missing, size)));
        cells.push(size(bar.total()));
        cells
    };
    Table { columns, rows: bars.iter().map(row).collect() }
}
