//! What is refused, in one line each, and that a refusal leaves the folder as it was.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use std::path::Path;
use std::process::Command;

use karat_gguf::GgmlType;
use karat_quant::{
    FileTypeName, ImatrixChoice, MetadataOverride, QuantError, QuantizeJob, TensorTypeRule,
    quantize,
};
use lab::{BASE, IMATRIX, QAT, names, patched, type_at};
use tempfile::TempDir;

fn folder() -> TempDir {
    lab::enter_root();
    tempfile::tempdir().unwrap()
}

fn job(file_type: &str, folder: &Path) -> QuantizeJob {
    QuantizeJob::new(BASE, folder.join("out.gguf"), FileTypeName::parse(file_type).unwrap())
}

/// `job` fails with one line that holds `want`, and leaves its output's folder as it was.
#[track_caller]
fn check(job: &QuantizeJob, want: &str) -> QuantError {
    let folder = job.output.parent().unwrap();
    let before = names(folder);
    let error = quantize(job).unwrap_err();
    let line = error.to_string();
    assert!(line.contains(want), "{line}");
    assert!(!line.contains('\n'), "{line}");
    assert_eq!(names(folder), before);
    error
}

#[test]
fn a_missing_or_foreign_input() {
    let folder = folder();
    let mut job = job("Q4_0", folder.path());
    job.input = "lab/nothing.gguf".into();
    check(&job, "cannot open `lab/nothing.gguf`");
    job.input = "lab/calib.txt".into();
    check(&job, "not with `GGUF`");
    job.input = IMATRIX.into();
    check(&job, "names no architecture");
}

#[test]
fn a_truncated_input() {
    let folder = folder();
    let mut job = job("Q4_0", folder.path());
    job.input = folder.path().join("short.gguf");
    let bytes = std::fs::read(BASE).unwrap();
    std::fs::write(&job.input, &bytes[..bytes.len() / 2]).unwrap();
    check(&job, "cut short");
}

#[test]
fn an_architecture_that_the_engine_does_not_know() {
    let folder = folder();
    let mut job = job("Q4_0", folder.path());
    job.input = patched(BASE, folder.path(), b"gemma4", b"gemmaX");
    let error = check(&job, "unknown model architecture: 'gemmaX'");
    assert!(matches!(error, QuantError::Engine(_)));
}

#[test]
fn an_input_that_is_already_quantized() {
    let folder = folder();
    let first = job("Q8_0", folder.path());
    quantize(&first).unwrap();
    let mut second = job("Q4_0", folder.path());
    second.input = first.output;
    second.output = folder.path().join("second.gguf");
    let error = check(&second, "is already quantized (Q8_0)");
    assert!(matches!(error, QuantError::AlreadyQuantized { ty: GgmlType::Q8_0, .. }));
    second.file_type = FileTypeName::parse("COPY").unwrap();
    quantize(&second).unwrap();
}

#[test]
fn an_output_that_is_an_input() {
    let folder = folder();
    let mut job = job("Q4_0", folder.path());
    job.overwrite = true;
    job.input = folder.path().join("in.gguf");
    std::fs::copy(BASE, &job.input).unwrap();
    std::fs::hard_link(&job.input, &job.output).unwrap();
    check(&job, "is the input");
    job.output.clone_from(&job.input);
    check(&job, "is the input");
    assert_eq!(std::fs::read(&job.input).unwrap(), std::fs::read(BASE).unwrap());
}

#[test]
fn an_output_that_is_the_importance_matrix() {
    let folder = folder();
    let mut job = job("Q4_0", folder.path());
    job.overwrite = true;
    job.output = folder.path().join("matrix.gguf");
    std::fs::copy(IMATRIX, &job.output).unwrap();
    job.imatrix = Some(ImatrixChoice::new(&job.output));
    check(&job, "is the input");
}

#[test]
fn an_output_that_exists_is_kept_unless_told_otherwise() {
    let folder = folder();
    let mut job = job("Q8_0", folder.path());
    std::fs::write(&job.output, "precious").unwrap();
    let error = check(&job, "exists");
    assert!(matches!(error, QuantError::OutputExists { .. }));
    assert_eq!(std::fs::read(&job.output).unwrap(), b"precious");
    job.overwrite = true;
    let report = quantize(&job).unwrap();
    assert_eq!(std::fs::metadata(&job.output).unwrap().len(), report.bytes_out);
    assert_eq!(names(folder.path()).len(), 1);
}

/// A rename would put the build in the place of the device or the pipe.
#[cfg(target_os = "linux")]
#[test]
fn devices_and_pipes_stay_what_they_are() {
    use std::os::unix::fs::FileTypeExt;
    let folder = folder();
    let pipe = folder.path().join("pipe.gguf");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    // A device without a rename's reach, in case the refusal ever fails: a link to one.
    let device = folder.path().join("device.gguf");
    std::os::unix::fs::symlink("/dev/null", &device).unwrap();
    for output in [&pipe, &device] {
        let mut job = job("Q4_0", folder.path());
        (job.output, job.overwrite) = (output.clone(), true);
        let line = quantize(&job).unwrap_err().to_string();
        assert!(line.contains("is a folder, a device or no file name"), "{line}");
    }
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert!(std::fs::metadata(&device).unwrap().file_type().is_char_device());
    assert_eq!(names(folder.path()).len(), 2);
}

