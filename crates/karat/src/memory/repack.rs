//! Which weights the engine keeps a second time, rearranged for the processor's matrix instructions.
//!
//! Source: `ggml_repack_get_optimal_repack_type` of ggml (`ggml-cpu/repack.cpp`), for x86 and ARM.

use karat_gguf::GgmlType;
use serde::{Deserialize, Serialize};

/// What a processor can do about it, as far as repacking depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Repack {
    /// Nothing is repacked.
    #[default]
    Off,
    /// x86 with AVX2.
    Avx2,
    /// x86 with AVX-512.
    Avx512,
    /// ARM with dot products (with or without 8-bit matrix instructions).
    ArmDot,
}

impl Repack {
    /// Reads the engine's own line on instruction sets.
    pub fn from_system_info(line: &str) -> Self {
        let has = |name: &str| line.contains(&format!("{name} = 1"));
        if !has("REPACK") {
            Self::Off
        } else if has("AVX512") {
            Self::Avx512
        } else if has("AVX2") {
            Self::Avx2
        } else if has("DOTPROD") || has("MATMUL_INT8") {
            Self::ArmDot
        } else {
            Self::Off
        }
    }

    /// Whether a matrix of this type with this many rows is repacked.
    pub(super) fn takes(self, ty: GgmlType, rows: u64) -> bool {
        let multiple = match self {
            Self::Off => return false,
            Self::Avx2 | Self::Avx512 => match ty {
                GgmlType::Q4_0 | GgmlType::Q4_K | GgmlType::IQ4_NL | GgmlType::MXFP4 => 8,
                GgmlType::Q2_K if self == Self::Avx512 => 8,
                _ => return false,
            },
            Self::ArmDot => match ty {
                GgmlType::Q4_0
                | GgmlType::Q8_0
                | GgmlType::IQ4_NL
                | GgmlType::MXFP4
                | GgmlType::Q1_0 => 4,
                GgmlType::Q4_K | GgmlType::Q5_K | GgmlType::Q6_K => 8,
                _ => return false,
            },
        };
        rows.is_multiple_of(multiple)
    }
}
