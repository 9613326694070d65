//! The answer to the question what fits: one sentence, then the figures.
//! Owns its words, its table and its JSON; never predicts.

use std::io;

use serde::Serialize;

use super::number::memory_size;
use super::page::{Align, Block, Cell, Column, Item, Page, Table, Tone};
use super::{PageFormat, page_format};
use crate::record::SCHEMA_VERSION;
use crate::units::count;

/// What fits, as figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FitAnswer {
    /// Memory of the card.
    pub vram_bytes: u64,
    /// Of that, what the engine's buffers do not get.
    pub reserve_bytes: u64,
    /// Context asked for.
    pub n_ctx: u32,
    /// Most tokens computed at once.
    pub n_ubatch: u32,
    /// Each build with each KV type, in the order asked.
    pub rows: Vec<FitRow>,
}

/// Why a build does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FitReason {
    /// It takes more memory than there is.
    Memory,
    /// The context is longer than the one it was trained for, whatever the memory.
    TrainedLength,
}

/// One build with one KV type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FitRow {
    /// Short name.
    pub model: String,
    /// KV cache type.
    pub kv: String,
    /// On the card, with every layer there, at the context asked for.
    pub weights_bytes: u64,
    /// KV cache of it.
    pub kv_bytes: u64,
    /// Compute buffer of it.
    pub compute_bytes: u64,
    /// Whether all of that fits, and the context is one that it was trained for.
    pub fits: bool,
    /// Why it does not.
    pub reason: Option<FitReason>,
    /// Tokens that it was trained for, where its header says.
    pub n_ctx_train: Option<u64>,
    /// Longest context that fits with every layer on the card.
    pub largest_ctx: Option<u32>,
    /// Whether the trained length ends it, not the memory.
    pub is_trained_length: bool,
    /// Where not all fits: most layers on the card at the context asked for.
    pub gpu_layers: Option<u32>,
    /// Layers, the output counted as one.
    pub n_layers: u32,
}

impl FitRow {
    fn total(&self) -> u64 {
        self.weights_bytes.saturating_add(self.kv_bytes).saturating_add(self.compute_bytes)
    }

    /// The part that takes most, with its share.
    fn tightest(&self) -> String {
        let parts = [
            ("weights", self.weights_bytes),
            ("KV cache", self.kv_bytes),
            ("compute", self.compute_bytes),
        ];
        let (name, bytes) = parts.into_iter().max_by_key(|part| part.1).unwrap_or(parts[0]);
        format!("{name} {:.0} %", bytes as f64 / self.total().max(1) as f64 * 100.0)
    }
}

/// The answer in the form asked for.
pub fn fit(answer: &FitAnswer, format: PageFormat, color: bool) -> io::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema_version: u32,
        answer: String,
        #[serde(flatten)]
        figures: &'a FitAnswer,
    }
    let document =
        Document { schema_version: SCHEMA_VERSION, answer: sentence(answer), figures: answer };
    page_format::render(&document, &page(answer), format, color)
}

fn page(answer: &FitAnswer) -> Page {
    let caption = format!(
        "on the card with every layer there: {} for buffers ({} less {} reserved) · {} tokens at once",
        memory_size(answer.vram_bytes.saturating_sub(answer.reserve_bytes)),
        memory_size(answer.vram_bytes),
        memory_size(answer.reserve_bytes),
        answer.n_ubatch
    );
    vec![
        Block::Title(sentence(answer)),
        Block::Caption(caption),
        Block::Table(table(answer)),
        Block::Items(notes(answer)),
    ]
}

