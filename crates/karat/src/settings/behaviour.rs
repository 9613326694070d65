//! What a behaviour run is asked for: models, tasks, terms.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ModelName;
use crate::generation::{SamplingValues, Thinking};

/// Repeats of the quick suite; every one is scored.
pub const QUICK_REPEATS: u32 = 3;
/// Of a larger suite, one in so many instances is asked once more, to see how often a build differs
/// from itself.
pub const RERUN_EVERY: usize = 10;

/// Which tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuiteSpec {
    /// The bundled suite.
    pub name: SuiteName,
    /// A folder of task files instead.
    pub folder: Option<PathBuf>,
    /// Only these families, in this order; empty for all.
    pub only: Vec<String>,
    /// Values in the place of drawn ones, by name, e.g. `log_tokens`.
    pub fixed: BTreeMap<String, Value>,
    /// Most tokens of every answer, in place of what the files say.
    pub max_tokens: Option<u32>,
    /// Seed of everything drawn.
    pub seed: u64,
}

/// A bundled suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuiteName {
    /// Six families, one instance of each.
    Quick,
    /// Every family, many instances.
    Full,
}

/// How tokens are chosen, as asked on the command line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SamplingChoice {
    /// The likeliest one.
    Greedy,
    /// As those who made the model recommend.
    Recommended,
    /// With these values.
    Given(SamplingValues),
}

/// Settings of a behaviour run.
#[derive(Clone, Debug, PartialEq)]
pub struct BehaviourSettings {
    /// Models in the order given.
    pub models: Vec<ModelName>,
    /// Which tasks.
    pub suite: SuiteSpec,
    /// Times that each instance is asked; by the suite where missing.
    pub repeats: Option<u32>,
    /// Tokens of the context; the smallest trained one, at most 32,768, where missing.
    pub n_ctx: Option<u32>,
    /// Whether to think.
    pub thinking: Thinking,
    /// Token budgets whose accuracy is asked for, ascending; the largest is run.
    pub budgets: Vec<u32>,
    /// How tokens are chosen.
    pub sampling: SamplingChoice,
    /// Engine threads.
    pub n_threads: u32,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
    /// A worker that says nothing for this long hangs.
    pub worker_timeout: Duration,
    /// The longest that a server may take for one answer.
    pub answer_timeout: Duration,
    /// Ask servers everything, even where an earlier run was stopped half-way.
    pub fresh: bool,
    /// Confidence level of the intervals.
    pub level: f64,
}

/// Settings that make no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BehaviourSettingsError {
    /// The level.
    #[error("--level {0} is no confidence level; give one between 0.5 and 1, e.g. 0.95")]
    Level(f64),
    /// A budget of nothing.
    #[error("--thinking-budget 0: an answer takes at least one token")]
    NoBudget,
    /// Two ways to say the same.
    #[error(
        "--thinking-budget and --max-tokens both limit an answer; the largest budget is what is run, \
         so leave --max-tokens out"
    )]
    BudgetAndLimit,
    /// Truncating a drawn answer would not be what a smaller budget gives.
    #[error(
        "--thinking-budget reads smaller budgets off one greedy answer, which one that is drawn \
         (--sampling recommended, --temperature) is not; leave one of them out"
    )]
    BudgetOfSampled,
    /// A model twice.
    #[error("`{0}` is given twice")]
    Twice(String),
}

impl BehaviourSettings {
    /// The settings with budgets in order, where they make sense.
    pub fn checked(mut self) -> Result<Self, BehaviourSettingsError> {
        if !(self.level > 0.5 && self.level < 1.0) {
            return Err(BehaviourSettingsError::Level(self.level));
        }
        if self.budgets.contains(&0) {
            return Err(BehaviourSettingsError::NoBudget);
        }
        self.budgets.sort_unstable();
        self.budgets.dedup();
        if let Some(&largest) = self.budgets.last() {
            if self.suite.max_tokens.is_some() {
                return Err(BehaviourSettingsError::BudgetAndLimit);
            }
            if self.sampling != SamplingChoice::Greedy {
                return Err(BehaviourSettingsError::BudgetOfSampled);
            }
            self.suite.max_tokens = Some(largest);
        }
        for (index, model) in self.models.iter().enumerate() {
            if self.models[..index].contains(model) {
                return Err(BehaviourSettingsError::Twice(model.to_string()));
            }
        }
        Ok(self)
    }
}
