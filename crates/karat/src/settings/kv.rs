//! Element types of the KV cache.

use std::fmt;
use std::str::FromStr;

use karat_gguf::GgmlType;
use serde::{Deserialize, Serialize};

/// Element type of the KV cache, K and V alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kv {
    /// 32-bit floats.
    F32,
    /// 16-bit floats, every runner's default.
    #[default]
    F16,
    /// bfloat16.
    Bf16,
    /// 8.5 bits per element.
    Q8_0,
    /// 5.5 bits per element.
    Q5_0,
    /// 4.5 bits per element.
    Q4_0,
}

impl Kv {
    const ALL: [Self; 6] = [Self::F32, Self::F16, Self::Bf16, Self::Q8_0, Self::Q5_0, Self::Q4_0];

    /// The same type in a GGUF file's terms.
    pub fn ggml_type(self) -> GgmlType {
        match self {
            Self::F32 => GgmlType::F32,
            Self::F16 => GgmlType::F16,
            Self::Bf16 => GgmlType::BF16,
            Self::Q8_0 => GgmlType::Q8_0,
            Self::Q5_0 => GgmlType::Q5_0,
            Self::Q4_0 => GgmlType::Q4_0,
        }
    }

    /// The name that runners use.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Q8_0 => "q8_0",
            Self::Q5_0 => "q5_0",
            Self::Q4_0 => "q4_0",
        }
    }
}

impl fmt::Display for Kv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kv {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = |kv: &Self| kv.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(wanted).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no KV cache type is called that; there are {names}")
        })
    }
}
