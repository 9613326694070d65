//! What each build did with the tasks: rates, costs, pairs, families, budgets.
//! Owns these tables; single tasks and flips are `tasks`'.

use super::caption;
use super::tasks;
use crate::record::{Estimate, Instrument, RunDocument};
use crate::report::metric_names::{
    FLIP_RATE, PASS_P_FAMILY, PASS_P_MID, PASS_RATE, PASS_RATE_DIFF, PASSED_ALONE,
    SECONDS_TO_CORRECT, STARVED_RATE,
};
use crate::report::number::{PERCENT, PLAIN, bare_figure, figure, short};
use crate::report::page::{Align, Block, Cell, Column, Page, Table};
use crate::units::count;

/// Every task.
const ALL: &str = "all";
/// What the scope of all tasks of one language begins with.
const LANGUAGE: &str = "language:";

pub(super) fn blocks(doc: &RunDocument) -> Page {
    let rows: Vec<&Estimate> =
        doc.estimates.iter().filter(|row| row.instrument == Instrument::Behaviour).collect();
    let sampling = |row: &Estimate| row.setting.get("sampling").cloned();
    let mut samplings: Vec<Option<String>> = Vec::new();
    for row in &rows {
        if !samplings.contains(&sampling(row)) {
            samplings.push(sampling(row));
        }
    }
    let mut page = Page::new();
    // How tokens were chosen is part of the ruler: what was drawn shares no table with what was not.
    for one in samplings {
        let rows: Vec<&Estimate> =
            rows.iter().copied().filter(|row| sampling(row) == one).collect();
        let found = Found { rows: &rows, sampling: one.as_deref() };
        if found.builds().is_empty() {
            continue;
        }
        page.extend(builds(doc, found));
        page.extend(parts(doc, found));
        page.extend(budgets(found));
        page.extend(pairs(doc, found));
    }
    page.extend(tasks::blocks(doc));
    page
}

/// The behaviour rows of one way to choose tokens.
#[derive(Clone, Copy)]
struct Found<'a> {
    rows: &'a [&'a Estimate],
    sampling: Option<&'a str>,
}

impl<'a> Found<'a> {
    fn heading(self, title: &str) -> Block {
        Block::Heading(match self.sampling {
            None | Some("greedy") => title.to_owned(),
            Some(sampling) => format!("{title}, sampling {sampling}"),
        })
    }

    fn builds(self) -> Vec<&'a str> {
        let mut names = Vec::new();
        for row in self.rows.iter().filter(|row| row.metric == PASS_RATE) {
            if !names.contains(&row.candidate.as_str()) {
                names.push(row.candidate.as_str());
            }
        }
        names
    }

    /// Families, then languages; not all tasks.
    fn scopes(self) -> Vec<&'a str> {
        let mut scopes = Vec::new();
        for row in self.rows.iter().filter(|row| row.metric == PASS_RATE && row.scope != ALL) {
            if !scopes.contains(&row.scope.as_str()) {
                scopes.push(row.scope.as_str());
            }
        }
        scopes
    }

    /// A figure of a build; `setting`: one that it has to have, without it none that makes it a part.
    fn of(
        self,
        metric: &str,
        build: &str,
        scope: &str,
        budget: Option<&str>,
    ) -> Option<&'a Estimate> {
        let wanted = |row: &&&Estimate| {
            row.metric == metric
                && row.candidate == build
                && row.versus.is_none()
                && row.scope == scope
                && row.setting.get("budget").map(String::as_str) == budget
        };
        self.rows.iter().find(wanted).copied()
    }

    /// A figure of a pair over all tasks, starved ones included, by task.
    fn of_pair(self, metric: &str, (candidate, versus): (&str, &str)) -> Option<&'a Estimate> {
        let wanted = |row: &&&Estimate| {
            row.metric == metric
                && (row.candidate.as_str(), row.versus.as_deref()) == (candidate, Some(versus))
                && row.scope == ALL
                && !row.setting.contains_key("pairs")
                && !row.setting.contains_key("unit")
        };
        self.rows.iter().find(wanted).copied()
    }
}

