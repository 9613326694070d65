//! What a run records of models on servers, of which it sees names alone.

use std::collections::BTreeMap;

use crate::record::{EngineRecord, Lineage, ModelRecord, ModelRole};

/// A model of which only the name is known, and what the user said it is.
pub(super) fn model(name: &str, lineage: Vec<Lineage>) -> ModelRecord {
    ModelRecord {
        name: name.to_owned(),
        role: ModelRole::Candidate,
        path: name.to_owned(),
        sha256: String::new(),
        bytes: 0,
        architecture: String::new(),
        tensor_types: BTreeMap::new(),
        bits_per_weight: 0.0,
        proxy_reference: false,
        lineage,
    }
}

/// The engine of a run in which only servers answer.
pub(super) fn engine() -> EngineRecord {
    EngineRecord {
        crate_version: "servers".to_owned(),
        tree_sha256: String::new(),
        system_info: "each server's own; see the findings".to_owned(),
    }
}
