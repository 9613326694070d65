//! What every plot looks at: the rows, the builds' colours, and where fidelity was measured.
//! Owns the choice of rows to draw; never draws.

use super::palette::Palette;
use crate::record::{Estimate, Lineage, ModelRecord, RunDocument};
use crate::report::metric_names::KLD_MEAN;
use crate::report::number::percent;
use crate::report::rows::{Place, Rows, Ruler, ruler_text};
use crate::units::count;

/// One document, seen by plots.
pub(super) struct View<'a> {
    pub(super) doc: &'a RunDocument,
    pub(super) rows: Rows<'a>,
    pub(super) palette: Palette<'a>,
}

impl<'a> View<'a> {
    pub(super) fn new(doc: &'a RunDocument) -> Self {
        let rows = Rows::new(doc);
        Self { doc, rows, palette: Palette::new(rows) }
    }

    /// The original: the yardstick of every plot of distances.
    pub(super) fn original(&self) -> Option<&'a str> {
        self.rows.references().first().copied()
    }

    /// Each text and ruler with a distance from the original, whole windows only.
    pub(super) fn places(&self) -> Vec<Place<'a>> {
        let Some(reference) = self.original() else { return Vec::new() };
        let builds = self.builds();
        let mut places = Vec::new();
        for ruler in self.rows.rulers() {
            for scope in self.rows.scopes() {
                let place = Place { ruler, reference, scope };
                if builds.iter().any(|build| self.rows.figure(place, KLD_MEAN, build).is_some()) {
                    places.push(place);
                }
            }
        }
        places
    }

    /// Candidates in the order given, then references but for the original.
    pub(super) fn builds(&self) -> Vec<&'a str> {
        let mut builds = self.rows.candidates();
        builds.extend(self.rows.references().into_iter().skip(1));
        builds
    }

    /// The file behind a build; a build with another KV cache type is of the same file.
    pub(super) fn model(&self, build: &str) -> Option<&'a ModelRecord> {
        self.rows.model_behind(build)
    }

    /// ` (QAT)` and the like, or nothing.
    pub(super) fn lineage(&self, build: &str) -> String {
        let lineage = self.model(build).map(|model| model.lineage.as_slice()).unwrap_or_default();
        let words = lineage.iter().map(|lineage| match lineage {
            Lineage::Qat => "QAT",
            Lineage::Twin => "twin",
            Lineage::Naive => "naive",
        });
        let words: Vec<&str> = words.collect();
        if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
    }
}

/// `95 %, n = 60 windows`: what stands behind a figure, for whoever points at it.
pub(super) fn basis(row: &Estimate, noun: &str) -> String {
    let level = row.level.map(|level| format!("{} interval, ", percent(level))).unwrap_or_default();
    format!("{level}n = {}", count(row.n, noun))
}

/// What the panel of a place is called; with the ruler where there are several.
pub(super) fn place_title(place: Place<'_>, places: &[Place<'_>]) -> String {
    if places.iter().all(|other| ruler_text(other.ruler) == ruler_text(place.ruler)) {
        return place.scope.to_owned();
    }
    format!("{} · {}", place.scope, ruler_text(place.ruler))
}

/// `depth 4096`: the settings in which a panel differs from any of the others.
pub(super) fn told_apart(setting: &Ruler, all: &[&Ruler]) -> String {
    let varies = |name: &str| all.iter().any(|other| other.get(name) != setting.get(name));
    words(setting.iter().filter(|(name, _)| varies(name)))
}

/// `All with n_threads 8.`: the settings that all panels share, as a note; none where there are none.
pub(super) fn shared(all: &[&Ruler]) -> Option<String> {
    let first = all.first()?;
    let is_shared = |name: &str| all.iter().all(|other| other.get(name) == first.get(name));
    let shared = words(first.iter().filter(|(name, _)| is_shared(name)));
    (!shared.is_empty()).then(|| format!("All with {shared}."))
}

fn words<'a>(settings: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let words: Vec<String> = settings.map(|(name, value)| format!("{name} {value}")).collect();
    words.join(", ")
}