/// The largest build that fits, with the first KV type (in the order of preference) that does.
fn sentence(answer: &FitAnswer) -> String {
    let room = memory_size(answer.vram_bytes);
    let best = answer
        .rows
        .iter()
        .filter(|row| row.fits)
        .reduce(|best, row| if row.weights_bytes > best.weights_bytes { row } else { best });
    if let Some(best) = best {
        let context = best
            .largest_ctx
            .map_or(String::new(), |n| format!(", room for {}", count(u64::from(n), "token")));
        return format!(
            "The largest build that fits {room} with {} is {} with KV {}: {} on the card{context}",
            count(u64::from(answer.n_ctx), "token"),
            best.model,
            best.kv,
            memory_size(best.total())
        );
    }
    let nothing = nothing_fits(answer, &room);
    let shorter = answer
        .rows
        .iter()
        .filter(|row| row.largest_ctx.is_some())
        .reduce(|best, row| if row.largest_ctx > best.largest_ctx { row } else { best });
    match shorter {
        Some(row) => format!(
            "{nothing}; {} with KV {} fits {room} with {}",
            row.model,
            row.kv,
            row.largest_ctx.unwrap_or(0)
        ),
        None => format!("No build fits {room}, whatever the context"),
    }
}

/// What no build does, by what stands in the way.
fn nothing_fits(answer: &FitAnswer, room: &str) -> String {
    let n_ctx = count(u64::from(answer.n_ctx), "token");
    let is_short = |row: &FitRow| row.reason == Some(FitReason::TrainedLength);
    if answer.rows.iter().all(is_short) {
        format!("No build was trained for {n_ctx}")
    } else if answer.rows.iter().any(is_short) {
        format!("No build that was trained for {n_ctx} fits {room} with them")
    } else {
        format!("No build fits {room} with {n_ctx}")
    }
}

fn table(answer: &FitAnswer) -> Table {
    let columns = vec![
        Column::new("model", "", Align::Left),
        Column::new("KV", "", Align::Left),
        Column::new("weights", "MiB", Align::Point),
        Column::new("KV cache", "MiB", Align::Point),
        Column::new("compute", "MiB", Align::Point),
        Column::new("total", "MiB", Align::Point),
        Column::new("fits", "", Align::Left),
        Column::new("most context", "tokens", Align::Point),
        Column::new("largest part", "", Align::Left),
    ];
    let mut last = "";
    let mut rows = Vec::new();
    for row in &answer.rows {
        let name = if row.model == last { "" } else { row.model.as_str() };
        last = &row.model;
        rows.push(vec![
            Cell::plain(name),
            Cell::plain(&row.kv),
            mebibytes(row.weights_bytes),
            mebibytes(row.kv_bytes),
            mebibytes(row.compute_bytes),
            mebibytes(row.total()),
            fits(row),
            most_context(row),
            Cell::toned(row.tightest(), Tone::Faint),
        ]);
    }
    Table { columns, rows }
}

/// One unit for all rows, so that they can be compared down a column.
fn mebibytes(bytes: u64) -> Cell {
    let value = bytes as f64 / f64::from(1 << 20);
    Cell::plain(if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") })
}

fn fits(row: &FitRow) -> Cell {
    match (row.reason, row.gpu_layers, row.n_ctx_train) {
        (None, ..) => Cell::toned("yes", Tone::Good),
        (Some(FitReason::TrainedLength), _, Some(most)) => {
            Cell::toned(format!("trained for {most}"), Tone::Bad)
        }
        (Some(_), Some(layers), _) => {
            Cell::toned(format!("{layers} of {} layers", row.n_layers), Tone::Open)
        }
        (Some(_), None, _) => Cell::toned("no", Tone::Bad),
    }
}

fn most_context(row: &FitRow) -> Cell {
    match row.largest_ctx {
        None => Cell::missing(),
        Some(n) if row.is_trained_length => Cell::toned(n.to_string(), Tone::Good),
        Some(n) => Cell::plain(n.to_string()),
    }
}

fn notes(answer: &FitAnswer) -> Vec<Item> {
    let note = |text: &str| Item {
        label: "note",
        tone: Tone::Faint,
        text: text.to_owned(),
        raw: Vec::new(),
    };
    let mut notes = Vec::new();
    if answer.rows.iter().any(|row| row.kv != "f16") {
        notes.push(note(
            "what a smaller KV type costs in quality is not measured here: karat fidelity --kv \
             f16,q8_0,q4_0",
        ));
    }
    if answer.rows.iter().any(|row| row.gpu_layers.is_some()) {
        notes.push(note(
            "`N of M layers` is what --gpu-layers can be at this context; the rest is computed on \
             the processor, much slower",
        ));
    }
    notes
}
