//! How fast each model answers on its server: one table of rates, one of times.
//! Owns these tables; never draws a conclusion.

use super::{blocks, caption};
use crate::record::{Estimate, Instrument, RunDocument};
use crate::report::metric_names::{PP_RATE, TG_RATE};
use crate::report::number::{PLAIN, RATIO, TOKENS_PER_SECOND, bare_figure, figure};
use crate::report::page::{Align, Block, Cell, Column, Page, Table};

/// Seconds to the first piece, to the first visible one, and to the end, with their titles.
const TIMES: [(&str, &str); 3] =
    [("ttft", "first token"), ("ttfo", "first visible"), ("response_seconds", "whole answer")];

pub(super) fn blocks(doc: &RunDocument) -> Page {
    let rows: Vec<&Estimate> = doc.estimates.iter().filter(|row| is_control(row)).collect();
    let Some(first) = rows.first() else { return Page::new() };
    let control = Control { doc, rows: &rows };
    vec![
        Block::Heading(format!("Speed over servers, {}", first.scope)),
        Block::Caption(control.basis(first)),
        Block::Table(control.rates()),
        Block::Table(control.times()),
    ]
}

/// Whether a row is of the control prompt: what it is the mean of is said in its setting.
pub(super) fn is_control(row: &Estimate) -> bool {
    row.instrument == Instrument::Speed && row.setting.contains_key("unit")
}

/// The rows of the control prompt.
struct Control<'a> {
    doc: &'a RunDocument,
    rows: &'a [&'a Estimate],
}

