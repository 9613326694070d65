//! Windows of a text on their way from the worker that cuts them to the workers that score them: what
//! making tokens takes must not come on top of what the models take.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::plan::Part;
use crate::settings::RulerSpec;

/// Arguments of [`Job::Cut`](super::Job::Cut).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutJob {
    /// Model whose vocabulary makes the tokens: the same one in every job of a run.
    pub vocabulary: PathBuf,
    /// The text.
    pub text: PathBuf,
    /// How it is scored.
    pub ruler: RulerSpec,
    /// Windows wanted.
    pub windows: Vec<u32>,
    /// Which part of them.
    pub part: Part,
}

/// A window in token ids. Answer to [`Job::Cut`](super::Job::Cut), and what is scored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutWindow {
    /// Which.
    pub window_idx: u32,
    /// The text, as far as models see it or have to predict it.
    pub text: Vec<i32>,
    /// Tokens that models see.
    pub n_input: u32,
    /// What they see in place of the first one.
    pub first: Option<i32>,
    /// Positions that count, ascending.
    pub scored: Vec<u32>,
}
