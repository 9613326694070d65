//! `--gpu-layers N|all`.

use std::str::FromStr;

/// Layers on the GPU; `None` for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuLayersArg(pub Option<u32>);

impl FromStr for GpuLayersArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("all") {
            return Ok(Self(None));
        }
        text.parse().map(|count| Self(Some(count))).map_err(|_| "give a number or `all`".to_owned())
    }
}
