//! Size on disk against distance from the original: what each byte buys.
//! Owns one panel per text; all share their axes, so that texts compare.

use maud::{Markup, html};

use super::super::figure::{Figure, Panel};
use super::super::short_name::short_name;
use super::super::svg::axis;
use super::super::svg::frame::{Frame, WIDTH, px, svg};
use super::super::svg::label::Labels;
use super::super::svg::mark::{RADIUS, Shape, dot, hit_area, mark, upright_whisker};
use super::super::svg::scale::Scale;
use super::super::view::{View, basis, place_title};
use crate::record::{Estimate, Lineage, ModelRecord};
use crate::report::metric_names::KLD_MEAN;
use crate::report::number::{MILLI_NATS, SizeUnit, figure as printed, file_size};
use crate::report::page::{Align, Cell, Column, Table};
use crate::report::rows::{Place, window_noun};
use crate::units::count;

const HEIGHT: f64 = 330.0;
const FRAME: Frame = Frame { left: 38.0, right: WIDTH - 10.0, top: 26.0, bottom: HEIGHT - 40.0 };
/// Longest name written beside a dot.
const MAX_NAME: usize = 28;

/// A build with a size and a distance.
struct Point<'a> {
    build: &'a str,
    model: &'a ModelRecord,
    kld: &'a Estimate,
}

/// Axes that all panels share.
struct Axes {
    size: Scale,
    unit: SizeUnit,
    kld: Scale,
}

pub(super) fn figure(view: &View<'_>) -> Option<Figure> {
    let places = view.places();
    let all: Vec<Point<'_>> = places.iter().flat_map(|place| points(view, *place)).collect();
    let kld_ends = all.iter().flat_map(|point| [point.kld.value, point.kld.lo, point.kld.hi]);
    let unit = SizeUnit::file(all.iter().map(|point| point.model.bytes).max()?);
    let axes = Axes {
        size: Scale::around(all.iter().map(|point| unit.of_bytes(point.model.bytes)))?,
        unit,
        kld: Scale::log(kld_ends.flatten().map(|nats| MILLI_NATS.apply(nats)))?,
    };
    let panel = |(i, place): (usize, &Place<'_>)| Panel {
        title: place_title(*place, &places),
        svg: panel(view, &axes, *place, &format!("size-{i}")),
    };
    Some(Figure {
        id: "size",
        heading: "Size against distance from the original",
        lede: format!(
            "Down is nearer to {}, left is smaller; whiskers are the intervals of the mean, and where \
             there is none it is shorter than its dot.{}",
            places.first()?.reference,
            lineage_key(&all)
        ),
        legend: None,
        panels: places.iter().enumerate().map(panel).collect(),
        notes: not_drawn(&all),
        table: table(view, &places),
    })
}

