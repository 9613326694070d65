//! What builds take: predicted and measured side by side, and what the process held.
//! Owns the tables of the memory instrument.

use crate::record::{Estimate, Instrument, RunDocument};
use crate::report::number::memory_size;
use crate::report::page::{Align, Block, Cell, Column, Page, Table, Tone};

/// The parts, by metric and title.
const PARTS: [(&str, &str); 5] = [
    ("weights_bytes", "weights"),
    ("kv_bytes", "KV cache"),
    ("compute_bytes", "compute"),
    ("output_bytes", "logits"),
    ("total_bytes", "total"),
];
const ALL: &str = "all";

/// One build in one setting.
#[derive(Clone, Copy, PartialEq)]
struct Case<'a> {
    model: &'a str,
    n_ctx: &'a str,
    kv: &'a str,
}

pub(super) fn blocks(doc: &RunDocument) -> Page {
    let rows: Vec<&Estimate> =
        doc.estimates.iter().filter(|row| row.instrument == Instrument::Memory).collect();
    let mut cases: Vec<Case<'_>> = Vec::new();
    for case in rows.iter().filter_map(|row| case(row)) {
        if !cases.contains(&case) {
            cases.push(case);
        }
    }
    if cases.is_empty() {
        return Vec::new();
    }
    let setting = |key: &str| rows[0].setting.get(key).map_or("?", String::as_str);
    let caption = format!(
        "the engine's buffers · {} tokens at once · GPU layers {}",
        setting("n_ubatch"),
        setting("gpu_layers")
    );
    let mut page = vec![
        Block::Heading("Memory".to_owned()),
        Block::Caption(caption),
        Block::Table(buffers(&rows, &cases)),
    ];
    if let Some(table) = process(&rows, &cases) {
        page.push(Block::Caption(
            "the whole process at its peak; before: with no model loaded".to_owned(),
        ));
        page.push(Block::Table(table));
    }
    page
}

fn case(row: &Estimate) -> Option<Case<'_>> {
    Some(Case {
        model: &row.candidate,
        n_ctx: row.setting.get("n_ctx")?,
        kv: row.setting.get("kv")?,
    })
}

fn buffers(rows: &[&Estimate], cases: &[Case<'_>]) -> Table {
    let mut columns = vec![
        Column::new("model", "", Align::Left),
        Column::new("context", "", Align::Point),
        Column::new("KV", "", Align::Left),
        Column::new("", "", Align::Left),
    ];
    columns.extend(PARTS.map(|(_, title)| Column::new(title, "", Align::Point)));
    columns.push(Column::new("off", "", Align::Point));
    let mut lines = Vec::new();
    for &one in cases {
        let mut name = [one.model, one.n_ctx, one.kv];
        for basis in ["predicted", "measured"] {
            let scopes = scopes(rows, one, basis);
            for scope in scopes {
                let value = |metric: &str| value(rows, one, (basis, scope), metric);
                let words = if scope == ALL { basis.to_owned() } else { format!("on {scope}") };
                let mut line: Vec<Cell> = name.iter().map(|&word| Cell::plain(word)).collect();
                name = [""; 3];
                line.push(Cell::toned(words, if scope == ALL { Tone::Plain } else { Tone::Faint }));
                line.extend(PARTS.map(|(metric, _)| size(value(metric))));
                let off =
                    (basis == "measured" && scope == ALL).then(|| deviation(rows, one)).flatten();
                line.push(off.unwrap_or_else(|| Cell::plain("")));
                lines.push(line);
            }
        }
    }
    Table { columns, rows: lines }
}

/// All devices together, and each where there is more than one.
fn scopes<'a>(rows: &[&'a Estimate], one: Case<'_>, basis: &str) -> Vec<&'a str> {
    let of_case = rows.iter().filter(|row| {
        case(row) == Some(one)
            && row.setting.get("basis").is_some_and(|is| is == basis)
            && row.metric == "total_bytes"
    });
    let mut scopes: Vec<&str> = of_case.map(|row| row.scope.as_str()).collect();
    // The sum is the last row of each case.
    if let Some(all) = scopes.pop() {
        scopes.insert(0, all);
    }
    if scopes.len() == 2 {
        scopes.truncate(1);
    }
    scopes
}

fn value(
    rows: &[&Estimate],
    one: Case<'_>,
    (basis, scope): (&str, &str),
    metric: &str,
) -> Option<f64> {
    let found = rows.iter().find(|row| {
        case(row) == Some(one)
            && row.metric == metric
            && row.scope == scope
            && row.setting.get("basis").is_some_and(|is| is == basis)
    });
    found?.value
}

/// How far the predicted total is from the measured one.
fn deviation(rows: &[&Estimate], one: Case<'_>) -> Option<Cell> {
    let predicted = value(rows, one, ("predicted", ALL), "total_bytes")?;
    let measured = value(rows, one, ("measured", ALL), "total_bytes")?;
    let percent = (predicted / measured - 1.0) * 100.0;
    let tone = if percent.abs() <= 3.0 { Tone::Good } else { Tone::Bad };
    let text = if percent == 0.0 { "0 %".to_owned() } else { format!("{percent:+.2} %") };
    Some(Cell::toned(text, tone))
}

fn process(rows: &[&Estimate], cases: &[Case<'_>]) -> Option<Table> {
    let columns = vec![
        Column::new("model", "", Align::Left),
        Column::new("context", "", Align::Point),
        Column::new("KV", "", Align::Left),
        Column::new("resident", "", Align::Point),
        Column::new("before", "", Align::Point),
    ];
    let mut lines = Vec::new();
    for &one in cases {
        let of = |metric: &str| value(rows, one, ("measured", "CPU"), metric);
        let Some(resident) = of("resident_bytes") else { continue };
        lines.push(vec![
            Cell::plain(one.model),
            Cell::plain(one.n_ctx),
            Cell::plain(one.kv),
            size(Some(resident)),
            size(of("overhead_bytes")),
        ]);
    }
    (!lines.is_empty()).then_some(Table { columns, rows: lines })
}

fn size(bytes: Option<f64>) -> Cell {
    bytes.map_or_else(Cell::missing, |bytes| Cell::plain(memory_size(bytes as u64)))
}
