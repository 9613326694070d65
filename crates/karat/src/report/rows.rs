//! Finding rows of the tidy table: by ruler, reference, text and candidate.
//! Owns the order in which a report goes through them; never formats.

use std::collections::BTreeMap;

use super::metric_names::{KLD_MEAN, PPL};
use crate::record::{Estimate, Instrument, ModelRecord, ModelRole, RunDocument};

/// The settings that make two figures comparable; figures of different ones never share a table.
pub(super) type Ruler = BTreeMap<String, String>;

/// The setting that names a KV cache type.
const KV: &str = "kv";
/// What the scope of all texts of one language begins with.
const LANGUAGE: &str = "language:";
/// The settings that name a part of the windows: rows that have one stand beside the others.
const PARTS: [&str; 2] = [POSITION, "positions"];
const POSITION: &str = "position";

/// The fidelity rows of one document.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    doc: &'a RunDocument,
}

/// One text measured with one ruler against one reference: what a table of figures is about.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) ruler: &'a Ruler,
    pub(super) reference: &'a str,
    pub(super) scope: &'a str,
}

impl<'a> Rows<'a> {
    pub(super) fn new(doc: &'a RunDocument) -> Self {
        Self { doc }
    }

    /// Rows that measure a distance; other instruments have tables of their own.
    fn fidelity(self) -> impl Iterator<Item = &'a Estimate> {
        self.doc.estimates.iter().filter(|row| row.instrument == Instrument::Fidelity)
    }

    /// Every ruler in use, in order of first appearance.
    pub(super) fn rulers(self) -> Vec<&'a Ruler> {
        let mut rulers: Vec<&Ruler> = Vec::new();
        for row in self.fidelity().filter(|row| is_of_whole(row)) {
            if !rulers.iter().any(|ruler| same_ruler(ruler, &row.setting)) {
                rulers.push(&row.setting);
            }
        }
        rulers
    }

    /// References in the order given; then any that only the rows name.
    pub(super) fn references(self) -> Vec<&'a str> {
        let given = self.models(ModelRole::Reference).map(|model| model.name.as_str());
        let named = self.fidelity().filter_map(|row| row.reference.as_deref());
        distinct(given.chain(named))
    }

    /// Texts in the order given; then any that only the rows name.
    pub(super) fn scopes(self) -> Vec<&'a str> {
        let given = self.doc.texts.iter().map(|text| text.name.as_str());
        let named = self.fidelity().map(|row| row.scope.as_str());
        distinct(given.chain(named).filter(|scope| !scope.starts_with(LANGUAGE)))
    }

    /// Scopes that are all texts of one language, in order of first appearance: name and scope.
    pub(super) fn languages(self) -> Vec<(&'a str, &'a str)> {
        let scopes = self.fidelity().map(|row| row.scope.as_str());
        distinct(scopes.filter_map(|scope| Some((scope.strip_prefix(LANGUAGE)?, scope))))
    }

    /// Builds under test in the order given; then any that only the rows name.
    pub(super) fn candidates(self) -> Vec<&'a str> {
        let named = distinct(self.fidelity().map(|row| row.candidate.as_str()));
        let references = self.references();
        let given = self.models(ModelRole::Candidate).flat_map(|model| {
            let forms: Vec<&str> =
                named.iter().copied().filter(|name| is_form_of(name, &model.name)).collect();
            if forms.is_empty() { vec![model.name.as_str()] } else { forms }
        });
        let others = named.iter().copied().filter(|name| !references.contains(name));
        distinct(given.chain(others))
    }

    /// The record of a model.
    pub(super) fn model(self, name: &str) -> Option<&'a ModelRecord> {
        self.doc.models.iter().find(|model| model.name == name)
    }

    /// The record of the model that a build is a form of: itself, or with another KV cache type.
    pub(super) fn model_behind(self, build: &str) -> Option<&'a ModelRecord> {
        let exact = self.model(build);
        exact.or_else(|| self.doc.models.iter().find(|model| is_form_of(build, &model.name)))
    }

    /// A plain (unpaired) figure of a candidate against the place's reference.
    pub(super) fn figure(
        self,
        place: Place<'_>,
        metric: &str,
        candidate: &str,
    ) -> Option<&'a Estimate> {
        self.fidelity().find(|row| {
            row.metric == metric
                && row.candidate == candidate
                && row.versus.is_none()
                && is_of(row, place)
        })
    }

    /// A model's own perplexity at the place.
    pub(super) fn perplexity(self, place: Place<'_>, model: &str) -> Option<&'a Estimate> {
        self.fidelity().find(|row| {
            row.metric == PPL
                && row.candidate == model
                && row.scope == place.scope
                && same_ruler(&row.setting, place.ruler)
        })
    }

    /// Paired figures (candidate against candidate) of one metric at the place.
    pub(super) fn paired(
        self,
        place: Place<'_>,
        metric: &str,
    ) -> impl Iterator<Item = &'a Estimate> {
        self.fidelity()
            .filter(move |row| row.metric == metric && row.versus.is_some() && is_of(row, place))
    }

    /// The paired figure of another metric for the same two candidates as `row`.
    pub(super) fn paired_like(self, row: &Estimate, metric: &str) -> Option<&'a Estimate> {
        self.fidelity().find(|other| {
            other.metric == metric
                && other.candidate == row.candidate
                && other.versus == row.versus
                && other.reference == row.reference
                && other.scope == row.scope
                && same_ruler(&other.setting, &row.setting)
        })
    }

    /// A candidate's mean KLD at the place by position: name of the bucket and row, in order.
    pub(super) fn by_position(
        self,
        place: Place<'_>,
        candidate: &str,
    ) -> Vec<(&'a str, &'a Estimate)> {
        let rows = self.kld_of_parts(place, candidate);
        let named = rows.filter_map(|row| Some((row.setting.get(POSITION)?.as_str(), row)));
        let mut buckets: Vec<(&str, &Estimate)> = named.collect();
        let first = |name: &str| name.split("..").next().and_then(|first| first.parse().ok());
        buckets.sort_by_key(|(name, _)| first(name).unwrap_or(u64::MAX));
        buckets
    }

    /// A candidate's mean KLD in the first halves of the place's windows.
    pub(super) fn first_half(self, place: Place<'_>, candidate: &str) -> Option<&'a Estimate> {
        self.kld_of_parts(place, candidate).find(|row| !row.setting.contains_key(POSITION))
    }

    fn kld_of_parts(self, place: Place<'_>, candidate: &str) -> impl Iterator<Item = &'a Estimate> {
        self.doc.estimates.iter().filter(move |row| {
            let ruler = || {
                let parts = row.setting.iter().filter(|(name, _)| !PARTS.contains(&name.as_str()));
                parts.map(|(name, value)| (name.clone(), value.clone())).collect()
            };
            row.metric == KLD_MEAN
                && row.candidate == candidate
                && row.versus.is_none()
                && row.reference.as_deref() == Some(place.reference)
                && row.scope == place.scope
                && !is_of_whole(row)
                && same_ruler(&ruler(), place.ruler)
        })
    }

    /// Whether anything was measured here.
    pub(super) fn has_figures(self, place: Place<'_>) -> bool {
        let any = self.fidelity().any(|row| row.versus.is_none() && is_of(row, place));
        any || self.perplexity(place, place.reference).is_some()
    }

    fn models(self, role: ModelRole) -> impl Iterator<Item = &'a ModelRecord> {
        self.doc.models.iter().filter(move |model| model.role == role)
    }
}