impl<'a> Found<'a> {
    /// The difference of pass rates over the tasks where neither build starved.
    fn without_starved(self, (candidate, versus): (&str, &str)) -> Option<&'a Estimate> {
        let wanted = |row: &&&Estimate| {
            row.metric == PASS_RATE_DIFF
                && (row.candidate.as_str(), row.versus.as_deref()) == (candidate, Some(versus))
                && row.setting.contains_key("pairs")
                && !row.setting.contains_key("unit")
        };
        self.rows.iter().find(wanted).copied()
    }
}

fn builds(doc: &RunDocument, found: Found<'_>) -> Page {
    let names = found.builds();
    let rates = names.iter().filter_map(|name| found.of(PASS_RATE, name, ALL, None));
    let level = caption::level(doc, rates);
    let columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("tasks", "", Align::Point),
        Column::new("passed", &format!("% {level}"), Align::Point),
        Column::new("score", "%", Align::Point),
        Column::new("starved", "%", Align::Point),
        Column::new("visible", "tokens", Align::Point),
        Column::new("thinking", "tokens", Align::Point),
        Column::new("answer", "s", Align::Point),
        Column::new("per pass", "s", Align::Point),
    ];
    let row = |build: &&str| {
        let of = |metric| found.of(metric, build, ALL, None);
        let n = of(PASS_RATE).map_or_else(Cell::missing, |row| Cell::plain(row.n.to_string()));
        vec![
            Cell::plain(*build),
            n,
            figure(of(PASS_RATE), PERCENT),
            bare_figure(of("score"), PERCENT),
            bare_figure(of(STARVED_RATE), PERCENT),
            bare_figure(of("visible_tokens"), PLAIN),
            bare_figure(of("thinking_tokens"), PLAIN),
            bare_figure(of("response_seconds"), PLAIN),
            bare_figure(of(SECONDS_TO_CORRECT), PLAIN),
        ]
    };
    let rows = names.iter().map(row).collect();
    let mut notes = "a starved attempt spent its budget and showed nothing; it counts as not passed · attempts \
                     without an answer that could be judged are in no rate · tokens and seconds: means over \
                     tasks · per pass: all seconds over all passes"
        .to_owned();
    if names.len() > 1 {
        notes
            .push_str(" · builds were timed one after another, so their seconds are no comparison");
    }
    vec![
        found.heading("Behaviour, all tasks"),
        Block::Caption(notes),
        Block::Table(Table { columns, rows }),
    ]
}

/// Families and languages side by side. Where every family is one task, the list of tasks says it.
fn parts(doc: &RunDocument, found: Found<'_>) -> Page {
    let (names, scopes) = (found.builds(), found.scopes());
    let mut families = found.rows.iter().filter(|row| {
        row.metric == PASS_RATE && row.scope != ALL && !row.scope.starts_with(LANGUAGE)
    });
    let is_listed = families.all(|row| row.n == 1) && !tasks::listed(doc).is_empty();
    if scopes.is_empty() || is_listed {
        return Page::new();
    }
    let mut columns =
        vec![Column::new("tasks", "", Align::Left), Column::new("n", "", Align::Point)];
    columns.extend(names.iter().map(|name| Column::new(name, "% passed", Align::Point)));
    let row = |scope: &&str| {
        let of = |name: &str| found.of(PASS_RATE, name, scope, None);
        let n = names.iter().filter_map(|name| of(name)).map(|row| row.n).max().unwrap_or(0);
        let name = scope
            .strip_prefix(LANGUAGE)
            .map_or((*scope).to_owned(), |language| format!("language {language}"));
        let mut cells = vec![Cell::plain(name), Cell::plain(n.to_string())];
        cells.extend(names.iter().map(|name| bare_figure(of(name), PERCENT)));
        cells
    };
    let rows = scopes.iter().map(row).collect();
    vec![found.heading("Behaviour by family"), Block::Table(Table { columns, rows })]
}

