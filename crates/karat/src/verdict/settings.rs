//! What the answers depend on besides the rows.

use crate::record::Margins;

/// What the answers depend on besides the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct VerdictSettings {
    /// Level of the run: all claims together are wrong with probability 1 - level at most.
    pub level: f64,
    /// What a loss has to reach to matter.
    pub margins: Margins,
    /// Bytes of memory that a build has to fit, where that is asked.
    pub vram: Option<u64>,
    /// Context that it has to fit with, in tokens; without it the largest that was looked at.
    pub n_ctx: Option<u32>,
    /// Texts whose windows decided themselves when to stop, so that most figures have no interval.
    pub stopped_early: Vec<String>,
}

impl VerdictSettings {
    /// Usual margins, and nothing that has to fit.
    pub fn at_level(level: f64) -> Self {
        Self {
            level,
            margins: Margins::default(),
            vram: None,
            n_ctx: None,
            stopped_early: Vec::new(),
        }
    }
}
