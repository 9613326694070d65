//! What the answers depend on besides the rows.

/// Losses that do not matter to whoever asks: declared before the data are seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margins {
    /// Of the pass rate, a share: 0.05 is five points.
    pub pass_rate: f64,
    /// Of ln perplexity: 0.01 is about one per cent.
    pub ln_ppl: f64,
    /// Of the mean KLD to the original, in nats.
    pub kld: f64,
}

impl Default for Margins {
    /// Five points, one per cent, a hundredth of a nat.
    fn default() -> Self {
        Self { pass_rate: 0.05, ln_ppl: 0.01, kld: 0.01 }
    }
}

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
}

impl VerdictSettings {
    /// Usual margins, and nothing that has to fit.
    pub fn at_level(level: f64) -> Self {
        Self { level, margins: Margins::default(), vram: None, n_ctx: None }
    }
}
