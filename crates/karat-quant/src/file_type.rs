//! The file types that can be asked for: names, numbers, and what they are made of. It never
//! decides the type of a tensor; that is [`crate::recipe`]'s and the engine's.

use std::fmt;

use karat_gguf::GgmlType;
use karat_llama::FileType;

use crate::QuantError;
use crate::near::near;

/// A file type as llama-quantize names it: a recipe of tensor types, not one type.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileTypeName {
    /// Name, in llama-quantize's spelling.
    pub name: &'static str,
    /// Number in `general.file_type` (`llama_ftype`).
    pub id: u32,
    /// Type of the tensors that the recipe does not treat specially.
    pub default_type: GgmlType,
    /// Whether tensors are copied as they are, and `id` is the input's.
    pub copies: bool,
    /// The file type that this is another name of.
    pub alias_of: Option<&'static str>,
    /// Whether the recipe has types for matrices that cannot do without an importance matrix.
    pub needs_imatrix: bool,
    /// What it is, in a few words.
    pub help: &'static str,
}

impl FileTypeName {
    /// The file type of this name, upper and lower case alike.
    ///
    /// Fails for any other name, with the names nearest to it. Numbers are not taken: llama-quantize
    /// reads any name that begins with a digit as one.
    pub fn parse(name: &str) -> Result<&'static Self, QuantError> {
        FILE_TYPES.iter().find(|ty| ty.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
            QuantError::UnknownFileType {
                name: name.to_owned(),
                near: near(name, FILE_TYPES.iter().map(|ty| ty.name)),
            }
        })
    }

    /// The file type of this number in `general.file_type`; never an alias, never `COPY`.
    pub fn from_id(id: u32) -> Option<&'static Self> {
        FILE_TYPES.iter().find(|ty| ty.id == id && ty.alias_of.is_none() && !ty.copies)
    }

    /// Bits per weight of [`Self::default_type`], scales included. A file takes more where its
    /// recipe raises some tensors; `None` for `COPY`.
    pub fn default_bits(&self) -> Option<f64> {
        let ty = self.default_type;
        (!self.copies).then(|| ty.block_bytes() as f64 * 8.0 / ty.block_len() as f64)
    }

    /// The engine's number.
    pub(crate) fn engine(&self) -> FileType {
        FileType(self.id)
    }
}

impl fmt::Display for FileTypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

const fn entry(
    name: &'static str,
    id: u32,
    default_type: GgmlType,
    help: &'static str,
) -> FileTypeName {
    let (copies, alias_of, needs_imatrix) = (false, None, false);
    FileTypeName { name, id, default_type, copies, alias_of, needs_imatrix, help }
}

const fn imatrix(
    name: &'static str,
    id: u32,
    default_type: GgmlType,
    help: &'static str,
) -> FileTypeName {
    FileTypeName { needs_imatrix: true, ..entry(name, id, default_type, help) }
}

const fn alias(name: &'static str, id: u32, ty: GgmlType, of: &'static str) -> FileTypeName {
    FileTypeName { alias_of: Some(of), ..entry(name, id, ty, "another name") }
}

