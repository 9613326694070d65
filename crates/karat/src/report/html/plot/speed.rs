//! Rates in tokens per second: one row per build, a dot with its interval.
//! Owns one panel per rate and setting; rates of different settings never share one.

use maud::{Markup, html};

use super::super::figure::{Figure, Panel};
use super::super::short_name::short_name;
use super::super::svg::axis;
use super::super::svg::frame::{Frame, LINE, WIDTH, px, svg};
use super::super::svg::mark::{Shape, dot, hit_area, level_whisker, mark};
use super::super::svg::scale::Scale;
use super::super::view::{View, basis, shared, told_apart};
use crate::record::Estimate;
use crate::report::metric_names::{PP_RATE, TG_RATE};
use crate::report::number::{PLAIN, figure as printed};
use crate::report::page::{Align, Cell, Column, Table};
use crate::report::rows::Ruler;
use crate::units::count;

/// From one row to the next: a line of text and a line of drawing.
const ROW: f64 = 38.0;
const TOP: f64 = 4.0;
const BELOW: f64 = 42.0;
/// Longest name written over a row.
const MAX_NAME: usize = 34;

/// What is drawn, and its name for people.
const RATES: [(&str, &str); 2] =
    [(TG_RATE, "generating (tg)"), (PP_RATE, "reading the prompt (pp)")];

/// All builds at one setting.
struct Group<'a> {
    rate: &'static str,
    scope: &'a str,
    setting: &'a Ruler,
    rows: Vec<&'a Estimate>,
}

pub(super) fn figure(view: &View<'_>) -> Option<Figure> {
    let groups: Vec<Group<'_>> = RATES.iter().flat_map(|rate| groups(view, *rate)).collect();
    let settings: Vec<&Ruler> = groups.iter().map(|group| group.setting).collect();
    let panel = |(i, group): (usize, &Group<'_>)| {
        panel(view, group, &group.title(&settings), &format!("speed-{i}"))
    };
    let panels: Vec<Panel> = groups.iter().enumerate().filter_map(panel).collect();
    (!panels.is_empty()).then(|| Figure {
        id: "speed",
        heading: "Speed",
        lede:
            "Right is faster. Whiskers are the intervals over blocks. Whether two \
             builds differ is for their paired ratio to say, in the tables: overlap decides nothing."
                .to_owned(),
        legend: None,
        panels,
        notes: shared(&settings).into_iter().collect(),
        table: table(&groups),
    })
}

/// The rows of one rate, by scope and setting in order of first appearance.
fn groups<'a>(view: &View<'a>, (metric, rate): (&str, &'static str)) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for row in &view.doc.estimates {
        if row.metric != metric || row.versus.is_some() || row.value.is_none() {
            continue;
        }
        let is_its =
            |group: &&mut Group<'_>| group.setting == &row.setting && group.scope == row.scope;
        if let Some(group) = groups.iter_mut().find(is_its) {
            group.rows.push(row);
        } else {
            let (scope, setting) = (row.scope.as_str(), &row.setting);
            groups.push(Group { rate, scope, setting, rows: vec![row] });
        }
    }
    groups
}

impl Group<'_> {
    /// The rate, what was read or written, and the settings in which groups differ.
    fn title(&self, settings: &[&Ruler]) -> String {
        let parts = [self.rate, self.scope, &told_apart(self.setting, settings)];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" · ")
    }
}

fn panel(view: &View<'_>, group: &Group<'_>, title: &str, id: &str) -> Option<Panel> {
    let bottom = TOP + group.rows.len() as f64 * ROW + 6.0;
    let frame = Frame { left: 8.0, right: WIDTH - 16.0, top: TOP, bottom };
    let ends = group.rows.iter().flat_map(|row| [row.value, row.lo, row.hi]).flatten();
    let scale = Scale::from_zero(ends)?;
    let description = format!(
        "{} by tokens per second, with intervals.",
        count(group.rows.len() as u64, "build")
    );
    let content = html! {
        (axis::below(frame, scale, "tokens/s"))
        @for (i, row) in group.rows.iter().enumerate() {
            @let y = TOP + i as f64 * ROW;
            (mark(
                view.palette.class(&row.candidate),
                &says(row, title),
                i == 0,
                &row_markup(view, row, (frame, scale), y),
            ))
        }
    };
    let svg = svg(id, bottom + BELOW, (title, &description), &content);
    Some(Panel { title: title.to_owned(), svg })
}

fn row_markup(view: &View<'_>, row: &Estimate, (frame, scale): (Frame, Scale), y: f64) -> Markup {
    let x = |rate: f64| frame.x(scale.place(rate));
    let line = y + LINE + 11.0;
    let cell = printed(Some(row), PLAIN);
    html! {
        (hit_area(frame.left, y, frame.right - frame.left, ROW))
        text.name x=(px(frame.left)) y=(px(y + LINE)) {
            (short_name(&row.candidate, MAX_NAME)) (view.lineage(&row.candidate))
        }
        text.figure x=(px(frame.right)) y=(px(y + LINE)) text-anchor="end" {
            (cell.text)
            @if let Some(interval) = &cell.interval { " " tspan.interval { (interval) } }
        }
        @if let Some(rate) = row.value {
            line.stem x1=(px(frame.left)) x2=(px(x(rate))) y1=(px(line)) y2=(px(line)) {}
            @if let (Some(lo), Some(hi)) = (row.lo, row.hi) { (level_whisker(line, x(lo), x(hi))) }
            (dot(Shape::Circle, x(rate), line))
        }
    }
}

fn says(row: &Estimate, title: &str) -> Vec<String> {
    let cell = printed(Some(row), PLAIN);
    vec![
        row.candidate.clone(),
        title.to_owned(),
        format!("{} {} tokens/s", cell.text, cell.interval.unwrap_or_default()),
        basis(row, "block"),
    ]
}

fn table(groups: &[Group<'_>]) -> Table {
    let columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("rate", "", Align::Left),
        Column::new("value", "tokens/s", Align::Point),
        Column::new("n", "", Align::Point),
    ];
    let settings: Vec<&Ruler> = groups.iter().map(|group| group.setting).collect();
    let rows = groups.iter().flat_map(|group| {
        let title = group.title(&settings);
        group.rows.iter().map(move |row| {
            vec![
                Cell::plain(&row.candidate),
                Cell::plain(&title),
                printed(Some(row), PLAIN),
                Cell::plain(row.n.to_string()),
            ]
        })
    });
    Table { columns, rows: rows.collect() }
}
