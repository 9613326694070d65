//! Where the floating-point numbers of a block lie, and what class a stored one is of: enough to
//! find NaN and infinite scales without decoding a weight. It judges nothing.

use half::{bf16, f16};

use crate::GgmlType;

/// How a number inside a block is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatFormat {
    /// IEEE 754 binary64.
    F64,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// The upper half of an IEEE 754 binary32.
    BF16,
    /// IEEE 754 binary16 in the upper four bits of four 16-bit words, lowest digit first; as the
    /// scale of IQ1_M.
    F16InNibbles,
    /// A power of two, 2^(byte - 127); 255 stands for NaN. OCP Microscaling Formats 1.0, E8M0. 253
    /// and 254 count as infinite: their products with 4-bit codes are, in F32.
    E8M0,
    /// An 8-bit float without sign, 4 bits of exponent and 3 of mantissa; 127 stands for NaN. The
    /// E4M3 of OCP 8-bit Floating Point 1.0.
    UE4M3,
}

/// What a number is to its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatRole {
    /// The weight itself: the block holds one.
    Weight,
    /// Multiplies every code of the block, or of a part of it.
    Scale,
    /// Is added to, or subtracted from, every product.
    Minimum,
}

/// A floating-point number of every block of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockFloat {
    /// Bytes from the start of the block.
    pub offset: usize,
    /// How it is stored.
    pub format: FloatFormat,
    /// What it is for.
    pub role: FloatRole,
}

/// What kind of number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatClass {
    /// None of the others.
    Normal,
    /// Zero of either sign.
    Zero,
    /// Nearer to zero than the smallest number of full precision.
    Subnormal,
    /// Infinite, of either sign.
    Infinite,
    /// Not a number.
    Nan,
}

const fn weight(format: FloatFormat) -> BlockFloat {
    BlockFloat { offset: 0, format, role: FloatRole::Weight }
}

const fn scale(offset: usize) -> BlockFloat {
    BlockFloat { offset, format: FloatFormat::F16, role: FloatRole::Scale }
}

const fn minimum(offset: usize) -> BlockFloat {
    BlockFloat { offset, format: FloatFormat::F16, role: FloatRole::Minimum }
}

const fn scale_as(offset: usize, format: FloatFormat) -> BlockFloat {
    BlockFloat { offset, format, role: FloatRole::Scale }
}

impl GgmlType {
    /// The floating-point numbers in each block of this type; none for the integer types.
    ///
    /// Scales that a super-block stores as integers are no floats and cannot be anything but
    /// finite.
    ///
    /// Source: the block structs of ggml (`ggml-common.h`), as vendored in llama-cpp-sys-2 0.1.161.
    pub const fn floats(self) -> &'static [BlockFloat] {
        const F64: &[BlockFloat] = &[weight(FloatFormat::F64)];
        const F32: &[BlockFloat] = &[weight(FloatFormat::F32)];
        const F16: &[BlockFloat] = &[weight(FloatFormat::F16)];
        const BF16: &[BlockFloat] = &[weight(FloatFormat::BF16)];
        const FIRST: &[BlockFloat] = &[scale(0)];
        const FIRST_TWO: &[BlockFloat] = &[scale(0), minimum(2)];
        const SUM: &[BlockFloat] = &[scale(0), scale(2)];
        const Q2_K: &[BlockFloat] = &[scale(80), minimum(82)];
        const Q3_K: &[BlockFloat] = &[scale(108)];
        const Q6_K: &[BlockFloat] = &[scale(208)];
        const Q8_K: &[BlockFloat] = &[scale_as(0, FloatFormat::F32)];
        const IQ1_M: &[BlockFloat] = &[scale_as(48, FloatFormat::F16InNibbles)];
        const TQ1_0: &[BlockFloat] = &[scale(52)];
        const TQ2_0: &[BlockFloat] = &[scale(64)];
        const MXFP4: &[BlockFloat] = &[scale_as(0, FloatFormat::E8M0)];
        const NVFP4: &[BlockFloat] = &[
            scale_as(0, FloatFormat::UE4M3),
            scale_as(1, FloatFormat::UE4M3),
            scale_as(2, FloatFormat::UE4M3),
            scale_as(3, FloatFormat::UE4M3),
        ];
        match self {
            Self::F64 => F64,
            Self::F32 => F32,
            Self::F16 => F16,
            Self::BF16 => BF16,
            Self::Q4_1 | Self::Q5_1 | Self::Q4_K | Self::Q5_K => FIRST_TWO,
            Self::Q8_1 => SUM,
            Self::Q2_K => Q2_K,
            Self::Q3_K => Q3_K,
            Self::Q6_K => Q6_K,
            Self::Q8_K => Q8_K,
            Self::IQ1_M => IQ1_M,
            Self::TQ1_0 => TQ1_0,
            Self::TQ2_0 => TQ2_0,
            Self::MXFP4 => MXFP4,
            Self::NVFP4 => NVFP4,
            Self::Q4_0
            | Self::Q5_0
            | Self::Q8_0
            | Self::Q1_0
            | Self::Q2_0
            | Self::IQ1_S
            | Self::IQ2_XXS
            | Self::IQ2_XS
            | Self::IQ2_S
            | Self::IQ3_XXS
            | Self::IQ3_S
            | Self::IQ4_NL
            | Self::IQ4_XS => FIRST,
            Self::I8 | Self::I16 | Self::I32 | Self::I64 => &[],
        }
    }
}

