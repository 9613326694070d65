//! The tensor types of ggml: ids, names, block and byte sizes. It holds facts about the
//! types, never values of a tensor; turning blocks into numbers is [`crate::decode`]'s.

use std::fmt;

/// Declares [`GgmlType`] and its table from one list, so that a new type is one line.
macro_rules! ggml_types {
    ($( $(#[$doc:meta])* $variant:ident = $id:literal, $block_len:literal, $block_bytes:literal; )*) => {
        /// A tensor type as stored in a GGUF file.
        ///
        /// The discriminant is the id in the file. Values are stored row by row, each row as a
        /// whole number of blocks of [`block_len`](Self::block_len) elements in
        /// [`block_bytes`](Self::block_bytes) bytes.
        ///
        /// Source: `enum ggml_type` and the block structs of ggml, as vendored in
        /// llama-cpp-sys-2 0.1.161.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(non_camel_case_types, reason = "the names are ggml's own")]
        #[repr(u32)]
        pub enum GgmlType {
            $( $(#[$doc])* $variant = $id, )*
        }

        impl GgmlType {
            /// Every type, by ascending id.
            pub const ALL: &[Self] = &[$( Self::$variant, )*];

            /// The name in ggml's spelling without prefix: `Q4_0`, `Q4_K`, `IQ2_XXS`.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => stringify!($variant), )* }
            }

            /// Number of consecutive elements of a row that one block holds; 1 for plain numbers.
            pub const fn block_len(self) -> u64 {
                match self { $( Self::$variant => $block_len, )* }
            }

            /// Bytes that one block takes.
            pub const fn block_bytes(self) -> u64 {
                match self { $( Self::$variant => $block_bytes, )* }
            }

            /// The type with this id; the error tells a removed id from one never known.
            pub const fn from_id(id: u32) -> Result<Self, TypeIdError> {
                match id {
                    $( $id => Ok(Self::$variant), )*
                    _ => Err(match removed_name(id) {
                        Some(name) => TypeIdError::Removed { id, name },
                        None => TypeIdError::Unknown { id },
                    }),
                }
            }
        }
    };
}

ggml_types! {
    /// IEEE 754 binary32.
    F32 = 0, 1, 4;
    /// IEEE 754 binary16.
    F16 = 1, 1, 2;
    /// 4-bit codes with one F16 scale per 32.
    Q4_0 = 2, 32, 18;
    /// 4-bit codes with F16 scale and minimum per 32.
    Q4_1 = 3, 32, 20;
    /// 5-bit codes with one F16 scale per 32.
    Q5_0 = 6, 32, 22;
    /// 5-bit codes with F16 scale and minimum per 32.
    Q5_1 = 7, 32, 24;
    /// 8-bit codes with one F16 scale per 32.
    Q8_0 = 8, 32, 34;
    /// 8-bit codes with scale and sum per 32; an intermediate of the engine.
    Q8_1 = 9, 32, 36;
    /// 2-bit codes in super-blocks of 256.
    Q2_K = 10, 256, 84;
    /// 3-bit codes in super-blocks of 256.
    Q3_K = 11, 256, 110;
    /// 4-bit codes in super-blocks of 256.
    Q4_K = 12, 256, 144;
    /// 5-bit codes in super-blocks of 256.
    Q5_K = 13, 256, 176;
    /// 6-bit codes in super-blocks of 256.
    Q6_K = 14, 256, 210;
    /// 8-bit codes with an F32 scale per 256; an intermediate of the engine.
    Q8_K = 15, 256, 292;
    /// Codebook type, 2.06 bits per weight.
    IQ2_XXS = 16, 256, 66;
    /// Codebook type, 2.31 bits per weight.
    IQ2_XS = 17, 256, 74;
    /// Codebook type, 3.06 bits per weight.
    IQ3_XXS = 18, 256, 98;
    /// Codebook type, 1.56 bits per weight.
    IQ1_S = 19, 256, 50;
    /// 4-bit codes into a fixed non-linear table, one F16 scale per 32.
    IQ4_NL = 20, 32, 18;
    /// Codebook type, 3.44 bits per weight.
    IQ3_S = 21, 256, 110;
    /// Codebook type, 2.56 bits per weight.
    IQ2_S = 22, 256, 82;
    /// 4-bit codes into a fixed non-linear table, in super-blocks of 256.
    IQ4_XS = 23, 256, 136;
    /// Signed 8-bit integer.
    I8 = 24, 1, 1;
    /// Signed 16-bit integer.
    I16 = 25, 1, 2;
    /// Signed 32-bit integer.
    I32 = 26, 1, 4;
    /// Signed 64-bit integer.
    I64 = 27, 1, 8;
    /// IEEE 754 binary64.
    F64 = 28, 1, 8;
    /// Codebook type, 1.75 bits per weight.
    IQ1_M = 29, 256, 56;
    /// The upper half of an IEEE 754 binary32.
    BF16 = 30, 1, 2;
    /// Ternary codes, 1.69 bits per weight.
    TQ1_0 = 34, 256, 54;
    /// Ternary codes, 2.06 bits per weight.
    TQ2_0 = 35, 256, 66;
    /// OCP microscaling: 4-bit floats with one shared exponent per 32.
    MXFP4 = 39, 32, 17;
    /// 4-bit floats with one 8-bit float scale per 16, four groups to a block.
    NVFP4 = 40, 64, 36;
    /// 1-bit codes with one F16 scale per 128.
    Q1_0 = 41, 128, 18;
    /// 2-bit codes with one F16 scale per 64.
    Q2_0 = 42, 64, 18;
}

/// Why a type id of a file stands for no [`GgmlType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypeIdError {
    /// ggml once had the type and gave its id up.
    #[error("type id {id} ({name}) was removed from ggml: make the file again with a current type")]
    Removed {
        /// The id in the file.
        id: u32,
        /// What the id stood for.
        name: &'static str,
    },
    /// No ggml known to this version has the type.
    #[error("type id {id} is unknown: the file is damaged, or newer than this program")]
    Unknown {
        /// The id in the file.
        id: u32,
    },
}

/// Ids that ggml gave up, with the names they had.
const fn removed_name(id: u32) -> Option<&'static str> {
    Some(match id {
        4 => "Q4_2",
        5 => "Q4_3",
        31 => "Q4_0_4_4",
        32 => "Q4_0_4_8",
        33 => "Q4_0_8_8",
        36 => "IQ4_NL_4_4",
        37 => "IQ4_NL_4_8",
        38 => "IQ4_NL_8_8",
        _ => return None,
    })
}

impl GgmlType {
    /// The id in the file.
    pub const fn id(self) -> u32 {
        self as u32
    }

    /// The type of this name, in upper or lower case (`q4_K`, `Q4_K`, `bf16`).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|ty| ty.name().eq_ignore_ascii_case(name))
    }

    /// Whether the type groups elements into blocks with shared scales.
    pub const fn is_quantized(self) -> bool {
        self.block_len() > 1
    }

    /// Bytes of a row of `row_len` elements; `None` where the row is no whole number of blocks
    /// or the size does not fit 64 bits.
    pub const fn row_bytes(self, row_len: u64) -> Option<u64> {
        if !row_len.is_multiple_of(self.block_len()) {
            return None;
        }
        (row_len / self.block_len()).checked_mul(self.block_bytes())
    }
}

