//! Twins have their model's types and the original's weights.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use std::path::{Path, PathBuf};

use karat_gguf::{GgmlType, Gguf};
use karat_quant::{
    FileTypeName, ImatrixChoice, QuantizeJob, TensorTypeRule, TwinJob, UnmatchedReason, quantize,
    twin,
};
use lab::{BASE, IMATRIX, QAT, names, type_at};
use tempfile::TempDir;

fn folder() -> TempDir {
    lab::enter_root();
    tempfile::tempdir().unwrap()
}

/// A build of the QAT checkpoint.
fn build(folder: &Path, file_type: &str, change: impl FnOnce(&mut QuantizeJob)) -> PathBuf {
    let file_type = FileTypeName::parse(file_type).unwrap();
    let mut job = QuantizeJob::new(QAT, folder.join("like.gguf"), file_type);
    change(&mut job);
    quantize(&job).unwrap();
    job.output
}

#[track_caller]
fn same_types(a: &Gguf, b: &Gguf) {
    assert_eq!(a.tensors().len(), b.tensors().len());
    for tensor in a.tensors() {
        assert_eq!(b.tensor(&tensor.name).unwrap().ty, tensor.ty, "{}", tensor.name);
    }
}

/// The base's twin of `like` matches it throughout.
#[track_caller]
fn check(like: &Path) -> Gguf {
    let output = like.with_file_name("twin.gguf");
    let report = twin(&TwinJob::new(like, BASE, &output)).unwrap();
    assert!(report.unmatched.is_empty(), "{:?}", report.unmatched);
    let (made, like) = (Gguf::open(&output).unwrap(), Gguf::open(like).unwrap());
    assert_eq!(report.n_matched, like.tensors().len());
    same_types(&made, &like);
    let file_type = |file: &Gguf| file.metadata().get_u64("general.file_type");
    assert_eq!(file_type(&made), file_type(&like));
    made
}

/// The base itself, quantized as the twin's model was.
fn direct(folder: &Path, file_type: &str) -> Gguf {
    let output = folder.join("direct.gguf");
    quantize(&QuantizeJob::new(BASE, &output, FileTypeName::parse(file_type).unwrap())).unwrap();
    Gguf::open(&output).unwrap()
}

#[track_caller]
fn same_data(a: &Gguf, b: &Gguf) {
    same_types(a, b);
    for tensor in a.tensors() {
        let other = b.tensor(&tensor.name).unwrap();
        assert!(a.tensor_data(tensor) == b.tensor_data(other), "{}", tensor.name);
    }
}

#[test]
fn the_twin_of_a_mixture_is_what_the_mixture_makes_of_the_original() {
    for file_type in ["Q4_K_M", "Q4_0", "Q3_K_M", "IQ4_NL"] {
        let folder = folder();
        let like = build(folder.path(), file_type, |_| {});
        same_data(&check(&like), &direct(folder.path(), file_type));
    }
}

#[test]
fn the_twin_of_a_pure_build_is_pure() {
    let folder = folder();
    let like = build(folder.path(), "Q5_0", |job| job.pure = true);
    let made = check(&like);
    assert!(!made.type_counts().contains_key(&GgmlType::Q6_K));
}

/// With an importance matrix, llama-quantize puts early ffn_down into Q4_1 where the model has eight
/// layers or more. The lab has four, so that a rule takes the mixture's part.
#[test]
fn the_twin_of_an_imatrix_build_has_its_q4_1_and_needs_no_imatrix() {
    let folder = folder();
    let like = build(folder.path(), "Q4_0", |job| {
        job.imatrix = Some(ImatrixChoice::new(IMATRIX));
        job.tensor_types.push(TensorTypeRule::parse(r"blk\.0\.ffn_down=q4_1").unwrap());
        job.token_embedding_type = Some(GgmlType::F16);
    });
    let made = check(&like);
    assert_eq!(made.tensor("blk.0.ffn_down.weight").unwrap().ty, GgmlType::Q4_1);
    assert_eq!(made.tensor("token_embd.weight").unwrap().ty, GgmlType::F16);
    assert!(made.metadata().get("quantize.imatrix.file").is_none());
}

#[test]
fn tensors_that_the_model_kept_as_the_original_has_them_are_kept() {
    let folder = folder();
    let like = build(folder.path(), "Q4_0", |job| {
        job.token_embedding_type = Some(GgmlType::BF16);
        job.tensor_types.push(TensorTypeRule::parse("attn_v=bf16").unwrap());
        job.tensor_types.push(TensorTypeRule::parse("attn_q=f32").unwrap());
    });
    let made = check(&like);
    let original = Gguf::open(BASE.as_ref()).unwrap();
    for name in ["token_embd.weight", "blk.3.attn_v.weight"] {
        let (kept, was) = (made.tensor(name).unwrap(), original.tensor(name).unwrap());
        assert_eq!(kept.ty, GgmlType::BF16);
        assert!(made.tensor_data(kept) == original.tensor_data(was), "{name}");
    }
}