impl<'a> Control<'a> {
    /// The rows of a metric.
    fn of(&self, metric: &str) -> Vec<&'a Estimate> {
        self.rows.iter().copied().filter(|row| row.metric == metric).collect()
    }

    /// Ratios to the first model.
    fn ratios(&self, metric: &str) -> Vec<&'a Estimate> {
        let first = self.models().first().copied().unwrap_or_default();
        let mut rows = self.of(&format!("{metric}_ratio"));
        rows.retain(|row| row.versus.as_deref() == Some(first));
        rows
    }

    /// Models in the order given, as far as they answered.
    fn models(&self) -> Vec<&'a str> {
        let names = self.doc.models.iter().map(|model| model.name.as_str());
        names.filter(|name| self.rows.iter().any(|row| row.candidate == *name)).collect()
    }

    /// `8 blocks, each answer a request of its own · context of 4096 tokens · noise floor: ...`.
    fn basis(&self, first: &Estimate) -> String {
        let setting = |name: &str| first.setting.get(name).map_or("", String::as_str);
        let unit = match setting("unit") {
            "load" => "each answer by a model that was loaded for it",
            _ => "each answer a request of its own",
        };
        let mut parts = vec![format!("{}, {unit}", blocks::text(self.shown()))];
        parts.push(format!("context of {} tokens", setting("n_ctx")));
        let rates = self.of(TG_RATE);
        let clock = rates.first().and_then(|row| row.setting.get("clock"));
        parts.extend(clock.map(|clock| match clock.as_str() {
            "server" => "rates by the server's own clock".to_owned(),
            _ => "rates from the first piece to the last".to_owned(),
        }));
        let floor = self.of(&format!("noise_floor_{TG_RATE}_ratio"));
        parts.extend(floor.first().map(|row| blocks::noise_floor(row, self.shown())));
        parts.join(" · ")
    }

    /// What the tables show over blocks: each model's own figures and its ratios to the first.
    fn shown(&self) -> Vec<&'a Estimate> {
        let first = self.models().first().copied();
        let is_shown = |row: &&Estimate| {
            !row.metric.starts_with("noise_floor_")
                && !row.setting.contains_key("between")
                && row.versus.as_deref().is_none_or(|versus| Some(versus) == first)
        };
        self.rows.iter().copied().filter(is_shown).collect()
    }

    /// A table of these figures, a row per model, with their blocks where those differ.
    fn table(
        &self,
        columns: Vec<Column>,
        row: impl Fn(&str) -> Vec<Cell>,
        figures: &[&[&'a Estimate]],
    ) -> Table {
        let models = self.models();
        let of_model =
            |model: &&str| figures.iter().filter_map(|rows| find(rows, model)).collect::<Vec<_>>();
        let of_blocks: Vec<Vec<&Estimate>> = models.iter().map(of_model).collect();
        let rows = models.into_iter().map(row).collect();
        blocks::in_table(Table { columns, rows }, &of_blocks)
    }

    fn level(&self, rows: &[&'a Estimate]) -> String {
        caption::level(self.doc, rows.iter().copied())
    }

    /// The cell of a model; that of the first in a column of ratios is 1.
    fn ratio(&self, rows: &[&'a Estimate], model: &str) -> Cell {
        match self.models().first() {
            Some(first) if *first == model => Cell::plain("1"),
            _ => figure(find(rows, model), RATIO),
        }
    }

    fn ratio_column(&self, rows: &[&'a Estimate]) -> Column {
        let title = format!("times {}", self.models().first().copied().unwrap_or_default());
        Column::new(&title, &self.level(rows), Align::Point)
    }

    /// Tokens of each answer, and how fast they came.
    fn rates(&self) -> Table {
        let (visible, thinking) = (self.of("visible_tokens"), self.of("thinking_tokens"));
        let (rates, ratios) = (self.of(TG_RATE), self.ratios(TG_RATE));
        let prompts = self.of(PP_RATE);
        let unit =
            |rows: &[&'a Estimate]| format!("{} {}", TOKENS_PER_SECOND.unit, self.level(rows));
        let mut columns = vec![
            Column::new("model", "", Align::Left),
            Column::new("visible", "tokens", Align::Point),
        ];
        if !thinking.is_empty() {
            columns.push(Column::new("thinking", "tokens", Align::Point));
        }
        columns.push(Column::new("generates", &unit(&rates), Align::Point));
        if !ratios.is_empty() {
            columns.push(self.ratio_column(&ratios));
        }
        if !prompts.is_empty() {
            columns.push(Column::new("reads the prompt", &unit(&prompts), Align::Point));
        }
        let row = |model: &str| {
            let mut cells = vec![Cell::plain(model), bare_figure(find(&visible, model), PLAIN)];
            if !thinking.is_empty() {
                cells.push(bare_figure(find(&thinking, model), PLAIN));
            }
            cells.push(figure(find(&rates, model), TOKENS_PER_SECOND));
            if !ratios.is_empty() {
                cells.push(self.ratio(&ratios, model));
            }
            if !prompts.is_empty() {
                cells.push(figure(find(&prompts, model), TOKENS_PER_SECOND));
            }
            cells
        };
        self.table(columns, row, &[&visible, &thinking, &rates, &ratios, &prompts])
    }

    /// Seconds from the request on.
    fn times(&self) -> Table {
        let times: Vec<Vec<&Estimate>> = TIMES.iter().map(|(metric, _)| self.of(metric)).collect();
        let ratios = self.ratios("response_seconds");
        let mut columns = vec![Column::new("model", "", Align::Left)];
        columns.extend(TIMES.iter().zip(&times).map(|((_, title), rows)| {
            Column::new(title, &format!("s {}", self.level(rows)), Align::Point)
        }));
        if !ratios.is_empty() {
            columns.push(self.ratio_column(&ratios));
        }
        let row = |model: &str| {
            let mut cells = vec![Cell::plain(model)];
            cells.extend(times.iter().map(|rows| figure(find(rows, model), PLAIN)));
            if !ratios.is_empty() {
                cells.push(self.ratio(&ratios, model));
            }
            cells
        };
        let figures: Vec<&[&Estimate]> = times.iter().chain([&ratios]).map(Vec::as_slice).collect();
        self.table(columns, row, &figures)
    }
}

fn find<'a>(rows: &[&'a Estimate], model: &str) -> Option<&'a Estimate> {
    rows.iter().copied().find(|row| row.candidate == model)
}