impl fmt::Display for GgmlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_lead_back_to_their_type() {
        for &ty in GgmlType::ALL {
            assert_eq!(GgmlType::from_id(ty.id()), Ok(ty));
            assert_eq!(GgmlType::from_name(&ty.name().to_lowercase()), Some(ty));
        }
        assert_eq!(GgmlType::from_name("Q9_9"), None);
    }

    #[test]
    fn ids_without_a_type_say_whether_they_were_removed() {
        let removed = [4, 5, 31, 32, 33, 36, 37, 38];
        for id in 0..50 {
            match GgmlType::from_id(id) {
                Ok(ty) => assert_eq!(ty.id(), id),
                Err(TypeIdError::Removed { .. }) => assert!(removed.contains(&id), "{id}"),
                Err(TypeIdError::Unknown { .. }) => assert!(id > 42, "{id}"),
            }
        }
    }

    #[test]
    fn a_row_of_blocks_has_a_size_and_a_broken_block_has_none() {
        assert_eq!(GgmlType::Q4_0.row_bytes(256), Some(144));
        assert_eq!(GgmlType::Q6_K.row_bytes(512), Some(420));
        assert_eq!(GgmlType::Q4_0.row_bytes(33), None);
        assert_eq!(GgmlType::F64.row_bytes(u64::MAX / 4), None);
    }
}
