//! Tokens at which a build is far from the original, with what both expected there.
//! Owns their form in a run document; never finds them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A next token that a model holds likely.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LikelyToken {
    /// Its text; bytes that are no UTF-8 by themselves as `<0xC4>`.
    pub text: String,
    /// Its probability.
    pub probability: f64,
}

/// A scored token where it stands, and what both models expected there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenInContext {
    /// Position in the window whose prediction it is; the target is the token after it.
    pub position: u32,
    /// About 24 tokens up to that position, as text.
    pub context: String,
    /// The token that really follows.
    pub target: String,
    /// KL(reference ‖ candidate) at the position, in nats; missing where it is infinite.
    pub kld: Option<f64>,
    /// Negative log-likelihood of the target to the reference, in nats; missing where infinite.
    pub nll_reference: Option<f64>,
    /// The same to the candidate.
    pub nll_candidate: Option<f64>,
    /// The reference's five likeliest tokens, likeliest first.
    pub top_reference: Vec<LikelyToken>,
    /// The candidate's.
    pub top_candidate: Vec<LikelyToken>,
}

/// One of the tokens at which a candidate is farthest from the original.
///
/// All texts in it come from the text file and the vocabulary as they are, control characters included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorstToken {
    /// The build under test, by its short name.
    pub candidate: String,
    /// The original, by its short name.
    pub reference: String,
    /// Text it stands in.
    pub scope: String,
    /// Settings that are part of the ruler, as in the rows.
    pub setting: BTreeMap<String, String>,
    /// Window of the text, from 0.
    pub window: u32,
    /// The token.
    #[serde(flatten)]
    pub token: TokenInContext,
}
