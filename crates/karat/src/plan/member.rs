//! Who takes part in a pass: a model file, and how it is run.

use serde::{Deserialize, Serialize};

use crate::settings::Kv;

/// Why a member takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The yardstick.
    Reference,
    /// Under test.
    Candidate,
    /// The original once more, in a context of its own: what differs is the machine's noise.
    Rerun,
    /// The original once more, computed in smaller pieces: what differs is the order of sums.
    OtherUbatch,
}

impl Purpose {
    /// Whether it measures noise, on a few windows only.
    pub fn is_noise(self) -> bool {
        matches!(self, Self::Rerun | Self::OtherUbatch)
    }
}

/// One participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Index into the plan's models.
    pub model: usize,
    /// Type of its KV cache.
    pub kv: Kv,
    /// Tokens it computes at once.
    pub n_ubatch: u32,
    /// Why it takes part.
    pub purpose: Purpose,
}