#[test]
fn an_output_that_cannot_be_there() {
    let folder = folder();
    let mut job = job("Q4_0", folder.path());
    job.output = folder.path().into();
    check(&job, "is a folder, a device or no file name");
    job.output = folder.path().join("no").join("out.gguf");
    let line = quantize(&job).unwrap_err().to_string();
    assert!(line.starts_with("cannot write in folder"), "{line}");
    std::fs::write(folder.path().join("file"), "").unwrap();
    job.output = folder.path().join("file").join("out.gguf");
    let line = quantize(&job).unwrap_err().to_string();
    assert!(line.starts_with("cannot write in folder"), "{line}");
}

#[test]
fn types_that_need_importance_without_it() {
    let folder = folder();
    check(&job("IQ2_XXS", folder.path()), "IQ2_XXS needs an importance matrix");
    check(&job("IQ3_XS", folder.path()), "IQ3_XS needs an importance matrix");
    check(&job("Q2_K_S", folder.path()), "Q2_K_S needs an importance matrix");
    let mut single = job("Q4_K_M", folder.path());
    single.tensor_types.push(TensorTypeRule::parse("blk.2.attn_q=iq1_m").unwrap());
    check(&single, "IQ1_M needs an importance matrix for tensor `blk.2.attn_q.weight`");
}

#[test]
fn a_token_embedding_without_importance_in_a_type_where_the_engine_would_abort() {
    let folder = folder();
    let mut job = job("Q4_K_M", folder.path());
    job.imatrix = Some(ImatrixChoice::new(IMATRIX));
    job.token_embedding_type = Some(GgmlType::IQ2_XS);
    check(&job, "needs an importance matrix for tensor `token_embd.weight`, and the one given");
}

#[test]
fn an_importance_matrix_without_the_tensor_that_needs_it() {
    let folder = folder();
    let mut job = job("IQ3_XXS", folder.path());
    let exclude = vec!["blk.1.attn_q".to_owned()];
    job.imatrix = Some(ImatrixChoice { exclude, ..ImatrixChoice::new(IMATRIX) });
    check(&job, "blk.1.attn_q.weight");
}

#[test]
fn an_importance_matrix_of_another_model_or_none_at_all() {
    let folder = folder();
    let mut job = job("Q4_0", folder.path());
    let choose = |path: &str| Some(ImatrixChoice::new(path));
    job.imatrix = choose("lab/nothing.dat");
    check(&job, "imatrix `lab/nothing.dat`: cannot read it");
    job.imatrix = choose("lab/calib.txt");
    check(&job, "imatrix `lab/calib.txt`: ");
    job.imatrix = choose(QAT);
    check(&job, "it has no imatrix.datasets");
    let exclude = vec!["blk".to_owned(), "output".to_owned(), "token".to_owned()];
    job.imatrix = Some(ImatrixChoice { exclude, ..ImatrixChoice::new(IMATRIX) });
    check(&job, "entries is left");
    let other = folder.path().join("other.dat");
    let entry =
        [1_i32.to_le_bytes(), 1_i32.to_le_bytes(), *b"x\x01\0\0", *b"\0\x01\0\0", [0; 4], [0; 4]];
    std::fs::write(&other, &entry.concat()[..21]).unwrap();
    job.imatrix = Some(ImatrixChoice::new(other));
    check(&job, "it belongs to another model");
}

#[test]
fn types_whose_blocks_do_not_fit_the_rows() {
    let folder = folder();
    let mut bytes = std::fs::read(BASE).unwrap();
    let dims = type_at(&bytes, "token_embd.weight", 2) - 16;
    let length = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let (row_len, rows) = (length(dims), length(dims + 8));
    bytes[dims..dims + 8].copy_from_slice(&(row_len / 2).to_le_bytes());
    bytes[dims + 8..dims + 16].copy_from_slice(&(rows * 2).to_le_bytes());
    let mut job = job("Q8_0", folder.path());
    job.input = folder.path().join("narrow.gguf");
    std::fs::write(&job.input, bytes).unwrap();
    job.token_embedding_type = Some(GgmlType::Q4_K);
    check(
        &job,
        "`token_embd.weight` has rows of 128 weights, no multiple of the 256 in a block of Q4_K",
    );
}

#[test]
fn types_that_the_engine_cannot_make() {
    let folder = folder();
    let mut job = job("Q4_0", folder.path());
    job.token_embedding_type = Some(GgmlType::Q8_K);
    check(&job, "no tensor can be made Q8_K");
}

#[test]
fn metadata_keys_beyond_what_the_engine_takes() {
    let folder = folder();
    let mut job = job("Q8_0", folder.path());
    job.metadata.push(MetadataOverride::U32("k".repeat(128), 1));
    check(&job, "longer than the 127 bytes");
}

/// Runs this test again in a child that may write no file longer than two megabytes, as on a disk
/// that fills up half-way.
#[test]
#[cfg(unix)]
fn a_write_that_fails_half_way_leaves_nothing() {
    const NAME: &str = "a_write_that_fails_half_way_leaves_nothing";
    const FOLDER: &str = "KARAT_TEST_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        lab::enter_root();
        let error = quantize(&job("Q8_0", Path::new(&folder))).unwrap_err();
        println!("error: {error}");
        return;
    }
    let folder = folder();
    let script = r#"trap '' XFSZ; ulimit -f 2048; exec "$0" --exact "$1" --nocapture"#;
    let child = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(NAME)
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{text}{}", String::from_utf8_lossy(&child.stderr));
    assert!(text.contains("(a write failed): the disk may be full"), "{text}");
    assert!(names(folder.path()).is_empty(), "{text}{:?}", names(folder.path()));
}
