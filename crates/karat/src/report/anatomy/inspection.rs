//! The page of `karat inspect`.

use std::io;

use super::inspection_facts::{
    architecture_facts, identity_facts, origin_facts, storage_facts, tokenizer_facts,
};
use super::{count, heading, oddity, plain};
use crate::anatomy::{Anatomy, DataCheck, Inspection, Mix, TensorFaults, TypeShare};
use crate::report::PageFormat;
use crate::report::number::{file_size, short};
use crate::report::page::{Align, Block, Cell, Column, Page, Table, Tone};
use crate::report::page_format::render;

/// Characters of a full bar.
const BAR_WIDTH: usize = 24;
/// Tensors of a data check that are listed.
const MAX_LISTED: usize = 20;

/// An inspection in the form asked for.
pub fn inspection(document: &Inspection, format: PageFormat, color: bool) -> io::Result<Vec<u8>> {
    let mut page = Page::new();
    for model in &document.models {
        page.extend(model_page(model));
    }
    render(document, &page, format, color)
}

fn model_page(model: &Anatomy) -> Page {
    let mut page = vec![Block::Title(title(model)), Block::Facts(identity_facts(model))];
    section(&mut page, "Architecture", architecture_facts(&model.shape));
    if !model.mix.types.is_empty() {
        page.extend([heading("Tensor types"), mix_table(&model.mix)]);
    }
    section(&mut page, "Storage", storage_facts(&model.mix));
    section(
        &mut page,
        "Tokenizer",
        model.tokenizer.as_ref().map(tokenizer_facts).unwrap_or_default(),
    );
    section(&mut page, "Origin", origin_facts(&model.origin));
    if let Some(data) = &model.data {
        page.extend(data_blocks(data));
    }
    page.push(heading("Oddities"));
    let mut items: Vec<_> = model.oddities.iter().map(oddity).collect();
    if items.is_empty() {
        items.push(plain("none found"));
    }
    page.push(Block::Items(items));
    page
}

fn section(page: &mut Page, title: &str, facts: Vec<(String, String)>) {
    if !facts.is_empty() {
        page.extend([heading(title), Block::Facts(facts)]);
    }
}

fn title(model: &Anatomy) -> String {
    let architecture = model.shape.architecture.as_deref().unwrap_or("no architecture");
    let size = file_size(model.identity.bytes);
    match model.mix.bits_per_weight {
        None => format!("{}: {architecture}, no tensors, {size}", model.name),
        Some(bits) => format!(
            "{}: {architecture}, {} weights in {size}, {bits:.2} bits per weight",
            model.name,
            weights(model.mix.weights)
        ),
    }
}

/// A number of weights as models are called by it: `4.66 M`, `12.2 B`.
fn weights(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..999_500 => format!("{} K", short(n as f64 / 1e3)),
        999_500..999_500_000 => format!("{} M", short(n as f64 / 1e6)),
        _ => format!("{} B", short(n as f64 / 1e9)),
    }
}

fn mix_table(mix: &Mix) -> Block {
    let columns = vec![
        Column::new("type", "", Align::Left),
        Column::new("tensors", "", Align::Point),
        Column::new("weights", "", Align::Point),
        Column::new("bytes", "", Align::Point),
        Column::new("share", "", Align::Point),
        Column::new("bits/weight", "", Align::Point),
        Column::new("", "", Align::Drawing),
    ];
    let row = |share: &TypeShare| {
        let bits = format!("{:.4}", share.bits_per_weight);
        let mut row = cells(share.r#type, [share.tensors, share.weights, share.bytes]);
        row.push(Cell::plain(format!("{:.1} %", share.share * 100.0)));
        row.push(Cell::plain(bits));
        row.push(Cell::plain(bar(share.share)));
        row
    };
    let mut rows: Vec<Vec<Cell>> = mix.types.iter().map(row).collect();
    if mix.types.len() > 1 {
        let mut total = cells("all", [mix.tensors, mix.weights, mix.bytes]);
        total.push(Cell::plain("100.0 %"));
        let bits =
            mix.bits_per_weight.map_or_else(Cell::missing, |b| Cell::plain(format!("{b:.4}")));
        total.extend([bits, Cell::plain(" ".repeat(BAR_WIDTH))]);
        rows.push(total.into_iter().map(|cell| Cell { tone: Tone::Faint, ..cell }).collect());
    }
    Block::Table(Table { columns, rows })
}

fn cells(name: &str, numbers: [u64; 3]) -> Vec<Cell> {
    let numbers = numbers.iter().map(|number| Cell::plain(number.to_string()));
    std::iter::once(Cell::plain(name)).chain(numbers).collect()
}

/// A share as a bar, in eighths of a character.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let n_eighths = (share.clamp(0.0, 1.0) * BAR_WIDTH as f64 * 8.0).round() as usize;
    let bar = "█".repeat(n_eighths / 8) + EIGHTHS[n_eighths % 8];
    // What is there at all leaves a mark.
    let bar = if bar.is_empty() && share > 0.0 { EIGHTHS[1].to_owned() } else { bar };
    format!("{bar:<BAR_WIDTH$}")
}

