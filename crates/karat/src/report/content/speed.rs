//! How fast each model is: a table per test, and whose the difference is.
//! Owns these tables; one per length, depth and setting, because rates of different ones are not
//! comparable.

use super::control::is_control;
use super::{blocks, caption};
use crate::record::{Estimate, Instrument, RunDocument};
use crate::report::metric_names::{
    BANDWIDTH_SHARE, BYTES_PER_TOKEN, MEMORY_BANDWIDTH, PP_RATE, TG_RATE,
};
use crate::report::number::{
    GIGABYTES_PER_SECOND, MEGABYTES, PERCENT, RATIO, TOKENS_PER_SECOND, bare_figure, figure,
};
use crate::report::page::{Align, Block, Cell, Column, Page, Table};
use crate::report::rows::Ruler;
use crate::units::count;

pub(super) fn blocks(doc: &RunDocument) -> Page {
    let is_its = |row: &&Estimate| row.instrument == Instrument::Speed && !is_control(row);
    let rows: Vec<&Estimate> = doc.estimates.iter().filter(is_its).collect();
    let mut page = Page::new();
    for test in tests(&rows) {
        page.extend(test.blocks(doc));
    }
    page
}

/// One test: rows of the same kind, length, depth and setting.
struct Test<'a> {
    /// `pp_rate` or `tg_rate`.
    rate: &'static str,
    scope: &'a str,
    setting: &'a Ruler,
    rows: &'a [&'a Estimate],
}

/// Every test that has a rate, in order of first appearance.
fn tests<'a>(rows: &'a [&'a Estimate]) -> Vec<Test<'a>> {
    let mut tests: Vec<Test<'a>> = Vec::new();
    for row in rows {
        let Some(rate) = [PP_RATE, TG_RATE].into_iter().find(|rate| *rate == row.metric) else {
            continue;
        };
        let is_known =
            |test: &Test<'_>| (test.scope, test.setting) == (row.scope.as_str(), &row.setting);
        if !tests.iter().any(is_known) {
            tests.push(Test { rate, scope: &row.scope, setting: &row.setting, rows });
        }
    }
    tests
}

impl<'a> Test<'a> {
    /// The rows of a metric in this test.
    fn of(&self, metric: &str) -> impl Iterator<Item = &'a Estimate> + use<'a> {
        let (rows, scope, setting) = (self.rows, self.scope, self.setting);
        let metric = metric.to_owned();
        rows.iter().copied().filter(move |row| {
            row.metric == metric && row.scope == scope && row.setting == *setting
        })
    }

    fn title(&self) -> String {
        match self.setting.get("depth").map(String::as_str) {
            None | Some("0") => self.scope.to_owned(),
            Some(depth) => format!("{} at depth {depth}", self.scope),
        }
    }

    fn blocks(&self, doc: &RunDocument) -> Page {
        vec![
            Block::Heading(format!("Speed, {}", self.title())),
            Block::Caption(self.basis()),
            Block::Table(self.table(doc)),
        ]
    }

    /// `8 blocks · 2 threads, kv f16 · noise floor: m against itself 1.002 [0.991, 1.013]`.
    fn basis(&self) -> String {
        let figures = || self.of(self.rate).chain(self.ratios());
        let mut parts = vec![format!("{}, each a process of its own", blocks::text(figures()))];
        let setting = |name: &str| self.setting.get(name).map(String::as_str);
        let n_threads = setting("n_threads").and_then(|n| n.parse().ok());
        parts.extend(n_threads.map(|n| count(n, "thread")));
        parts.extend(setting("kv").map(|kv| format!("KV cache {kv}")));
        parts.extend(setting("prompt").map(|text| format!("tokens of {text}")));
        let layers = setting("gpu_layers").filter(|layers| *layers != "0");
        parts.extend(layers.map(|layers| format!("GPU layers: {layers}")));
        let floor = self.of(&format!("noise_floor_{}_ratio", self.rate)).next();
        parts.extend(floor.map(|row| blocks::noise_floor(row, figures())));
        if self.rate == TG_RATE {
            let sweep = self.rows.iter().find(|row| row.metric == MEMORY_BANDWIDTH);
            parts.extend(sweep.map(|row| {
                let best = bare_figure(Some(row), GIGABYTES_PER_SECOND).text;
                format!("memory reads {best} {}", GIGABYTES_PER_SECOND.unit)
            }));
        }
        parts.join(" · ")
    }

    /// The model that the others are compared with in the table.
    fn first(&self) -> &'a str {
        self.of(self.rate).next().map_or("", |row| row.candidate.as_str())
    }

    /// Ratios to the first model.
    fn ratios(&self) -> impl Iterator<Item = &'a Estimate> {
        let first = self.first();
        let ratios = self.of(&format!("{}_ratio", self.rate));
        ratios.filter(move |row| row.versus.as_deref() == Some(first))
    }

    fn table(&self, doc: &RunDocument) -> Table {
        let rates: Vec<&Estimate> = self.of(self.rate).collect();
        let first = self.first();
        let ratios: Vec<&Estimate> = self.ratios().collect();
        let level = |figures: &[&'a Estimate]| caption::level(doc, figures.iter().copied());
        let (bytes, bound) = (self.of(BYTES_PER_TOKEN), self.of(BANDWIDTH_SHARE));
        let (bytes, bound): (Vec<_>, Vec<_>) = (bytes.collect(), bound.collect());
        let unit = format!("{} {}", TOKENS_PER_SECOND.unit, level(&rates));
        let mut columns =
            vec![Column::new("model", "", Align::Left), Column::new("rate", &unit, Align::Point)];
        if !ratios.is_empty() {
            let title = format!("times {first}");
            columns.push(Column::new(&title, &level(&ratios), Align::Point));
        }
        if !bytes.is_empty() {
            columns.push(Column::new("moved", "MB/token", Align::Point));
        }
        if !bound.is_empty() {
            columns.push(Column::new("of memory's", &format!("% {}", level(&bound)), Align::Point));
        }
        let of_model = |rows: &[&'a Estimate], rate: &Estimate| {
            rows.iter().copied().find(|row| row.candidate == rate.candidate)
        };
        let figures = |rate: &&'a Estimate| {
            std::iter::once(*rate).chain(of_model(&ratios, rate)).collect::<Vec<_>>()
        };
        let of_blocks: Vec<Vec<&Estimate>> = rates.iter().map(figures).collect();
        let row = |rate: &&Estimate| {
            let of = |rows: &[&'a Estimate]| of_model(rows, rate);
            let mut cells =
                vec![Cell::plain(&rate.candidate), figure(Some(rate), TOKENS_PER_SECOND)];
            if !ratios.is_empty() {
                let own = rate.candidate == first;
                cells.push(if own { Cell::plain("1") } else { figure(of(&ratios), RATIO) });
            }
            if !bytes.is_empty() {
                cells.push(bare_figure(of(&bytes), MEGABYTES));
            }
            if !bound.is_empty() {
                cells.push(figure(of(&bound), PERCENT));
            }
            cells
        };
        blocks::in_table(Table { columns, rows: rates.iter().map(row).collect() }, &of_blocks)
    }
}