/// Accuracy against thinking budget.
fn budgets(found: Found<'_>) -> Page {
    let mut budgets: Vec<&str> = Vec::new();
    for row in found.rows {
        if let Some(budget) = row.setting.get("budget")
            && !budgets.contains(&budget.as_str())
        {
            budgets.push(budget);
        }
    }
    budgets.sort_by_key(|budget| budget.parse().unwrap_or(u64::MAX));
    if budgets.is_empty() {
        return Page::new();
    }
    let columns = vec![
        Column::new("budget", "tokens", Align::Point),
        Column::new("build", "", Align::Left),
        Column::new("passed", "%", Align::Point),
        Column::new("starved", "%", Align::Point),
        Column::new("tokens", "", Align::Point),
        Column::new("per pass", "s", Align::Point),
    ];
    let names = found.builds();
    let rows = budgets.iter().flat_map(|budget| {
        names.iter().enumerate().map(move |(index, name)| {
            let of = |metric| found.of(metric, name, ALL, Some(budget));
            vec![
                Cell::plain(if index == 0 { *budget } else { "" }),
                Cell::plain(*name),
                figure(of(PASS_RATE), PERCENT),
                bare_figure(of(STARVED_RATE), PERCENT),
                bare_figure(of("tokens"), PLAIN),
                bare_figure(of(SECONDS_TO_CORRECT), PLAIN),
            ]
        })
    });
    let notes = "one greedy run at the largest budget gives the smaller ones: an answer that was not \
                 complete by then is judged as far as it had come";
    vec![
        found.heading("Accuracy against thinking budget"),
        Block::Caption(notes.to_owned()),
        Block::Table(Table { columns, rows: rows.collect() }),
    ]
}

fn pairs(doc: &RunDocument, found: Found<'_>) -> Page {
    let is_pair = |row: &&&Estimate| {
        row.metric == PASS_RATE_DIFF
            && row.scope == ALL
            && !row.setting.contains_key("pairs")
            && !row.setting.contains_key("unit")
    };
    let differences: Vec<&Estimate> = found.rows.iter().filter(is_pair).copied().collect();
    if differences.is_empty() {
        return Page::new();
    }
    let level = caption::level(doc, differences.iter().copied());
    let columns = vec![
        Column::new("candidate - versus", "", Align::Left),
        Column::new("tasks", "", Align::Point),
        Column::new("pass rate", &format!("points {level}"), Align::Point),
        Column::new("alone", "each", Align::Left),
        Column::new("p", "task", Align::Point),
        Column::new("p", "family", Align::Point),
        Column::new("flips", "%", Align::Point),
        Column::new("neither", "starved", Align::Point),
    ];
    let row = |difference: &&Estimate| {
        let versus = difference.versus.as_deref().unwrap_or_default();
        let pair = (difference.candidate.as_str(), versus);
        let alone = |pair| {
            let row = found.of_pair(PASSED_ALONE, pair).and_then(|row| row.value);
            row.map_or("—".to_owned(), |value| format!("{value:.0}"))
        };
        let p_value = |metric| {
            let value = found.of_pair(metric, pair).and_then(|row| row.value);
            value.map_or_else(Cell::missing, |value| Cell::plain(short(value)))
        };
        vec![
            Cell::plain(format!("{} - {}", pair.0, pair.1)),
            Cell::plain(difference.n.to_string()),
            figure(Some(difference), PERCENT),
            Cell::plain(format!("{} : {}", alone(pair), alone((pair.1, pair.0)))),
            p_value(PASS_P_MID),
            p_value(PASS_P_FAMILY),
            bare_figure(found.of_pair(FLIP_RATE, pair), PERCENT),
            bare_figure(found.without_starved(pair), PERCENT),
        ]
    };
    let rows = differences.iter().map(row).collect();
    let mut notes = vec![
        "same tasks, paired".to_owned(),
        "p: McNemar's mid-p by task, sign flips by family".to_owned(),
        "neither starved: the difference in points where both showed something".to_owned(),
    ];
    notes.extend(found.builds().into_iter().filter_map(|name| {
        let itself = found.of_pair(FLIP_RATE, (name, name))?;
        let share = bare_figure(Some(itself), PERCENT).text;
        Some(format!("{name} against itself flips {share} % of {}", count(itself.n, "rerun")))
    }));
    vec![
        found.heading("Build against build, on the same tasks"),
        Block::Caption(notes.join(" · ")),
        Block::Table(Table { columns, rows }),
    ]
}