fn data_blocks(data: &DataCheck) -> Page {
    let skipped = match data.skipped {
        0 => String::new(),
        n => format!("; {} of integers not looked at", count(n, "tensor")),
    };
    let scales = match data.scales {
        0 => String::new(),
        n => format!(", {} of blocks", count(n, "scale")),
    };
    let tensors = count(data.tensors, "tensor");
    let caption = format!("{tensors} scanned, {}{scales}{skipped}", file_size(data.bytes));
    let mut page = vec![heading("Data"), Block::Caption(caption)];
    if data.found.is_empty() {
        let scales = if data.scales > 0 { ", no scale is zero or subnormal" } else { "" };
        page.push(Block::Items(vec![plain(format!("every number is finite{scales}"))]));
        return page;
    }
    page.push(data_table(data));
    if data.found.len() > MAX_LISTED {
        let n_more = (data.found.len() - MAX_LISTED) as u64;
        let text = format!("and {} more; --format json lists all", count(n_more, "tensor"));
        page.push(Block::Items(vec![plain(text)]));
    }
    page
}

fn data_table(data: &DataCheck) -> Block {
    let columns = vec![
        Column::new("tensor", "", Align::Left),
        Column::new("type", "", Align::Left),
        Column::new("NaN", "", Align::Point),
        Column::new("infinite", "", Align::Point),
        Column::new("weights", "hit", Align::Point),
        Column::new("first", "row, column", Align::Left),
        Column::new("scales", "zero", Align::Point),
        Column::new("scales", "subnormal", Align::Point),
    ];
    // What is broken first; the order is otherwise the file's.
    let broken = data.found.iter().filter(|found| found.is_broken());
    let others = data.found.iter().filter(|found| !found.is_broken());
    let rows = broken.chain(others).take(MAX_LISTED).map(data_row).collect();
    Block::Table(Table { columns, rows })
}

fn data_row(found: &TensorFaults) -> Vec<Cell> {
    let bad = |n: u64| {
        let tone = if n == 0 { Tone::Faint } else { Tone::Bad };
        Cell::toned(n.to_string(), tone)
    };
    let open = |n: u64| {
        let tone = if n == 0 { Tone::Faint } else { Tone::Plain };
        Cell::toned(n.to_string(), tone)
    };
    let place = |weight: u64| format!("{}, {}", weight / found.row_len, weight % found.row_len);
    vec![
        Cell::plain(&found.tensor),
        Cell::plain(found.r#type),
        bad(found.nan),
        bad(found.infinite),
        bad(found.weights),
        found.first_weight.map_or_else(Cell::missing, |weight| Cell::plain(place(weight))),
        open(found.zero_scales),
        open(found.subnormal_scales),
    ]
}

#[cfg(test)]
mod tests {
    use super::{BAR_WIDTH, bar, weights};

    #[test]
    fn a_bar_is_as_wide_as_its_share() {
        assert_eq!(bar(1.0), "█".repeat(BAR_WIDTH));
        assert_eq!(bar(0.5).trim_end(), "█".repeat(BAR_WIDTH / 2));
        assert_eq!(bar(1e-9).trim_end(), "▏");
        assert_eq!(bar(0.0).trim_end(), "");
        for share in [0.0, 0.01, 0.3, 0.999, 1.0, f64::NAN] {
            assert_eq!(bar(share).chars().count(), BAR_WIDTH);
        }
    }

    #[test]
    fn weights_are_told_as_models_are_named() {
        assert_eq!(weights(999), "999");
        assert_eq!(weights(4_808_004), "4.81 M");
        assert_eq!(weights(999_600), "1.00 M");
        assert_eq!(weights(12_187_325_040), "12.2 B");
    }
}
