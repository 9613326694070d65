//! Tasks passed: a dot with its interval per build, over all tasks, then by family and by language.
//! Owns one panel per part of the suite and setting; accuracy by budget is `budget`'s.

use maud::{Markup, html};

use super::super::figure::{Figure, Panel};
use super::super::short_name::short_name;
use super::super::svg::axis;
use super::super::svg::frame::{Frame, LINE, WIDTH, px, svg};
use super::super::svg::mark::{Shape, dot, hit_area, level_whisker, mark};
use super::super::svg::scale::Scale;
use super::super::view::{View, basis, shared, told_apart};
use crate::record::Estimate;
use crate::report::metric_names::PASS_RATE;
use crate::report::number::{PERCENT, figure as printed};
use crate::report::page::{Align, Cell, Column, Table};
use crate::report::rows::Ruler;
use crate::visible::visible;

/// A build with its name over its dot.
const NAMED_ROW: f64 = 38.0;
/// A build below the name of a family or language.
const ROW: f64 = 13.0;
/// Between one family and the next.
const GAP: f64 = 9.0;
const TOP: f64 = 4.0;
const BELOW: f64 = 42.0;
/// Longest name written over a row.
const MAX_NAME: usize = 34;

/// The scope of every task, and what that of a language begins with.
const ALL: &str = "all";
const LANGUAGE: &str = "language:";
/// The setting of rows that are about a smaller budget.
const BUDGET: &str = "budget";

/// What a panel is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Families,
    Languages,
}

const PARTS: [(Part, &str); 3] =
    [(Part::All, "all tasks"), (Part::Families, "by family"), (Part::Languages, "by language")];

/// The builds' rates in one scope.
struct Scope<'a> {
    name: &'a str,
    rows: Vec<&'a Estimate>,
}

pub(super) fn figure(view: &View<'_>) -> Option<Figure> {
    let rows: Vec<&Estimate> = view.doc.estimates.iter().filter(|row| is_drawn(row)).collect();
    let mut settings: Vec<&Ruler> = Vec::new();
    for row in &rows {
        if !settings.contains(&&row.setting) {
            settings.push(&row.setting);
        }
    }
    let scale = Scale::from_zero([100.0])?;
    let mut panels = Vec::new();
    for setting in &settings {
        for (part, words) in PARTS {
            let of_part = |row: &&&Estimate| &row.setting == *setting && part_of(row) == part;
            let scopes = scopes(rows.iter().filter(of_part).copied());
            if scopes.is_empty() {
                continue;
            }
            let apart = told_apart(setting, &settings);
            let title =
                if apart.is_empty() { words.to_owned() } else { format!("{words} · {apart}") };
            let id = format!("passed-{}", panels.len());
            panels.push(Panel { svg: panel(view, &scopes, scale, (part, &title), &id), title });
        }
    }
    (!panels.is_empty()).then(|| Figure {
        id: "passed",
        heading: "Tasks passed",
        lede: "Right is better; a starved attempt counts as not passed. Builds stand in the same order \
               everywhere. Whether two differ is for the paired table to say: both had the same tasks, \
               so that overlap decides nothing."
            .to_owned(),
        legend: None,
        panels,
        notes: shared(&settings).into_iter().collect(),
        table: table(&rows, &settings),
    })
}

fn is_drawn(row: &Estimate) -> bool {
    row.metric == PASS_RATE
        && row.versus.is_none()
        && row.value.is_some()
        && !row.setting.contains_key(BUDGET)
}

fn part_of(row: &Estimate) -> Part {
    match row.scope.as_str() {
        ALL => Part::All,
        scope if scope.starts_with(LANGUAGE) => Part::Languages,
        _ => Part::Families,
    }
}

/// Rows by scope, in order of first appearance.
fn scopes<'a>(rows: impl Iterator<Item = &'a Estimate>) -> Vec<Scope<'a>> {
    let mut scopes: Vec<Scope<'_>> = Vec::new();
    for row in rows {
        match scopes.iter_mut().find(|scope| scope.name == row.scope) {
            Some(scope) => scope.rows.push(row),
            None => scopes.push(Scope { name: &row.scope, rows: vec![row] }),
        }
    }
    scopes
}

