//! Builds to ask about, and rows of texts made by hand.

use std::collections::BTreeMap;

use karat::record::{Estimate, Instrument, Lineage, ModelRecord, ModelRole, Unit};

use crate::behaviour_sample::model;

/// Original, a bigger build, a QAT file and its twin.
pub fn four() -> Vec<ModelRecord> {
    vec![
        model("bf16", ModelRole::Reference, 24.0, &[]),
        model("Q8_0", ModelRole::Candidate, 12.7, &[]),
        model("qat", ModelRole::Candidate, 7.2, &[Lineage::Qat]),
        model("twin", ModelRole::Candidate, 7.2, &[Lineage::Twin]),
    ]
}

/// A fidelity row of 60 windows with the interval `value ± half`.
pub fn text_row(metric: &str, candidate: &str, scope: &str, value: f64, half: f64) -> Estimate {
    Estimate {
        instrument: Instrument::Fidelity,
        metric: metric.to_owned(),
        candidate: candidate.to_owned(),
        reference: None,
        versus: None,
        scope: scope.to_owned(),
        setting: BTreeMap::from([("n_ctx".to_owned(), "512".to_owned())]),
        value: Some(value),
        lo: Some(value - half),
        hi: Some(value + half),
        level: Some(0.95),
        n: 60,
        unit: Unit::Nats,
    }
}

pub fn versus(other: &str, row: Estimate) -> Estimate {
    Estimate { versus: Some(other.to_owned()), ..row }
}

pub fn against(reference: &str, row: Estimate) -> Estimate {
    Estimate { reference: Some(reference.to_owned()), ..row }
}
