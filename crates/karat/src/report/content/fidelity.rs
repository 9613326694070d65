//! How far each build is from a reference on a text: the main figures, then the tail.
//! Owns these two tables; one pair of them per ruler and text, against the original. (A second
//! reference has its distances in a table of their own, and everything in csv and json.)

use super::{caption, position};
use crate::record::RunDocument;
use crate::report::metric_names::{
    DELTA_P_RMS, KLD_DESIGN_EFFECT, KLD_MAX, KLD_MEAN, KLD_MEDIAN, KLD_P99, KLD_P99_9,
    LN_PPL_RATIO, SAME_TOP_P,
};
use crate::report::number::{MILLI_NATS, PERCENT, bare_figure, figure, perplexity};
use crate::report::page::{Align, Block, Cell, Column, Page, Table, Tone};
use crate::report::rows::{Place, Rows, Ruler};
use crate::report::strip::{Axis, Whisker};

pub(super) fn blocks(doc: &RunDocument, rows: Rows<'_>, ruler: &Ruler) -> Page {
    let mut page = Page::new();
    for reference in rows.references().into_iter().take(1) {
        let place = |scope| Place { ruler, reference, scope };
        let places: Vec<Place<'_>> = rows.scopes().into_iter().map(place).collect();
        let axis = axis(rows, &places);
        let places: Vec<Place<'_>> =
            places.into_iter().filter(|place| rows.has_figures(*place)).collect();
        for &place in &places {
            page.extend(place_blocks(doc, rows, place, axis));
            let (builds, is_only) = (builds(rows, place), places.len() == 1);
            page.extend(position::table(doc, rows, place, &builds, is_only));
        }
    }
    page
}

fn place_blocks(doc: &RunDocument, rows: Rows<'_>, place: Place<'_>, axis: Option<Axis>) -> Page {
    let builds = builds(rows, place);
    let of = |metric| builds.iter().filter_map(move |build| rows.figure(place, metric, build));
    let basis = caption::basis(
        place.ruler,
        of(KLD_MEAN).chain(rows.perplexity(place, place.reference)),
        of(KLD_DESIGN_EFFECT),
    );
    let reference = caption::reference_name(rows, place.reference);
    let together = if caption::stopped_early(doc, place.scope) {
        " · stopped early: the intervals of the KLD means hold together, other figures have none"
    } else {
        ""
    };
    let mut page = vec![
        Block::Heading(format!("{}, against {reference}", place.scope)),
        Block::Caption(format!("{basis} · KLD in {}{together}", MILLI_NATS.unit)),
        Block::Table(main_table(doc, rows, place, &builds)),
    ];
    if of(KLD_MEAN).next().is_some() {
        page.push(Block::Table(tail_table(rows, place, &builds, axis)));
    }
    page
}

/// References that were measured against this one, then every candidate: one without figures stays
/// in the table, so that its absence is seen.
fn builds<'a>(rows: Rows<'a>, place: Place<'_>) -> Vec<&'a str> {
    let is_measured =
        |name: &&str| *name != place.reference && rows.figure(place, KLD_MEAN, name).is_some();
    let references = rows.references().into_iter().filter(is_measured);
    references.chain(rows.candidates()).collect()
}

fn main_table(doc: &RunDocument, rows: Rows<'_>, place: Place<'_>, builds: &[&str]) -> Table {
    let column = |title: &str, metric: &'static str, unit: &str| {
        let figures = builds.iter().filter_map(|build| rows.figure(place, metric, build));
        let unit = format!("{unit} {}", caption::level(doc, figures));
        Column::new(title, &unit, Align::Point)
    };
    let columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("PPL", "", Align::Point),
        column("ln PPL ratio", LN_PPL_RATIO, MILLI_NATS.unit),
        column("KLD mean", KLD_MEAN, MILLI_NATS.unit),
        column("same top", SAME_TOP_P, PERCENT.unit),
    ];
    let row = |build: &&str| {
        let of = |metric| rows.figure(place, metric, build);
        vec![
            Cell::plain(*build),
            perplexity(rows.perplexity(place, build)),
            figure(of(LN_PPL_RATIO), MILLI_NATS),
            figure(of(KLD_MEAN), MILLI_NATS),
            figure(of(SAME_TOP_P), PERCENT),
        ]
    };
    let mut table_rows = vec![reference_row(rows, place)];
    table_rows.extend(builds.iter().map(row));
    Table { columns, rows: table_rows }
}

/// The yardstick itself: it has a perplexity and no distance.
fn reference_row(rows: Rows<'_>, place: Place<'_>) -> Vec<Cell> {
    let role = if caption::is_proxy(rows, place.reference) {
        Cell::toned("proxy", Tone::Open)
    } else {
        Cell::toned("reference", Tone::Faint)
    };
    vec![
        Cell::plain(place.reference),
        perplexity(rows.perplexity(place, place.reference)),
        role,
        Cell::missing(),
        Cell::missing(),
    ]
}

/// One scale for all texts, so that their drawings can be compared.
fn axis(rows: Rows<'_>, places: &[Place<'_>]) -> Option<Axis> {
    let whiskers: Vec<Whisker> = places
        .iter()
        .flat_map(|&place| {
            let builds = builds(rows, place);
            builds.into_iter().map(move |build| whisker(rows, place, build))
        })
        .collect();
    Axis::spanning(&whiskers)
}

fn tail_table(rows: Rows<'_>, place: Place<'_>, builds: &[&str], axis: Option<Axis>) -> Table {
    let whiskers: Vec<Whisker> = builds.iter().map(|build| whisker(rows, place, build)).collect();
    let kld = |which: &str| Column::new("KLD", which, Align::Point);
    let mut columns = vec![Column::new("build", "", Align::Left)];
    columns.extend(
        axis.map(|axis| Column::new("KLD mean, log scale", &axis.labels(), Align::Drawing)),
    );
    columns.extend([kld("median"), kld("p99"), kld("p99.9"), kld("max")]);
    columns.push(Column::new("Δp RMS", PERCENT.unit, Align::Point));

    let row = |(build, whisker): (&&str, &Whisker)| {
        let kld = |metric| bare_figure(rows.figure(place, metric, build), MILLI_NATS);
        let mut cells = vec![Cell::plain(*build)];
        cells.extend(axis.map(|axis| Cell::plain(axis.draw(*whisker))));
        cells.extend([KLD_MEDIAN, KLD_P99, KLD_P99_9, KLD_MAX].map(kld));
        cells.push(bare_figure(rows.figure(place, DELTA_P_RMS, build), PERCENT));
        cells
    };
    Table { columns, rows: std::iter::zip(builds, &whiskers).map(row).collect() }
}

fn whisker(rows: Rows<'_>, place: Place<'_>, build: &str) -> Whisker {
    let kld = rows.figure(place, KLD_MEAN, build);
    let scaled = |value: Option<f64>| value.map(|value| MILLI_NATS.apply(value));
    Whisker {
        value: scaled(kld.and_then(|kld| kld.value)),
        lo: scaled(kld.and_then(|kld| kld.lo)),
        hi: scaled(kld.and_then(|kld| kld.hi)),
    }
}
