//! Distance from the original by position in the window: does it grow with context?
//! Owns one panel per text; a line per build with a band for its interval.

use maud::{Markup, html};

use super::super::figure::{Figure, Panel};
use super::super::svg::axis;
use super::super::svg::frame::{Frame, WIDTH, px, svg};
use super::super::svg::mark::{hit_area, mark};
use super::super::svg::scale::Scale;
use super::super::svg::series_names::{self, Series};
use super::super::view::{View, basis, place_title};
use crate::record::Estimate;
use crate::report::number::{MILLI_NATS, figure as printed};
use crate::report::page::{Align, Cell, Column, Table};
use crate::report::rows::{Place, window_noun};
use crate::units::count;

const HEIGHT: f64 = 290.0;
const FRAME: Frame = Frame { left: 38.0, right: WIDTH, top: 26.0, bottom: HEIGHT - 40.0 };

/// One panel.
struct Text<'a> {
    title: String,
    lines: Vec<Line<'a>>,
}

/// One build on one text, by ascending position.
struct Line<'a> {
    build: &'a str,
    points: Vec<Point<'a>>,
}

/// One bucket of positions.
struct Point<'a> {
    /// The middle of it.
    position: f64,
    /// As the row has it.
    name: &'a str,
    row: &'a Estimate,
}

pub(super) fn figure(view: &View<'_>) -> Option<Figure> {
    let places = view.places();
    let texts: Vec<Text<'_>> = places
        .iter()
        .map(|place| Text { title: place_title(*place, &places), lines: lines(view, *place) })
        .filter(|text| text.lines.iter().any(|line| line.points.len() > 1))
        .collect();
    let original = places.first()?.reference;
    let all = || texts.iter().flat_map(|text| &text.lines).flat_map(|line| &line.points);
    let positions = Scale::around(all().map(|point| point.position))?;
    let klds = all().flat_map(|point| [point.row.value, point.row.lo, point.row.hi]).flatten();
    let klds = Scale::log(klds.map(|nats| MILLI_NATS.apply(nats)))?;
    // The same in all panels, so that they can be compared.
    let names = texts.iter().flat_map(|text| &text.lines).map(|line| line.build);
    let frame = Frame { right: FRAME.right - series_names::margin(names), ..FRAME };
    let panel = |(i, text): (usize, &Text<'_>)| Panel {
        title: text.title.clone(),
        svg: panel(view, (frame, positions, klds), (text, original), &format!("position-{i}")),
    };
    let bands = if texts.iter().any(has_intervals) { "; bands are the intervals" } else { "" };
    Some(Figure {
        id: "position",
        heading: "Distance by position in the window",
        lede: format!(
            "How far each build is from {original} after how many tokens of context{bands}. A line that \
             climbs loses more the longer it reads."
        ),
        legend: None,
        panels: texts.iter().enumerate().map(panel).collect(),
        notes: Vec::new(),
        table: table(&texts),
    })
}

fn lines<'a>(view: &View<'a>, place: Place<'_>) -> Vec<Line<'a>> {
    let line = |build: &'a str| {
        let rows = view.rows.by_position(place, build).into_iter();
        let rows = rows.filter(|(_, row)| row.value.is_some_and(|value| value > 0.0));
        let mut points: Vec<Point<'_>> = rows
            .filter_map(|(name, row)| Some(Point { position: middle(name)?, name, row }))
            .collect();
        points.sort_by(|one, other| one.position.total_cmp(&other.position));
        Line { build, points }
    };
    let lines = view.builds().into_iter().map(line);
    lines.filter(|line| !line.points.is_empty()).collect()
}

/// After an early stop none of them has one.
fn has_intervals(text: &Text<'_>) -> bool {
    text.lines.iter().flat_map(|line| &line.points).any(|point| point.row.lo.is_some())
}

/// The middle of `256..319`, or the number itself.
fn middle(name: &str) -> Option<f64> {
    let numbers = name.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let numbers: Vec<f64> = numbers.filter_map(|part| part.parse().ok()).collect();
    Some(f64::midpoint(*numbers.first()?, *numbers.last()?))
}

