//! One of several values of any kind.

use serde::Deserialize;
use serde_json::Value;

use super::{Generate, Means};

/// `{ kind = "choice", of = ["red", "blue"] }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    of: Vec<Value>,
}

impl Generate for Choice {
    fn generate(&self, means: &mut Means<'_>) -> Result<Value, String> {
        means.draw.one(&self.of).cloned().ok_or_else(|| "`of` is empty".to_owned())
    }
}