#[test]
fn the_twin_of_an_unquantized_build_has_its_type() {
    let folder = folder();
    let like = build(folder.path(), "F16", |_| {});
    same_data(&check(&like), &direct(folder.path(), "F16"));
}

#[test]
fn an_imatrix_is_used_only_where_asked() {
    let folder = folder();
    let like = build(folder.path(), "IQ3_XXS", |job| {
        job.imatrix = Some(ImatrixChoice::new(IMATRIX));
    });
    let mut job = TwinJob::new(&like, BASE, folder.path().join("twin.gguf"));
    let line = twin(&job).unwrap_err().to_string();
    assert!(line.contains("needs an importance matrix for tensor"), "{line}");
    assert_eq!(names(folder.path()), [PathBuf::from("like.gguf")]);
    job.imatrix = Some(ImatrixChoice::new(IMATRIX));
    let report = twin(&job).unwrap();
    assert!(report.unmatched.is_empty(), "{:?}", report.unmatched);
    let made = Gguf::open(&job.output).unwrap();
    assert_eq!(made.metadata().get_str("quantize.imatrix.file"), Some(IMATRIX));
}

#[test]
fn tensors_that_cannot_be_matched_are_named_with_both_types() {
    let folder = folder();
    let like = build(folder.path(), "Q8_0", |_| {});
    let mut bytes = std::fs::read(&like).unwrap();
    // Types of the same or a smaller size, so that the patched file is sound.
    let vector = type_at(&bytes, "blk.1.attn_norm.weight", 1);
    bytes[vector] = GgmlType::BF16.id() as u8;
    let matrix = type_at(&bytes, "blk.2.attn_q.weight", 2);
    bytes[matrix] = GgmlType::I8.id() as u8;
    std::fs::write(&like, bytes).unwrap();
    let job = TwinJob::new(&like, BASE, folder.path().join("twin.gguf"));
    let report = twin(&job).unwrap();
    let found: Vec<_> =
        report.unmatched.iter().map(|u| (u.tensor.as_str(), u.want, u.got, u.reason)).collect();
    let want = [
        ("blk.1.attn_norm.weight", GgmlType::BF16, GgmlType::F32, UnmatchedReason::NeverConverted),
        ("blk.2.attn_q.weight", GgmlType::I8, GgmlType::BF16, UnmatchedReason::NotMakeable),
    ];
    assert_eq!(found, want);
    assert_eq!(
        report.unmatched[1].to_string(),
        "blk.2.attn_q.weight: BF16 instead of I8 (the engine cannot make this type)"
    );
}

/// Fails with one line that holds `want`, and makes nothing.
#[track_caller]
fn refused(like: &Path, original: &Path, want: &str) {
    let output = tempfile::tempdir().unwrap();
    let error = twin(&TwinJob::new(like, original, output.path().join("twin.gguf"))).unwrap_err();
    let line = error.to_string();
    assert!(line.contains(want), "{line}");
    assert!(!line.contains('\n'), "{line}");
    assert!(names(output.path()).is_empty());
}

#[test]
fn another_model_is_refused_with_what_differs() {
    let folder = folder();
    let rename = |from: &[u8], to: &[u8]| lab::patched(QAT, folder.path(), from, to);
    let other = rename(b"blk.3.ffn_up.weight", b"blk.4.ffn_up.weight");
    refused(
        &other,
        BASE.as_ref(),
        "the first has no `blk.3.ffn_up.weight`; the second has no `blk.4.ffn_up.weight`",
    );
    refused(
        &rename(b"gemma4", b"gemma3"),
        BASE.as_ref(),
        "architectures are \"gemma3\" and \"gemma4\"",
    );
    let mut bytes = std::fs::read(QAT).unwrap();
    let dims = type_at(&bytes, "blk.0.ffn_up.weight", 2) - 16;
    let (rows, columns) = (bytes[dims..dims + 8].to_vec(), bytes[dims + 8..dims + 16].to_vec());
    bytes[dims..dims + 8].copy_from_slice(&columns);
    bytes[dims + 8..dims + 16].copy_from_slice(&rows);
    let path = folder.path().join("shape.gguf");
    std::fs::write(&path, bytes).unwrap();
    refused(&path, BASE.as_ref(), "shapes differ in `blk.0.ffn_up.weight");
}

#[test]
fn an_original_that_is_already_quantized_is_refused() {
    let folder = folder();
    let like = build(folder.path(), "Q4_K_M", |_| {});
    let original = folder.path().join("original.gguf");
    let file_type = FileTypeName::parse("Q8_0").unwrap();
    quantize(&QuantizeJob::new(BASE, &original, file_type)).unwrap();
    refused(&like, &original, "is already quantized (Q8_0)");
}

#[test]
fn a_twin_never_replaces_what_it_is_made_from() {
    let folder = folder();
    let like = build(folder.path(), "Q8_0", |_| {});
    let bytes = std::fs::read(&like).unwrap();
    let job = TwinJob { overwrite: true, ..TwinJob::new(&like, BASE, &like) };
    let line = twin(&job).unwrap_err().to_string();
    assert!(line.contains("is the input"), "{line}");
    assert!(std::fs::read(&like).unwrap() == bytes);
}