/// What the shapes mean, where there are any but circles.
fn lineage_key(points: &[Point<'_>]) -> &'static str {
    if points.iter().all(|point| shape(point.model) == Shape::Circle) {
        return "";
    }
    " A diamond is built from the QAT checkpoint, a square is its twin: plain rounding to the same \
     tensor types; a dashed line joins the two."
}

fn points<'a>(view: &View<'a>, place: Place<'_>) -> Vec<Point<'a>> {
    let point = |build: &'a str| {
        let (model, kld) = (view.model(build)?, view.rows.figure(place, KLD_MEAN, build)?);
        kld.value?;
        Some(Point { build, model, kld })
    };
    view.rows.candidates().into_iter().filter_map(point).collect()
}

/// What a logarithmic axis has no place for.
fn not_drawn(points: &[Point<'_>]) -> Vec<String> {
    let zero = points.iter().filter(|point| point.kld.value.is_some_and(|value| value <= 0.0));
    zero.map(|point| {
        format!("{} on {}: distance 0, below every logarithmic axis", point.build, point.kld.scope)
    })
    .collect()
}

fn panel(view: &View<'_>, axes: &Axes, place: Place<'_>, id: &str) -> Markup {
    let mut points = points(view, place);
    points.retain(|point| point.kld.value > Some(0.0));
    let at = |point: &Point<'_>| {
        let size = axes.unit.of_bytes(point.model.bytes);
        (FRAME.x(axes.size.place(size)), height(axes, point.kld.value))
    };
    let mut labels = Labels::new(FRAME);
    for point in &points {
        let (x, y) = at(point);
        let (lo, hi) = ends(axes, point.kld).unwrap_or((y, y));
        labels.keep_off(x, hi.min(y - RADIUS), lo.max(y + RADIUS));
    }
    let marks = points.iter().enumerate().map(|(i, point)| {
        let (x, y) = at(point);
        let name = short_name(point.build, MAX_NAME) + &view.lineage(point.build);
        let content = html! {
            (hit_area(x - 11.0, y - 11.0, 22.0, 22.0))
            @if let Some((lo, hi)) = ends(axes, point.kld) { (upright_whisker(x, lo, hi)) }
            (dot(shape(point.model), x, y))
            (labels.beside(x, y, &name))
        };
        mark(view.palette.class(point.build), &says(view, point), i == 0, &content)
    });
    let marks: Vec<Markup> = marks.collect();
    let title = format!("Size against KLD, {}", place.scope);
    let description = format!(
        "{} by size on disk and mean KL divergence from {}, with intervals.",
        count(points.len() as u64, "build"),
        place.reference
    );
    let content = html! {
        (axis::left(FRAME, axes.kld, &format!("KLD mean, {} (log)", MILLI_NATS.unit)))
        (axis::below(FRAME, axes.size, &format!("size on disk, {}", axes.unit.name)))
        (twins(&points, at))
        @for mark in &marks { (mark) }
    };
    svg(id, HEIGHT, (&title, &description), &content)
}

/// The dashed line between a QAT build and its twin.
fn twins(points: &[Point<'_>], at: impl Fn(&Point<'_>) -> (f64, f64)) -> Markup {
    let of = |lineage| points.iter().find(|point| point.model.lineage.contains(&lineage)).map(&at);
    let line = of(Lineage::Qat).zip(of(Lineage::Twin));
    html! {
        @if let Some(((x1, y1), (x2, y2))) = line {
            line.twins x1=(px(x1)) y1=(px(y1)) x2=(px(x2)) y2=(px(y2)) {}
        }
    }
}

fn shape(model: &ModelRecord) -> Shape {
    if model.lineage.contains(&Lineage::Qat) {
        Shape::Diamond
    } else if model.lineage.contains(&Lineage::Twin) {
        Shape::Square
    } else {
        Shape::Circle
    }
}

fn height(axes: &Axes, nats: Option<f64>) -> f64 {
    FRAME.y(axes.kld.place(nats.map_or(f64::NAN, |nats| MILLI_NATS.apply(nats))))
}

/// The ends of the interval, as heights.
fn ends(axes: &Axes, kld: &Estimate) -> Option<(f64, f64)> {
    Some((height(axes, Some(kld.lo?)), height(axes, Some(kld.hi?))))
}

fn says(view: &View<'_>, point: &Point<'_>) -> Vec<String> {
    let cell = printed(Some(point.kld), MILLI_NATS);
    let size = file_size(point.model.bytes);
    vec![
        format!("{}{}", point.build, view.lineage(point.build)),
        format!("{size}, {:.2} bits per weight", point.model.bits_per_weight),
        format!(
            "KLD mean {} {} {} on {}",
            cell.text,
            cell.interval.unwrap_or_default(),
            MILLI_NATS.unit,
            point.kld.scope
        ),
        basis(point.kld, window_noun(&point.kld.setting)),
    ]
}

fn table(view: &View<'_>, places: &[Place<'_>]) -> Table {
    let columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("size", "", Align::Point),
        Column::new("bits/weight", "", Align::Point),
        Column::new("text", "", Align::Left),
        Column::new("KLD mean", MILLI_NATS.unit, Align::Point),
        Column::new("windows", "", Align::Point),
    ];
    let row = |point: &Point<'_>, place: &Place<'_>| {
        vec![
            Cell::plain(format!("{}{}", point.build, view.lineage(point.build))),
            Cell::plain(file_size(point.model.bytes)),
            Cell::plain(format!("{:.2}", point.model.bits_per_weight)),
            Cell::plain(place_title(*place, places)),
            printed(Some(point.kld), MILLI_NATS),
            Cell::plain(point.kld.n.to_string()),
        ]
    };
    let rows = places
        .iter()
        .flat_map(|place| points(view, *place).into_iter().map(move |point| row(&point, place)));
    Table { columns, rows: rows.collect() }
}
