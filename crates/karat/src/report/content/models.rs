//! What was compared: the builds and the texts.
//! Owns the opening of the report; holds no measured figure.

use crate::record::{ModelRecord, ModelRole, Outcome, RunDocument};
use crate::report::number::{file_size, memory_size, short_hash};
use crate::report::page::{Align, Block, Cell, Column, Page, Table, Tone};
use crate::units;

pub(super) fn blocks(doc: &RunDocument) -> Page {
    let has_reference = doc.models.iter().any(|model| model.role == ModelRole::Reference);
    let what = if has_reference {
        let references = count(doc, ModelRole::Reference, "reference");
        format!("{} against {references}", count(doc, ModelRole::Candidate, "candidate"))
    } else {
        count(doc, ModelRole::Candidate, "model")
    };
    let state = if doc.run.outcome == Outcome::Unfinished { ", unfinished" } else { "" };
    let title = format!("karat run {}: {what}{state}", doc.run.id);
    let mut page = vec![Block::Title(title), Block::Heading("Models".to_owned()), models(doc)];
    let served = doc.models.iter().filter(|model| model.is_on_server()).filter_map(|model| {
        let said = said(model);
        (!said.is_empty()).then(|| (model.name.clone(), said))
    });
    let served: Vec<(String, String)> = served.collect();
    if !served.is_empty() {
        page.push(Block::Facts(served));
    }
    if !doc.texts.is_empty() {
        page.extend([Block::Heading("Texts".to_owned()), texts(doc)]);
    }
    page
}

fn count(doc: &RunDocument, role: ModelRole, noun: &str) -> String {
    let n = doc.models.iter().filter(|model| model.role == role).count();
    units::count(n as u64, noun)
}

fn models(doc: &RunDocument) -> Block {
    let columns = vec![
        Column::new("model", "", Align::Left),
        Column::new("role", "", Align::Left),
        Column::new("size", "", Align::Point),
        Column::new("bits/weight", "", Align::Point),
        Column::new("tensor types", "", Align::Left),
    ];
    let row = |model: &ModelRecord| {
        vec![
            Cell::plain(&model.name),
            role(model),
            known(model.bytes > 0, || file_size(model.bytes)),
            known(model.bits_per_weight > 0.0, || format!("{:.2}", model.bits_per_weight)),
            Cell::toned(tensor_types(model), Tone::Faint),
        ]
    };
    Block::Table(Table { columns, rows: doc.models.iter().map(row).collect() })
}

/// Where a model on a server is, where its name does not say so, and what the server says of it.
fn said(model: &ModelRecord) -> String {
    let place = (model.path != model.name).then(|| model.path.clone());
    let loaded = model.served.iter().flat_map(|served| {
        [
            served.engine.clone(),
            served.quantization.clone(),
            served.n_ctx.map(|n_ctx| format!("context {n_ctx}")),
            served.resident_bytes.map(|bytes| format!("{} resident", memory_size(bytes))),
            served.vram_bytes.map(|bytes| format!("{} on a GPU", memory_size(bytes))),
        ]
    });
    place.into_iter().chain(loaded.flatten()).collect::<Vec<_>>().join(", ")
}

/// Of a model on a server not everything is known.
fn known(is_known: bool, text: impl Fn() -> String) -> Cell {
    if is_known { Cell::plain(text()) } else { Cell::missing() }
}

fn role(model: &ModelRecord) -> Cell {
    match (model.role, model.proxy_reference) {
        (ModelRole::Reference, false) => Cell::plain("reference"),
        (ModelRole::Reference, true) => Cell::toned("PROXY reference", Tone::Open),
        (ModelRole::Candidate, _) => Cell::plain("candidate"),
    }
}

/// `Q4_0 28, F32 25, Q6_K 1`: the most frequent first.
fn tensor_types(model: &ModelRecord) -> String {
    let mut types: Vec<_> = model.tensor_types.iter().collect();
    types.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    let parts: Vec<String> =
        types.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
    parts.join(", ")
}

fn texts(doc: &RunDocument) -> Block {
    // All texts of a run are of one kind.
    let is_chat = doc.texts.iter().any(|text| text.chat);
    let windows = if is_chat { "conversations" } else { "windows" };
    let columns = vec![
        Column::new("text", "", Align::Left),
        Column::new("tokens", "", Align::Point),
        Column::new(windows, "scored", Align::Point),
        Column::new("sha256", "", Align::Left),
    ];
    let rows = doc.texts.iter().map(|text| {
        vec![
            Cell::plain(&text.name),
            Cell::plain(text.tokens.to_string()),
            Cell::plain(text.windows.to_string()),
            Cell::toned(short_hash(&text.sha256), Tone::Faint),
        ]
    });
    Block::Table(Table { columns, rows: rows.collect() })
}
