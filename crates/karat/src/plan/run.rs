//! The plan of a run: one part per instrument that takes part, in the order they run.

use serde::{Deserialize, Serialize};

use crate::record::Margins;

use super::{BehaviourPlan, ControlPlan, FidelityPlan, MemoryPlan, SpeedPlan};

/// What a run will do. Each part is complete in itself, with the models it measures, so that a part
/// can be read without the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunPlan {
    /// Distance from the original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fidelity: Option<FidelityPlan>,
    /// What builds take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryPlan>,
    /// Rates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<SpeedPlan>,
    /// Rates over servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlPlan>,
    /// What builds do with tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behaviour: Option<BehaviourPlan>,
    /// From where on a loss matters to the answers.
    #[serde(default)]
    pub margins: Margins,
    /// What a build has to fit, for the answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fits: Option<FitAsk>,
}

/// Memory that a build has to fit, with a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FitAsk {
    /// Bytes.
    pub vram: u64,
    /// Tokens of the context; the largest that was looked at where missing.
    pub n_ctx: Option<u32>,
}