impl FloatFormat {
    /// Bytes from the start of the number to its end.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F64 | Self::F16InNibbles => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::E8M0 | Self::UE4M3 => 1,
        }
    }

    /// The class of the number at the start of `bytes`; `None` where there are too few.
    pub fn classify(self, bytes: &[u8]) -> Option<FloatClass> {
        Some(match self {
            Self::F64 => class(f64::from_le_bytes(*bytes.first_chunk()?).classify()),
            Self::F32 => class(f32::from_le_bytes(*bytes.first_chunk()?).classify()),
            Self::F16 => class(f16::from_le_bytes(*bytes.first_chunk()?).classify()),
            Self::BF16 => class(bf16::from_le_bytes(*bytes.first_chunk()?).classify()),
            Self::F16InNibbles => {
                let [.., a, _, b, _, c, _, d] = *bytes.first_chunk::<8>()?;
                class(f16::from_bits(nibbles([a, b, c, d])).classify())
            }
            Self::E8M0 => match bytes.first()? {
                255 => FloatClass::Nan,
                253 | 254 => FloatClass::Infinite,
                _ => FloatClass::Normal,
            },
            Self::UE4M3 => match bytes.first()? & 0x7f {
                0x7f => FloatClass::Nan,
                0 => FloatClass::Zero,
                1..8 => FloatClass::Subnormal,
                _ => FloatClass::Normal,
            },
        })
    }
}

/// The four upper halves of the words' upper bytes, the first word's lowest.
fn nibbles(upper_bytes: [u8; 4]) -> u16 {
    upper_bytes.iter().rev().fold(0, |bits, byte| bits << 4 | u16::from(byte >> 4))
}

fn class(category: std::num::FpCategory) -> FloatClass {
    match category {
        std::num::FpCategory::Nan => FloatClass::Nan,
        std::num::FpCategory::Infinite => FloatClass::Infinite,
        std::num::FpCategory::Zero => FloatClass::Zero,
        std::num::FpCategory::Subnormal => FloatClass::Subnormal,
        std::num::FpCategory::Normal => FloatClass::Normal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_float_lies_inside_its_block() {
        for &ty in GgmlType::ALL {
            for float in ty.floats() {
                let end = float.offset + float.format.bytes();
                assert!(end as u64 <= ty.block_bytes(), "{ty}");
            }
        }
    }

    #[test]
    fn only_integers_have_no_floats() {
        let none = GgmlType::ALL.iter().filter(|ty| ty.floats().is_empty());
        let names: Vec<_> = none.map(|ty| ty.name()).collect();
        assert_eq!(names, ["I8", "I16", "I32", "I64"]);
    }

    #[track_caller]
    fn check(format: FloatFormat, bytes: &[u8], class: FloatClass) {
        assert_eq!(format.classify(bytes), Some(class));
        assert_eq!(format.classify(&bytes[1..]), None, "too few bytes");
    }

    #[test]
    fn numbers_are_told_apart() {
        use FloatClass::{Infinite, Nan, Normal, Subnormal, Zero};
        check(FloatFormat::F16, &[0x00, 0x80], Zero);
        check(FloatFormat::F16, &[0xff, 0x03], Subnormal);
        check(FloatFormat::F16, &[0x00, 0x04], Normal);
        check(FloatFormat::F16, &[0x00, 0xfc], Infinite);
        check(FloatFormat::F16, &[0x01, 0x7c], Nan);
        check(FloatFormat::BF16, &[0x80, 0x7f], Infinite);
        check(FloatFormat::BF16, &[0x81, 0xff], Nan);
        check(FloatFormat::F32, &f32::NAN.to_le_bytes(), Nan);
        check(FloatFormat::F64, &f64::MIN_POSITIVE.to_le_bytes(), Normal);
        check(FloatFormat::E8M0, &[255], Nan);
        check(FloatFormat::E8M0, &[0], Normal);
        check(FloatFormat::UE4M3, &[0x7f], Nan);
        check(FloatFormat::UE4M3, &[0x07], Subnormal);
        check(FloatFormat::UE4M3, &[0x08], Normal);
    }

    #[test]
    fn a_scale_in_nibbles_is_put_together() {
        // 0x7c01, its lowest digit in the first word.
        let words = [0x1abc_u16, 0x0fff, 0xc000, 0x7123].map(u16::to_le_bytes).concat();
        check(FloatFormat::F16InNibbles, &words, FloatClass::Nan);
        let words = [0x0abc_u16, 0x0fff, 0xc000, 0x7123].map(u16::to_le_bytes).concat();
        check(FloatFormat::F16InNibbles, &words, FloatClass::Infinite);
    }
}