fn panel(
    view: &View<'_>,
    scopes: &[Scope<'_>],
    scale: Scale,
    (part, title): (Part, &str),
    id: &str,
) -> Markup {
    let height = |scope: &Scope<'_>| match part {
        Part::All => scope.rows.len() as f64 * NAMED_ROW,
        _ => LINE + scope.rows.len() as f64 * ROW + GAP,
    };
    let bottom = TOP + scopes.iter().map(height).sum::<f64>() + 6.0;
    let frame = Frame { left: 10.0, right: WIDTH - 16.0, top: TOP, bottom };
    let mut y = TOP;
    let mut drawn = Vec::new();
    for scope in scopes {
        let is_first = drawn.is_empty();
        drawn.push(match part {
            Part::All => named_rows(view, scope, (frame, scale), y),
            _ => unnamed_rows(view, scope, (frame, scale), y, is_first),
        });
        y += height(scope);
    }
    let description = format!("Share of tasks passed, {title}, with intervals.");
    let content = html! {
        (axis::below(frame, scale, "% of tasks passed"))
        @for part in &drawn { (part) }
    };
    svg(id, bottom + BELOW, (&format!("Tasks passed, {title}"), &description), &content)
}

/// The builds over all tasks, each with its name and figure.
fn named_rows(
    view: &View<'_>,
    scope: &Scope<'_>,
    (frame, scale): (Frame, Scale),
    top: f64,
) -> Markup {
    html! {
        @for (i, row) in scope.rows.iter().enumerate() {
            @let y = top + i as f64 * NAMED_ROW;
            @let cell = printed(Some(row), PERCENT);
            (mark(view.palette.class(&row.candidate), &says(row), i == 0, &html! {
                (hit_area(frame.left, y, frame.right - frame.left, NAMED_ROW))
                text.name x=(px(frame.left)) y=(px(y + LINE)) {
                    (short_name(&row.candidate, MAX_NAME)) (view.lineage(&row.candidate))
                }
                text.figure x=(px(frame.right)) y=(px(y + LINE)) text-anchor="end" {
                    (cell.text)
                    @if let Some(interval) = &cell.interval { " " tspan.interval { (interval) } }
                }
                (rate(row, (frame, scale), y + LINE + 11.0))
            }))
        }
    }
}

/// A family or language: its name, then a line per build.
fn unnamed_rows(
    view: &View<'_>,
    scope: &Scope<'_>,
    (frame, scale): (Frame, Scale),
    top: f64,
    is_first: bool,
) -> Markup {
    let n = scope.rows.iter().map(|row| row.n).max().unwrap_or(0);
    html! {
        text.name x=(px(frame.left)) y=(px(top + LINE - 3.0)) {
            (short_name(part_name(scope.name), MAX_NAME)) " "
            tspan.interval { "n = " (n) }
        }
        @for (i, row) in scope.rows.iter().enumerate() {
            @let y = top + LINE + i as f64 * ROW;
            (mark(view.palette.class(&row.candidate), &says(row), is_first && i == 0, &html! {
                (hit_area(frame.left, y, frame.right - frame.left, ROW))
                (rate(row, (frame, scale), y + ROW / 2.0))
            }))
        }
    }
}

/// The dot and its interval.
fn rate(row: &Estimate, (frame, scale): (Frame, Scale), line: f64) -> Markup {
    let x = |share: f64| frame.x(scale.place(PERCENT.apply(share)));
    html! {
        @if let Some(share) = row.value {
            @if let (Some(lo), Some(hi)) = (row.lo, row.hi) { (level_whisker(line, x(lo), x(hi))) }
            (dot(Shape::Circle, x(share), line))
        }
    }
}

fn part_name(scope: &str) -> &str {
    scope.strip_prefix(LANGUAGE).unwrap_or(scope)
}

fn says(row: &Estimate) -> Vec<String> {
    let cell = printed(Some(row), PERCENT);
    vec![
        row.candidate.clone(),
        if row.scope == ALL { "all tasks".to_owned() } else { part_name(&row.scope).to_owned() },
        format!("{} {} % passed", cell.text, cell.interval.unwrap_or_default()),
        basis(row, "task"),
    ]
}

fn table(rows: &[&Estimate], settings: &[&Ruler]) -> Table {
    let mut columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("tasks", "", Align::Left),
        Column::new("passed", "%", Align::Point),
        Column::new("n", "", Align::Point),
    ];
    let differ = settings.len() > 1;
    if differ {
        columns.push(Column::new("setting", "", Align::Left));
    }
    let row = |row: &&Estimate| {
        let mut cells = vec![
            Cell::plain(&row.candidate),
            Cell::plain(visible(part_name(&row.scope))),
            printed(Some(row), PERCENT),
            Cell::plain(row.n.to_string()),
        ];
        if differ {
            cells.push(Cell::plain(told_apart(&row.setting, settings)));
        }
        cells
    };
    Table { columns, rows: rows.iter().map(row).collect() }
}
