//! All texts side by side: what each build costs and how near it stays to a reference.
//! Owns the summary table; one per ruler and reference, where there is more than one text.

use super::caption;
use crate::record::RunDocument;
use crate::report::metric_names::{KLD_DESIGN_EFFECT, KLD_MEAN, SAME_TOP_P};
use crate::report::number::{MILLI_NATS, PERCENT, bare_figure, file_size};
use crate::report::page::{Align, Block, Cell, Column, Page, Table};
use crate::report::rows::{Place, Rows, Ruler};

/// Beyond this many texts the table would not fit its width with two figures per text.
const MAX_TEXTS_WITH_SAME_TOP: usize = 3;

pub(super) fn blocks(doc: &RunDocument, rows: Rows<'_>, ruler: &Ruler) -> Page {
    rows.references()
        .into_iter()
        .flat_map(|reference| reference_blocks(doc, rows, ruler, reference))
        .collect()
}

fn reference_blocks(doc: &RunDocument, rows: Rows<'_>, ruler: &Ruler, reference: &str) -> Page {
    let builds = rows.candidates();
    let is_measured = |place: &Place<'_>| {
        builds.iter().any(|build| rows.figure(*place, KLD_MEAN, build).is_some())
    };
    let places = rows.scopes().into_iter().map(|scope| Place { ruler, reference, scope });
    let places: Vec<Place<'_>> = places.filter(is_measured).collect();
    if places.len() < 2 {
        return Page::new();
    }
    let all = |metric: &'static str| {
        let builds = &builds;
        places.iter().flat_map(move |place| {
            builds.iter().filter_map(move |build| rows.figure(*place, metric, build))
        })
    };
    let basis = caption::basis(ruler, all(KLD_MEAN), all(KLD_DESIGN_EFFECT));
    let heading = format!("All texts, against {}", caption::reference_name(rows, reference));
    vec![
        Block::Heading(heading),
        Block::Caption(format!(
            "{basis} · KLD mean in {}{} · intervals: in the tables by text",
            MILLI_NATS.unit,
            if places.len() <= MAX_TEXTS_WITH_SAME_TOP {
                format!(", same top in {}", PERCENT.unit)
            } else {
                String::new()
            }
        )),
        Block::Table(table(doc, rows, &builds, &places)),
    ]
}

fn table(doc: &RunDocument, rows: Rows<'_>, builds: &[&str], places: &[Place<'_>]) -> Table {
    let with_same_top = places.len() <= MAX_TEXTS_WITH_SAME_TOP;
    let mut columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("size", "", Align::Point),
        Column::new("bits", "/weight", Align::Point),
    ];
    for place in places {
        columns.push(Column::new(place.scope, "KLD", Align::Point));
        if with_same_top {
            columns.push(Column::new("", "same top", Align::Point));
        }
    }
    let row = |build: &&str| {
        let model = doc.models.iter().find(|model| model.name == **build);
        let of_model = |text: Option<String>| text.map_or_else(Cell::missing, Cell::plain);
        let mut cells = vec![
            Cell::plain(*build),
            of_model(model.map(|model| file_size(model.bytes))),
            of_model(model.map(|model| format!("{:.2}", model.bits_per_weight))),
        ];
        for place in places {
            let of = |metric| rows.figure(*place, metric, build);
            cells.push(bare_figure(of(KLD_MEAN), MILLI_NATS));
            if with_same_top {
                cells.push(bare_figure(of(SAME_TOP_P), PERCENT));
            }
        }
        cells
    };
    Table { columns, rows: builds.iter().map(row).collect() }
}