/// Of a QAT file's lead over builds of other formats: what is the format's, the build's, the recipe's.
pub(super) fn shares(doc: &RunDocument) -> Page {
    // Shares of a single block have no intervals; they are left to the sentences.
    let is_share = |row: &&Estimate| {
        let is_speed = row.instrument == Instrument::Speed;
        is_speed && row.setting.contains_key("between") && row.lo.is_some()
    };
    let shares: Vec<&Estimate> = doc.estimates.iter().filter(is_share).collect();
    if shares.is_empty() {
        return Page::new();
    }
    let unit = format!("% {}", caption::level(doc, shares.iter().copied()));
    let columns = vec![
        Column::new("test", "", Align::Left),
        Column::new("of the ratio", "", Align::Left),
        Column::new("is due to", "", Align::Left),
        Column::new("between", "", Align::Left),
        Column::new("share of ln ratio", &unit, Align::Point),
    ];
    let mut last = (String::new(), String::new());
    let row = |share: &&Estimate| {
        let depth = share.setting.get("depth").filter(|depth| *depth != "0");
        let depth = depth.map(|depth| format!(", depth {depth}")).unwrap_or_default();
        let test = format!("{}{depth}", share.scope);
        let pair = format!("{} : {}", share.candidate, share.versus.as_deref().unwrap_or_default());
        let is_same = last == (test.clone(), pair.clone());
        last = (test.clone(), pair.clone());
        let [test, pair] = if is_same { [String::new(), String::new()] } else { [test, pair] };
        let part = share.metric.trim_end_matches("_share").replace('_', " ");
        let between = share.setting.get("between").cloned().unwrap_or_default();
        vec![
            Cell::plain(test),
            Cell::plain(pair),
            Cell::plain(part),
            Cell::plain(between),
            figure(Some(share), PERCENT),
        ]
    };
    let table_rows = shares.iter().map(row).collect();
    let notes = "Logarithms of ratios add up, so each step's share of the whole can be told. A share \
                 below 0 pulls the other way.";
    vec![
        Block::Heading("Format, build or recipe".to_owned()),
        Block::Caption(notes.to_owned()),
        Block::Table(Table { columns, rows: table_rows }),
    ]
}