/// `n_ctx 512, kv_type f16`, or empty.
pub(super) fn ruler_text(ruler: &Ruler) -> String {
    let parts: Vec<String> = ruler
        .iter()
        .filter(|(name, _)| *name != KV)
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    parts.join(", ")
}

/// What a window of text is called under a ruler: a conversation is one by itself.
pub(super) fn window_noun(ruler: &Ruler) -> &'static str {
    if ruler.get("text").is_some_and(|text| text == "chat") { "conversation" } else { "window" }
}

/// Whether a row is of all scored tokens of its windows.
fn is_of_whole(row: &Estimate) -> bool {
    PARTS.iter().all(|part| !row.setting.contains_key(*part))
}

fn is_of(row: &Estimate, place: Place<'_>) -> bool {
    row.reference.as_deref() == Some(place.reference)
        && row.scope == place.scope
        && same_ruler(&row.setting, place.ruler)
}

/// Whether two settings make one ruler. The KV cache type is part of what is under test, like the
/// weights' types, so builds with different ones stand in one table.
pub(super) fn same_ruler(one: &Ruler, other: &Ruler) -> bool {
    let without_kv = |ruler: &'_ Ruler| -> Vec<(String, String)> {
        let parts = ruler.iter().filter(|(name, _)| *name != KV);
        parts.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    one == other || without_kv(one) == without_kv(other)
}

/// Whether `name` is a model, or the model with a KV cache type.
fn is_form_of(name: &str, model: &str) -> bool {
    name.strip_prefix(model).is_some_and(|rest| rest.is_empty() || rest.starts_with(" kv "))
}

fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}
