//! The plan of a run: one part per instrument that takes part, in the order they run.

use serde::{Deserialize, Serialize};

use super::{FidelityPlan, MemoryPlan, SpeedPlan};

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
}
