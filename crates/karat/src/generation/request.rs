//! What is asked of a model: a conversation, and the terms on which it is answered. Values only; each
//! backend translates them for itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chat::Conversation;

/// Whether the model is to think before it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// As the model or its server does unasked.
    #[default]
    Default,
    /// Not at all.
    Off,
    /// Yes.
    On,
    /// As much as a level that the model knows says, e.g. `low`.
    Level(String),
}

impl Thinking {
    /// A conversation with the switches that templates know: `enable_thinking` (Qwen, Gemma and most
    /// others), `thinking` (DeepSeek, Granite), `reasoning_effort` (gpt-oss).
    pub fn switch(&self, conversation: Conversation) -> Conversation {
        let switched = |on: bool| {
            conversation.clone().with_kwarg("enable_thinking", on).with_kwarg("thinking", on)
        };
        match self {
            Self::Default => conversation,
            Self::Off => switched(false),
            Self::On => switched(true),
            Self::Level(level) => switched(true).with_kwarg("reasoning_effort", level.as_str()),
        }
    }
}

/// How the next token is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// The most likely one.
    #[default]
    Greedy,
    /// Drawn as those who made the model recommend: what its file says on the embedded engine, what
    /// the server has for it elsewhere.
    Recommended {
        /// Seed of the draw.
        seed: u32,
    },
    /// Drawn with these values.
    Values {
        /// The values.
        values: SamplingValues,
        /// Seed of the draw.
        seed: u32,
    },
}

/// Values of a draw. Missing ones are left out of it, or to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SamplingValues {
    /// Divides the logits; above 0.
    pub temperature: Option<f32>,
    /// Keep the most likely so many.
    pub top_k: Option<u32>,
    /// Keep the smallest set that holds this much probability.
    pub top_p: Option<f32>,
    /// Drop what is less likely than this share of the most likely.
    pub min_p: Option<f32>,
}

impl fmt::Display for SamplingValues {
    /// `temperature 1, top-k 64, top-p 0.95`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = [
            ("temperature", self.temperature.map(|value| value.to_string())),
            ("top-k", self.top_k.map(|value| value.to_string())),
            ("top-p", self.top_p.map(|value| value.to_string())),
            ("min-p", self.min_p.map(|value| value.to_string())),
        ];
        let given = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let told: Vec<String> = given.map(|(name, value)| format!("{name} {value}")).collect();
        f.write_str(&told.join(", "))
    }
}

impl Sampling {
    /// What a server is told: values and a seed, both missing where it is to use its own.
    pub fn told(self) -> (SamplingValues, Option<u32>) {
        match self {
            Self::Greedy => {
                (SamplingValues { temperature: Some(0.0), ..SamplingValues::default() }, None)
            }
            Self::Recommended { seed } => (SamplingValues::default(), Some(seed)),
            Self::Values { values, seed } => (values, Some(seed)),
        }
    }
}

/// What holds for every answer of a run, checked before the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Tokens of the context.
    pub n_ctx: u32,
    /// Whether to think.
    pub thinking: Thinking,
    /// How tokens are chosen.
    pub sampling: Sampling,
}

/// One question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChatRequest {
    /// Messages and tools.
    pub conversation: Conversation,
    /// Most tokens of the answer, thinking included.
    pub max_tokens: u32,
    /// On what terms.
    pub terms: Terms,
}
