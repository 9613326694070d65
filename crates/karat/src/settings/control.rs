//! Settings of a speed run over servers.

use std::path::PathBuf;
use std::time::Duration;

use super::speed::{check_blocks, check_roles};
use super::{ModelName, SpeedSettingsError};

/// Tokens of the context, unless told: room for a control prompt and its answer, and no more.
pub const DEFAULT_CONTROL_CTX: u32 = 4096;
/// Most tokens of an answer, unless told; the built-in prompt takes some 300 to 600.
pub const DEFAULT_CONTROL_TOKENS: u32 = 1024;

/// What to ask of whom.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlSettings {
    /// Models in the order of the report, all of them on servers.
    pub models: Vec<ModelName>,
    /// Text that is sent; the built-in prompt where missing.
    pub prompt: Option<PathBuf>,
    /// Tokens of the context.
    pub n_ctx: u32,
    /// Most tokens of an answer, thinking included.
    pub max_tokens: u32,
    /// Blocks.
    pub blocks: u32,
    /// The longest that a server may take for one answer.
    pub answer_timeout: Duration,
    /// Model made from the QAT checkpoint.
    pub qat: Option<ModelName>,
    /// Model that is the original, plainly rounded to the same tensor types.
    pub twin: Option<ModelName>,
    /// Ask all blocks anew, whatever an earlier run has.
    pub fresh: bool,
    /// Seed of the orders.
    pub seed: u64,
    /// Confidence level of the intervals.
    pub level: f64,
}

impl ControlSettings {
    /// Checks what can be checked without asking a server.
    pub fn checked(self) -> Result<Self, SpeedSettingsError> {
        check_blocks(self.blocks, self.level)?;
        if self.max_tokens >= self.n_ctx {
            return Err(SpeedSettingsError::NoRoom {
                max_tokens: self.max_tokens,
                n_ctx: self.n_ctx,
            });
        }
        for (index, model) in self.models.iter().enumerate() {
            if self.models[..index].contains(model) {
                return Err(SpeedSettingsError::Twice(model.to_string()));
            }
        }
        let roles = (self.qat.as_ref(), self.twin.as_ref());
        check_roles(&self.models, roles, ModelName::eq, ModelName::to_string)?;
        Ok(self)
    }
}
