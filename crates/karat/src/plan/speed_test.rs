//! What one test of a speed run times, and what one process brings back.

use serde::{Deserialize, Serialize};

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestKind {
    /// Prompt processing: many tokens at once.
    Pp,
    /// Token generation: one token after another.
    Tg,
}

/// One test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpeedTest {
    /// What is timed.
    pub kind: TestKind,
    /// Tokens processed or generated.
    pub n_tokens: u32,
    /// Tokens in the KV cache before.
    pub depth: u32,
}

impl SpeedTest {
    /// `pp512`, `tg128`: llama-bench's names.
    pub fn scope(&self) -> String {
        let kind = match self.kind {
            TestKind::Pp => "pp",
            TestKind::Tg => "tg",
        };
        format!("{kind}{}", self.n_tokens)
    }

    /// `pp512`, or `pp512 at depth 4096`.
    pub fn title(&self) -> String {
        match self.depth {
            0 => self.scope(),
            depth => format!("{} at depth {depth}", self.scope()),
        }
    }

    /// Tokens the context has to hold.
    pub fn n_ctx(&self) -> u64 {
        u64::from(self.depth) + u64::from(self.n_tokens)
    }
}

/// What one process measured: one model in one block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpeedSample {
    /// Nanoseconds of each timed pass, `[test][rep]`.
    pub pass_ns: Vec<Vec<u64>>,
    /// Seconds to load the model.
    pub load_seconds: f64,
    /// The machine before the first timed pass and after the last one.
    pub conditions: [Conditions; 2],
    /// Share of all processors' time that other processes took while this one measured.
    pub others_share: Option<f64>,
}

impl SpeedSample {
    /// Tokens per second of a test, all passes together; `None` where it was not timed.
    pub fn rate(&self, test: usize, n_tokens: u32) -> Option<f64> {
        let passes = self.pass_ns.get(test)?;
        let total: u64 = passes.iter().sum();
        let tokens = f64::from(n_tokens) * passes.len() as f64;
        (total > 0).then(|| tokens * 1e9 / total as f64)
    }
}

/// What else moves a rate, as far as the system tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    /// Mean clock of the processors, MHz.
    pub clock_mhz: Option<f64>,
    /// Highest temperature of any sensor, °C.
    pub celsius: Option<f64>,
}
