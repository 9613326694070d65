//! Checks the input of a job before the engine sees it: a model, with tensors that can be made what
//! is asked. It never writes.

use std::path::Path;

use karat_gguf::{GgmlType, Gguf, Tensor};

use crate::error::{ImatrixFault, QuantError};
use crate::file_type::FileTypeName;
use crate::imatrix::Imatrix;
use crate::recipe::Target;
use crate::tensor_kind::{TensorKind, shape};

/// Opens the GGUF file of a model.
pub(crate) fn open(path: &Path) -> Result<Gguf, QuantError> {
    let file = Gguf::open(path).map_err(QuantError::Input)?;
    if file.architecture().is_none() {
        return Err(QuantError::NoArchitecture { path: path.to_owned() });
    }
    if file.tensors().is_empty() {
        return Err(QuantError::NoTensors { path: path.to_owned() });
    }
    Ok(file)
}

/// Refuses tensors that would be quantized a second time.
pub(crate) fn check_originals(input: &Gguf, targets: &[Target]) -> Result<(), QuantError> {
    let again = |(tensor, target): &(&Tensor, &Target)| {
        tensor.ty.is_quantized() && **target != Target::Keep && **target != Target::Exact(tensor.ty)
    };
    match input.tensors().iter().zip(targets).find(again) {
        Some((tensor, _)) => Err(QuantError::AlreadyQuantized {
            path: input.parts()[tensor.part].clone(),
            tensor: tensor.name.clone(),
            ty: tensor.ty,
        }),
        None => Ok(()),
    }
}

/// Refuses types whose blocks do not fit the rows of their tensor: the engine would abort.
pub(crate) fn check_rows(input: &Gguf, targets: &[Target]) -> Result<(), QuantError> {
    for (tensor, target) in input.tensors().iter().zip(targets) {
        if let &Target::Exact(ty) = target
            && !tensor.row_len().is_multiple_of(ty.block_len())
        {
            let (row_len, block) = (tensor.row_len(), ty.block_len());
            return Err(QuantError::RowLength { tensor: tensor.name.clone(), row_len, ty, block });
        }
    }
    Ok(())
}

/// Refuses types that cannot do without an importance matrix where there is none: the engine would
/// refuse them late, or abort.
pub(crate) fn check_importance(
    input: &Gguf,
    targets: &[Target],
    file_type: &FileTypeName,
    imatrix: Option<&Imatrix>,
) -> Result<(), QuantError> {
    for (tensor, target) in input.tensors().iter().zip(targets) {
        let kind = TensorKind::of(&tensor.name);
        let is_vocabulary = matches!(kind, TensorKind::Output | TensorKind::TokenEmbedding);
        let what = match *target {
            Target::Exact(ty) if ty != tensor.ty && needs(ty, file_type, is_vocabulary) => {
                ty.to_string()
            }
            // With a matrix, the mixture's choice is left to the engine, which names the tensor.
            Target::AtMost(_) if file_type.needs_imatrix && !is_vocabulary && imatrix.is_none() => {
                file_type.to_string()
            }
            _ => continue,
        };
        if !imatrix.is_some_and(|imatrix| covers(imatrix, tensor)) {
            let (tensor, given) = (tensor.name.clone(), imatrix.is_some());
            return Err(QuantError::ImatrixNeeded { what, tensor, given });
        }
    }
    Ok(())
}

/// Whether rows of this type need importance.
///
/// Source: `tensor_requires_imatrix` of llama-quant.cpp and, for vocabulary matrices, which that
/// lets pass, `ggml_quantize_requires_imatrix`, where ggml aborts (llama-cpp-sys-2 0.1.161).
fn needs(ty: GgmlType, file_type: &FileTypeName, is_vocabulary: bool) -> bool {
    use GgmlType::{IQ1_M, IQ1_S, IQ2_S, IQ2_XS, IQ2_XXS, IQ3_XXS, Q2_K};
    match ty {
        IQ2_XXS | IQ2_XS | IQ1_S => true,
        IQ3_XXS | IQ2_S | IQ1_M => !is_vocabulary,
        Q2_K => !is_vocabulary && file_type.name == "Q2_K_S",
        _ => false,
    }
}

/// Whether the matrix has an entry of the right length for the tensor.
fn covers(imatrix: &Imatrix, tensor: &Tensor) -> bool {
    let n_expert = shape(tensor).get(2).copied().unwrap_or(1);
    let want = tensor.row_len().saturating_mul(n_expert);
    imatrix.entries.get(&tensor.name).is_some_and(|values| values.len() as u64 == want)
}

/// Refuses a matrix of which no entry is about the input: the engine would quantize without any.
pub(crate) fn check_same_model(
    input: &Gguf,
    imatrix: &Imatrix,
    path: &Path,
) -> Result<(), QuantError> {
    let mut names = imatrix.entries.keys();
    let example = names.next().cloned().unwrap_or_default();
    if imatrix.entries.keys().any(|name| input.tensor(name).is_some()) {
        return Ok(());
    }
    let fault = ImatrixFault::OtherModel { entries: imatrix.entries.len(), example };
    Err(QuantError::Imatrix { path: path.to_owned(), fault })
}
