//! What builds take: measured where it was, else predicted, how far the prediction was off, and what
//! the process held.
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
    let mut caption = vec![
        format!("the engine's buffers, {}", basis(&rows)),
        format!("{} tokens at once", setting("n_ubatch")),
        format!("GPU layers {}", setting("gpu_layers")),
    ];
    caption.extend(resident_note(&rows, &cases));
    vec![
        Block::Heading("Memory".to_owned()),
        Block::Caption(caption.join(" · ")),
        Block::Table(buffers(&rows, &cases)),
    ]
}

fn basis(rows: &[&Estimate]) -> &'static str {
    if rows.iter().any(|row| row.metric == "resident_bytes") {
        "measured; off: the prediction from the header, in its total"
    } else {
        "predicted from the header"
    }
}

/// What a process holds before any model is in it, as the range over all cases.
fn resident_note(rows: &[&Estimate], cases: &[Case<'_>]) -> Option<String> {
    let before = |&one: &Case<'_>| value(rows, one, ("measured", "CPU"), "overhead_bytes");
    let before: Vec<u64> = cases.iter().filter_map(before).map(|bytes| bytes as u64).collect();
    let (least, most) = (before.iter().min()?, before.iter().max()?);
    let (least, most) = (memory_size(*least), memory_size(*most));
    let range = if least == most { least } else { format!("{least} to {most}") };
    Some(format!("resident: the whole process at its peak, {range} of it with no model loaded"))
}

fn case(row: &Estimate) -> Option<Case<'_>> {
    Some(Case {
        model: &row.candidate,
        n_ctx: row.setting.get("n_ctx")?,
        kv: row.setting.get("kv")?,
    })
}

/// A line per case with what was measured, or else predicted; one more for each device where there are
/// several.
fn buffers(rows: &[&Estimate], cases: &[Case<'_>]) -> Table {
    let is_measured = rows.iter().any(|row| row.metric == "resident_bytes");
    // Which of the two a line is, and of which device: said only where it is not clear.
    let needs_words = cases.iter().any(|&one| {
        scopes(rows, one, "measured").len() > 1
            || scopes(rows, one, "predicted").len() > 1
            || (is_measured && scopes(rows, one, "measured").is_empty())
    });
    let mut columns = vec![
        Column::new("model", "", Align::Left),
        Column::new("context", "", Align::Point),
        Column::new("KV", "", Align::Left),
    ];
    if needs_words {
        columns.push(Column::new("", "", Align::Left));
    }
    columns.extend(PARTS.map(|(_, title)| Column::new(title, "", Align::Point)));
    if is_measured {
        columns.push(Column::new("off", "", Align::Point));
        columns.push(Column::new("resident", "", Align::Point));
    }
    let mut lines = Vec::new();
    for &one in cases {
        let mut name = [one.model, one.n_ctx, one.kv];
        let measured = scopes(rows, one, "measured");
        let (basis, scopes) = if measured.is_empty() {
            ("predicted", scopes(rows, one, "predicted"))
        } else {
            ("measured", measured)
        };
        for scope in scopes {
            let value_of = |metric: &str| value(rows, one, (basis, scope), metric);
            let words = if scope == ALL { basis.to_owned() } else { format!("on {scope}") };
            let mut line: Vec<Cell> = name.iter().map(|&word| Cell::plain(word)).collect();
            name = [""; 3];
            if needs_words {
                line.push(Cell::toned(words, if scope == ALL { Tone::Plain } else { Tone::Faint }));
            }
            line.extend(PARTS.map(|(metric, _)| size(value_of(metric))));
            if is_measured {
                let resident = value(rows, one, ("measured", "CPU"), "resident_bytes");
                let of_all = scope == ALL;
                let off = of_all.then(|| deviation(rows, one)).flatten();
                line.push(off.unwrap_or_else(|| Cell::plain("")));
                line.push(if of_all { size(resident) } else { Cell::plain("") });
            }
            lines.push(line);
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

fn size(bytes: Option<f64>) -> Cell {
    bytes.map_or_else(Cell::missing, |bytes| Cell::plain(memory_size(bytes as u64)))
}
