//! A tensor type in the file's name, or in `general.file_type`, that the table of tensors does not
//! bear out: "named Q4_0, but 3 tensors are Q4_1".

use std::collections::BTreeMap;

use karat_gguf::{GgmlType, Tensor};
use karat_quant::{FILE_TYPES, FileTypeName};

use super::{Oddity, Subject, count, note, some_of, warning};
use crate::anatomy::shown::name_text;

const FILE_TYPE: &str = "general.file_type";

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let named = type_in_name(&subject.file_name);
    let mut oddities = Vec::new();
    let value = subject.header.metadata().get(FILE_TYPE);
    let keyed = match &subject.mix.file_type {
        None if value.is_some() => {
            let found = value.map_or("nothing", |value| value.value_type().name());
            let message = format!("`{FILE_TYPE}` is of type {found}, it should be a whole number");
            oddities.push(warning("file_type", message));
            None
        }
        None if subject.shape.is_model() && subject.mix.tensors > 0 => {
            let message = "`general.file_type` is missing: the table of tensors alone says what \
                           the types are";
            oddities.push(note("file_type", message.to_owned()));
            None
        }
        None => None,
        Some(file_type) => {
            if file_type.name.is_none() {
                let message =
                    format!("`general.file_type` is {}, which is no known type", file_type.id);
                oddities.push(warning("file_type", message));
            }
            file_type.name.and_then(|name| FileTypeName::parse(name).ok())
        }
    };
    if let (Some(named), Some(keyed)) = (named, keyed)
        && named.id != keyed.id
    {
        let message = format!("named {named}, but `general.file_type` says {keyed}");
        oddities.push(warning("type_label", message));
    }
    let same = named.is_some_and(|named| keyed.is_some_and(|keyed| keyed.id == named.id));
    let labels = [
        named.map(|named| (named, format!("named {named}"))),
        keyed.filter(|_| !same).map(|keyed| (keyed, format!("`general.file_type` says {keyed}"))),
    ];
    for (label, said) in labels.into_iter().flatten() {
        oddities.extend(contradiction(subject.header.tensors(), label, &said));
    }
    oddities
}

/// The longest name of a file type in a file's name, set apart from its neighbours.
fn type_in_name(file_name: &str) -> Option<&'static FileTypeName> {
    let upper = file_name.to_ascii_uppercase();
    let is_apart = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
    let is_there = |name: &str| {
        upper.match_indices(name).any(|(at, _)| {
            is_apart(upper[..at].chars().next_back())
                && is_apart(upper[at + name.len()..].chars().next())
        })
    };
    let found = FILE_TYPES.iter().filter(|ty| !ty.copies && is_there(ty.name));
    found.max_by_key(|ty| ty.name.len())
}

/// What the table of tensors says against a label.
fn contradiction(tensors: &[Tensor], label: &FileTypeName, said: &str) -> Option<Oddity> {
    let matrices: Vec<&Tensor> = tensors.iter().filter(|tensor| is_weight_matrix(tensor)).collect();
    let ty = label.default_type;
    if matrices.is_empty() || label.copies {
        return None;
    }
    if !matrices.iter().any(|tensor| tensor.ty == ty) {
        let most = most_common(&matrices)?;
        return Some(warning(
            "type_label",
            format!("{said}, but no matrix of a layer is {ty}; most are {most}"),
        ));
    }
    // A mix of types is what the other recipes are.
    if !is_plain(label) {
        return None;
    }
    let mut others: BTreeMap<GgmlType, Vec<String>> = BTreeMap::new();
    for tensor in matrices.iter().filter(|tensor| tensor.ty != ty && tensor.ty != GgmlType::F32) {
        others.entry(tensor.ty).or_default().push(name_text(&tensor.name));
    }
    if others.is_empty() {
        return None;
    }
    let parts: Vec<String> = others
        .iter()
        .map(|(other, names)| {
            let verb = if names.len() == 1 { "is" } else { "are" };
            format!("{} {verb} {other} ({})", count(names.len(), "tensor"), some_of(names, 2))
        })
        .collect();
    Some(warning("type_label", format!("{said}, but {}", parts.join(", "))))
}

/// Whether the recipe stores all matrices of the layers in one type.
fn is_plain(label: &FileTypeName) -> bool {
    label.name == label.default_type.name()
        && !matches!(
            label.default_type,
            GgmlType::Q2_K | GgmlType::Q3_K | GgmlType::Q4_K | GgmlType::Q5_K
        )
        && !label.needs_imatrix
        && !matches!(label.default_type, GgmlType::IQ3_S | GgmlType::IQ4_XS)
}

/// A matrix inside a layer. Embedding and output are stored apart by most recipes.
fn is_weight_matrix(tensor: &Tensor) -> bool {
    tensor.dims.len() > 1 && tensor.name.contains("blk.") && tensor.name.ends_with(".weight")
}

fn most_common(matrices: &[&Tensor]) -> Option<GgmlType> {
    let mut counts: BTreeMap<GgmlType, usize> = BTreeMap::new();
    for tensor in matrices {
        *counts.entry(tensor.ty).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, n)| *n).map(|(ty, _)| ty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file_name: &str, want: Option<&str>) {
        assert_eq!(type_in_name(file_name).map(|ty| ty.name), want);
    }

    #[test]
    fn a_type_in_a_name_stands_apart() {
        check("gemma-3-12b-it-Q4_K_M.gguf", Some("Q4_K_M"));
        check("gemma-3-12b-it-q4_0.gguf", Some("Q4_0"));
        check("model.IQ4_XS.gguf", Some("IQ4_XS"));
        check("lab-base-bf16.gguf", Some("BF16"));
        check("BF16/model-00001-of-00002.gguf", Some("BF16"));
        check("Llama-UD-Q4_K_XL.gguf", None);
        check("xQ4_0.gguf", None);
        check("gemma-3.gguf", None);
        check("zażółć-Q8_0.gguf", Some("Q8_0"));
    }

    #[test]
    fn mixes_are_not_plain() {
        let is_plain_name = |name| is_plain(FileTypeName::parse(name).unwrap());
        for name in ["Q4_0", "Q8_0", "Q6_K", "F16", "BF16", "IQ4_NL", "TQ1_0"] {
            assert!(is_plain_name(name), "{name}");
        }
        for name in ["Q4_K_M", "Q2_K", "Q4_K", "IQ3_S", "MXFP4_MOE", "IQ2_XXS", "IQ4_XS"] {
            assert!(!is_plain_name(name), "{name}");
        }
    }
}