fn panel(
    view: &View<'_>,
    (frame, positions, klds): (Frame, Scale, Scale),
    (text, original): (&Text<'_>, &str),
    id: &str,
) -> Markup {
    let x = |position: f64| frame.x(positions.place(position));
    let y = |nats: f64| frame.y(klds.place(MILLI_NATS.apply(nats)));
    let series = text.lines.iter().filter_map(|line| {
        let last = line.points.last()?;
        let end = (x(last.position), y(last.row.value?));
        Some(Series { name: line.build, class: view.palette.class(line.build), end })
    });
    let series: Vec<Series<'_>> = series.collect();
    let title = format!("KLD by position in the window, {}", text.title);
    let description = format!(
        "Mean KL divergence from {original} of {} by position{}.",
        count(text.lines.len() as u64, "build"),
        if has_intervals(text) { ", with intervals" } else { "" }
    );
    let content = html! {
        (axis::left(frame, klds, &format!("KLD mean, {} (log)", MILLI_NATS.unit)))
        (axis::below(frame, positions, "position in the window, tokens"))
        (series_names::beside(frame, &series))
        @for (i, line) in text.lines.iter().enumerate() {
            (line_markup(view, line, (&x, &y), i == 0))
        }
    };
    svg(id, HEIGHT, (&title, &description), &content)
}

fn line_markup(
    view: &View<'_>,
    line: &Line<'_>,
    (x, y): (&impl Fn(f64) -> f64, &impl Fn(f64) -> f64),
    is_first: bool,
) -> Markup {
    let class = view.palette.class(line.build);
    let at = |point: &Point<'_>| (x(point.position), y(point.row.value.unwrap_or_default()));
    let path = |points: Vec<(f64, f64)>| -> String {
        let point = |(i, (x, y)): (usize, (f64, f64))| {
            format!("{}{} {}", if i == 0 { "M" } else { "L" }, px(x), px(y))
        };
        points.into_iter().enumerate().map(point).collect()
    };
    let upper = line.points.iter().filter_map(|p| Some((x(p.position), y(p.row.hi?))));
    let lower = line.points.iter().rev().filter_map(|p| Some((x(p.position), y(p.row.lo?))));
    let band: Vec<(f64, f64)> = upper.chain(lower).collect();
    html! {
        g class=(class) {
            @if band.len() > 3 { path.area d={ (path(band)) "Z" } {} }
            path.outline d=(path(line.points.iter().map(at).collect())) {}
        }
        @for (i, point) in line.points.iter().enumerate() {
            @let (x, y) = at(point);
            (mark(class, &says(line.build, point), is_first && i == 0, &html! {
                (hit_area(x - 9.0, y - 9.0, 18.0, 18.0))
                circle.dot cx=(px(x)) cy=(px(y)) r="2.5" {}
            }))
        }
    }
}

fn says(build: &str, point: &Point<'_>) -> Vec<String> {
    let cell = printed(Some(point.row), MILLI_NATS);
    vec![
        format!("{build}, position {}", point.name),
        format!(
            "KLD mean {} {} {} on {}",
            cell.text,
            cell.interval.unwrap_or_default(),
            MILLI_NATS.unit,
            point.row.scope
        ),
        basis(point.row, window_noun(&point.row.setting)),
    ]
}

fn table(texts: &[Text<'_>]) -> Table {
    let columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("text", "", Align::Left),
        Column::new("position", "tokens", Align::Point),
        Column::new("KLD mean", MILLI_NATS.unit, Align::Point),
        Column::new("windows", "", Align::Point),
    ];
    let row = |text: &Text<'_>, line: &Line<'_>, point: &Point<'_>| {
        vec![
            Cell::plain(line.build),
            Cell::plain(&text.title),
            Cell::plain(point.name),
            printed(Some(point.row), MILLI_NATS),
            Cell::plain(point.row.n.to_string()),
        ]
    };
    let mut table = Table { columns, rows: Vec::new() };
    for text in texts {
        for line in &text.lines {
            table.rows.extend(line.points.iter().map(|point| row(text, line, point)));
        }
    }
    table
}
