//! Tasks passed by thinking budget: does a build get there with fewer tokens?
//! Owns one panel per setting; a line per build with a whisker for each interval.

use maud::{Markup, html};

use super::super::figure::{Figure, Panel};
use super::super::svg::axis;
use super::super::svg::frame::{Frame, WIDTH, px, svg};
use super::super::svg::mark::{hit_area, mark, upright_whisker};
use super::super::svg::scale::Scale;
use super::super::svg::series_names::{self, Series};
use super::super::view::{View, basis, shared, told_apart};
use crate::record::Estimate;
use crate::report::metric_names::PASS_RATE;
use crate::report::number::{PERCENT, figure as printed};
use crate::report::page::{Align, Cell, Column, Table};
use crate::report::rows::Ruler;
use crate::units::count;

const HEIGHT: f64 = 270.0;
const FRAME: Frame = Frame { left: 52.0, right: WIDTH, top: 26.0, bottom: HEIGHT - 40.0 };
/// From one build's whisker to the next one's at the same budget, so that none hides another.
const APART: f64 = 7.0;
const BUDGET: &str = "budget";

/// One build at one setting, by ascending budget.
struct Line<'a> {
    build: &'a str,
    /// Without the budget.
    setting: Ruler,
    points: Vec<(f64, &'a Estimate)>,
}

pub(super) fn figure(view: &View<'_>) -> Option<Figure> {
    let lines = lines(view);
    let budgets =
        Scale::log(lines.iter().flat_map(|line| &line.points).map(|(budget, _)| *budget))?;
    let shares = Scale::from_zero([100.0])?;
    let mut settings: Vec<&Ruler> = Vec::new();
    for line in &lines {
        if !settings.contains(&&line.setting) {
            settings.push(&line.setting);
        }
    }
    // The same in all panels, so that they can be compared.
    let margin = series_names::margin(lines.iter().map(|line| line.build));
    let frame = Frame { right: FRAME.right - margin, ..FRAME };
    let panel = |(i, setting): (usize, &&Ruler)| {
        let lines: Vec<&Line<'_>> = lines.iter().filter(|line| line.setting == **setting).collect();
        let title = match told_apart(setting, &settings) {
            apart if apart.is_empty() => "all tasks".to_owned(),
            apart => apart,
        };
        let scales = (frame, budgets, shares);
        Panel { svg: panel(view, &lines, scales, &title, &format!("budget-{i}")), title }
    };
    Some(Figure {
        id: "budget",
        heading: "Tasks passed by token budget",
        lede: "How many tasks each build has passed after how many tokens, thinking included. Whiskers \
               are the intervals; those of one budget stand side by side. All points of a line are \
               cuts of the same greedy answers."
            .to_owned(),
        legend: None,
        panels: settings.iter().enumerate().map(panel).collect(),
        notes: shared(&settings).into_iter().collect(),
        table: table(&lines),
    })
}

/// The builds that have at least two budgets.
fn lines<'a>(view: &View<'a>) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    for row in &view.doc.estimates {
        let budget = row.setting.get(BUDGET).and_then(|budget| budget.parse::<f64>().ok());
        let (Some(budget), PASS_RATE, None, Some(_)) =
            (budget, row.metric.as_str(), &row.versus, row.value)
        else {
            continue;
        };
        let mut setting = row.setting.clone();
        setting.remove(BUDGET);
        let is_its = |line: &&mut Line<'_>| line.build == row.candidate && line.setting == setting;
        if let Some(line) = lines.iter_mut().find(is_its) {
            line.points.push((budget, row));
        } else {
            lines.push(Line { build: &row.candidate, setting, points: vec![(budget, row)] });
        }
    }
    lines.retain(|line| line.points.len() > 1);
    for line in &mut lines {
        line.points.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    }
    lines
}

fn panel(
    view: &View<'_>,
    lines: &[&Line<'_>],
    (frame, budgets, shares): (Frame, Scale, Scale),
    title: &str,
    id: &str,
) -> Markup {
    let x = |budget: f64, line: usize| {
        let aside = (line as f64 - (lines.len() - 1) as f64 / 2.0) * APART;
        frame.x(budgets.place(budget)) + aside
    };
    let y = |share: f64| frame.y(shares.place(PERCENT.apply(share)));
    let series = lines.iter().enumerate().filter_map(|(i, line)| {
        let (budget, row) = line.points.last()?;
        let end = (x(*budget, i), y(row.value?));
        Some(Series { name: line.build, class: view.palette.class(line.build), end })
    });
    let series: Vec<Series<'_>> = series.collect();
    let description = format!(
        "Share of tasks passed by {}, by token budget.",
        count(lines.len() as u64, "build")
    );
    let content = html! {
        (axis::left(frame, shares, "% of tasks passed"))
        (axis::below(frame, budgets, "token budget (log)"))
        (series_names::beside(frame, &series))
        @for (i, line) in lines.iter().enumerate() {
            (line_markup(view, line, (&|budget| x(budget, i), &y), i == 0))
        }
    };
    svg(id, HEIGHT, (&format!("Tasks passed by token budget, {title}"), &description), &content)
}

fn line_markup(
    view: &View<'_>,
    line: &Line<'_>,
    (x, y): (&impl Fn(f64) -> f64, &impl Fn(f64) -> f64),
    is_first: bool,
) -> Markup {
    let class = view.palette.class(line.build);
    let at = |(budget, row): &(f64, &Estimate)| (x(*budget), y(row.value.unwrap_or_default()));
    let path = |points: Vec<(f64, f64)>| -> String {
        let point = |(i, (x, y)): (usize, (f64, f64))| {
            format!("{}{} {}", if i == 0 { "M" } else { "L" }, px(x), px(y))
        };
        points.into_iter().enumerate().map(point).collect()
    };
    let whisker = |(budget, row): &(f64, &Estimate)| {
        Some(upright_whisker(x(*budget), y(row.lo?), y(row.hi?)))
    };
    html! {
        g class=(class) {
            path.outline d=(path(line.points.iter().map(at).collect())) {}
        }
        @for (i, point) in line.points.iter().enumerate() {
            @let (x, y) = at(point);
            (mark(class, &says(line.build, point), is_first && i == 0, &html! {
                (hit_area(x - 9.0, y - 9.0, 18.0, 18.0))
                @if let Some(whisker) = whisker(point) { (whisker) }
                circle.dot cx=(px(x)) cy=(px(y)) r="3.5" {}
            }))
        }
    }
}

fn says(build: &str, (budget, row): &(f64, &Estimate)) -> Vec<String> {
    let cell = printed(Some(row), PERCENT);
    vec![
        format!("{build}, {budget:.0} tokens"),
        format!("{} {} % passed", cell.text, cell.interval.unwrap_or_default()),
        basis(row, "task"),
    ]
}

fn table(lines: &[Line<'_>]) -> Table {
    let columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("budget", "tokens", Align::Point),
        Column::new("passed", "%", Align::Point),
        Column::new("n", "", Align::Point),
    ];
    let row = |line: &Line<'_>, (budget, row): &(f64, &Estimate)| {
        vec![
            Cell::plain(line.build),
            Cell::plain(format!("{budget:.0}")),
            printed(Some(row), PERCENT),
            Cell::plain(row.n.to_string()),
        ]
    };
    let rows = lines.iter().flat_map(|line| line.points.iter().map(|point| row(line, point)));
    Table { columns, rows: rows.collect() }
}
