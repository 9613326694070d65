//! Types of single tensors as a user gives them: a type name, or REGEX=TYPE. It never looks at a
//! file.

use karat_gguf::GgmlType;
use regex::Regex;

use crate::QuantError;
use crate::near::near;
use crate::pattern::compile;

/// Whether the engine can turn floats into this type.
///
/// Source: `ggml_quantize_chunk` of ggml as vendored in llama-cpp-sys-2 0.1.161, which aborts for
/// the others.
pub fn is_makeable(ty: GgmlType) -> bool {
    use GgmlType::{F64, I8, I16, I32, I64, Q8_1, Q8_K};
    !matches!(ty, Q8_1 | Q8_K | I8 | I16 | I32 | I64 | F64)
}

/// The tensor type of this name, upper and lower case alike.
///
/// Fails for any other name, with the names nearest to it, and for types that the engine cannot
/// make.
pub fn parse_type(name: &str) -> Result<GgmlType, QuantError> {
    let ty = GgmlType::from_name(name).ok_or_else(|| {
        let makeable = GgmlType::ALL.iter().filter(|&&ty| is_makeable(ty));
        let near = near(name, makeable.map(|ty| ty.name()));
        QuantError::UnknownTensorType { name: name.to_owned(), near }
    })?;
    if is_makeable(ty) { Ok(ty) } else { Err(QuantError::NotMakeable { ty }) }
}

/// A type for all tensors whose name a pattern finds.
#[derive(Clone, Debug)]
pub struct TensorTypeRule {
    pattern: String,
    regex: Regex,
    ty: GgmlType,
}

impl TensorTypeRule {
    /// Reads `REGEX=TYPE`, split at the first `=`.
    ///
    /// The pattern is searched in the name, not anchored, and put in lower case first, as
    /// llama-quantize does. Fails for an unknown type, and for a pattern that the engine's regular
    /// expressions (ECMAScript of C++) do not have or read in another way than the regex crate.
    pub fn parse(item: &str) -> Result<Self, QuantError> {
        let (pattern, ty) = item
            .split_once('=')
            .ok_or_else(|| QuantError::TensorTypeForm { item: item.to_owned() })?;
        Self::new(pattern, parse_type(ty.trim())?)
    }

    /// A rule of a pattern and a type; see [`Self::parse`].
    pub fn new(pattern: &str, ty: GgmlType) -> Result<Self, QuantError> {
        if !is_makeable(ty) {
            return Err(QuantError::NotMakeable { ty });
        }
        let regex = compile(pattern)
            .map_err(|fault| QuantError::Pattern { pattern: pattern.to_owned(), fault })?;
        Ok(Self { pattern: pattern.to_ascii_lowercase(), regex, ty })
    }

    /// The pattern as the engine gets it.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The type.
    pub fn ty(&self) -> GgmlType {
        self.ty
    }

    /// Whether the rule is for the tensor of this name.
    pub fn matches(&self, tensor: &str) -> bool {
        self.regex.is_match(tensor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_split_at_its_first_equals_sign_and_searched() {
        let rule = TensorTypeRule::parse(r"BLK\.[01]\.ffn_down=Q5_k").unwrap();
        assert_eq!((rule.pattern(), rule.ty()), (r"blk\.[01]\.ffn_down", GgmlType::Q5_K));
        assert!(rule.matches("blk.1.ffn_down.weight"));
        assert!(!rule.matches("blk.2.ffn_down.weight"));
    }

    #[track_caller]
    fn check(item: &str, want: &str) {
        assert_eq!(TensorTypeRule::parse(item).unwrap_err().to_string(), want);
    }

    #[test]
    fn what_is_no_rule_is_explained() {
        check("ffn_down", "`ffn_down` is no REGEX=TYPE: write it like `ffn_down=q6_K`");
        check(
            "a=q8_1",
            "no tensor can be made Q8_1: the engine has no quantizer for it; choose another type",
        );
        check("a=q4k", "`q4k` is no tensor type: did you mean Q4_K?");
        check(
            "=q4_0",
            "pattern ``: it is empty and would match every tensor: use `.` to mean that",
        );
    }
}