/// Every file type that llama-quantize knows, in its order.
///
/// Source: `QUANT_OPTIONS` of llama-quantize as of llama.cpp 0c1e57098, default types and need of
/// an importance matrix from `llama-quant.cpp` as vendored in llama-cpp-sys-2 0.1.161.
pub const FILE_TYPES: &[FileTypeName] = &[
    entry("Q1_0", 40, GgmlType::Q1_0, "signs alone, one scale per 128"),
    entry("Q2_0", 41, GgmlType::Q2_0, "2-bit codes, one scale per 64"),
    entry("Q4_0", 2, GgmlType::Q4_0, "4-bit codes, one scale per 32; output in Q6_K"),
    entry("Q4_1", 3, GgmlType::Q4_1, "4-bit codes, scale and minimum per 32; output in Q6_K"),
    entry("MXFP4_MOE", 38, GgmlType::MXFP4, "experts in 4-bit floats, the rest in Q8_0"),
    entry("Q5_0", 8, GgmlType::Q5_0, "5-bit codes, one scale per 32; output in Q6_K"),
    entry("Q5_1", 9, GgmlType::Q5_1, "5-bit codes, scale and minimum per 32; output in Q6_K"),
    imatrix("IQ2_XXS", 19, GgmlType::IQ2_XXS, "2-bit codebook, smallest"),
    imatrix("IQ2_XS", 20, GgmlType::IQ2_XS, "2-bit codebook, small"),
    imatrix("IQ2_S", 28, GgmlType::IQ2_XS, "2-bit codebook, some tensors in IQ3_S"),
    imatrix("IQ2_M", 29, GgmlType::IQ2_S, "2-bit codebook, finer, some tensors in IQ3_S"),
    imatrix("IQ1_S", 24, GgmlType::IQ1_S, "1-bit codebook, smallest"),
    imatrix("IQ1_M", 31, GgmlType::IQ1_M, "1-bit codebook, finer"),
    entry("TQ1_0", 36, GgmlType::TQ1_0, "ternary codes, packed tightly, for ternary models"),
    entry("TQ2_0", 37, GgmlType::TQ2_0, "ternary codes, packed for speed, for ternary models"),
    entry("Q2_K", 10, GgmlType::Q2_K, "2-bit super-blocks, some tensors in Q3_K and Q4_K"),
    imatrix("Q2_K_S", 21, GgmlType::Q2_K, "2-bit super-blocks, few tensors raised"),
    imatrix("IQ3_XXS", 23, GgmlType::IQ3_XXS, "3-bit codebook, smallest"),
    entry("IQ3_S", 26, GgmlType::IQ3_S, "3-bit codebook"),
    entry("IQ3_M", 27, GgmlType::IQ3_S, "3-bit codebook, some tensors in Q4_K"),
    alias("Q3_K", 12, GgmlType::Q3_K, "Q3_K_M"),
    imatrix("IQ3_XS", 22, GgmlType::IQ3_S, "3-bit codebook, some tensors in IQ3_XXS"),
    entry("Q3_K_S", 11, GgmlType::Q3_K, "3-bit super-blocks, output in Q6_K"),
    entry("Q3_K_M", 12, GgmlType::Q3_K, "3-bit super-blocks, some tensors in Q4_K and Q5_K"),
    entry("Q3_K_L", 13, GgmlType::Q3_K, "3-bit super-blocks, more tensors in Q5_K"),
    entry("IQ4_NL", 25, GgmlType::IQ4_NL, "4-bit codes into a non-linear table, scale per 32"),
    entry("IQ4_XS", 30, GgmlType::IQ4_XS, "4-bit codes into a non-linear table, super-blocks"),
    alias("Q4_K", 15, GgmlType::Q4_K, "Q4_K_M"),
    entry("Q4_K_S", 14, GgmlType::Q4_K, "4-bit super-blocks, few tensors in Q5_K"),
    entry("Q4_K_M", 15, GgmlType::Q4_K, "4-bit super-blocks, half of attn_v and ffn_down in Q6_K"),
    alias("Q5_K", 17, GgmlType::Q5_K, "Q5_K_M"),
    entry("Q5_K_S", 16, GgmlType::Q5_K, "5-bit super-blocks, output in Q6_K"),
    entry("Q5_K_M", 17, GgmlType::Q5_K, "5-bit super-blocks, half of attn_v and ffn_down in Q6_K"),
    entry("Q6_K", 18, GgmlType::Q6_K, "6-bit super-blocks"),
    entry("Q8_0", 7, GgmlType::Q8_0, "8-bit codes, one scale per 32"),
    entry("F16", 1, GgmlType::F16, "16-bit floats, narrow range"),
    entry("BF16", 32, GgmlType::BF16, "16-bit floats, range of F32"),
    entry("F32", 0, GgmlType::F32, "32-bit floats"),
    FileTypeName { copies: true, ..entry("COPY", 0, GgmlType::F32, "tensors as they are") },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, id: u32) {
        assert_eq!(FileTypeName::parse(name).unwrap().id, id);
    }

    #[test]
    fn names_are_found_in_any_case() {
        check("q4_k_m", 15);
        check("Q4_K", 15);
        check("iq2_XXS", 19);
        check("mxfp4_moe", 38);
    }

    #[test]
    fn names_are_unique_and_aliases_mean_what_they_name() {
        for (i, ty) in FILE_TYPES.iter().enumerate() {
            assert!(!FILE_TYPES[..i].iter().any(|other| other.name == ty.name), "{ty}");
            if let Some(of) = ty.alias_of {
                let named = FileTypeName::parse(of).unwrap();
                assert_eq!((named.id, named.default_type), (ty.id, ty.default_type));
                assert_eq!(FileTypeName::from_id(ty.id), Some(named));
            }
        }
    }

    #[test]
    fn number_zero_means_f32_and_never_copy() {
        assert_eq!(FileTypeName::from_id(0).unwrap().name, "F32");
        assert!(FileTypeName::parse("copy").unwrap().copies);
    }

    #[test]
    fn an_unknown_name_is_answered_with_near_ones() {
        let line = FileTypeName::parse("Q4KM").unwrap_err().to_string();
        assert_eq!(line, "`Q4KM` is no file type: did you mean Q4_K_M?");
        let line = FileTypeName::parse("15").unwrap_err().to_string();
        assert!(line.starts_with("`15` is no file type: they are named like"), "{line}");
    }
}
