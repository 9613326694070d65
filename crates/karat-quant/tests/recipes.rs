//! Every file type can be made, in no more bytes than foretold; rules mean to the engine what they
//! mean to the checks.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use karat_gguf::{GgmlType, Gguf};
use karat_quant::{
    FILE_TYPES, FileTypeName, ImatrixChoice, QuantizeJob, TensorTypeRule, predict, quantize,
};

/// Makes builds of the file types, changed by `change`. Each is no bigger than foretold, and not
/// smaller by more than `slack` of its own size and a few kilobytes of metadata.
#[track_caller]
fn check(
    file_types: impl Iterator<Item = &'static FileTypeName>,
    slack: f64,
    change: impl Fn(&mut QuantizeJob),
) {
    lab::enter_root();
    let folder = tempfile::tempdir().unwrap();
    for file_type in file_types.filter(|ty| ty.alias_of.is_none()) {
        let output = folder.path().join(file_type.name);
        let mut job = QuantizeJob::new(lab::BASE, &output, file_type);
        change(&mut job);
        let foretold = predict(&job).unwrap();
        let made = quantize(&job).unwrap_or_else(|error| panic!("{file_type}: {error}")).bytes_out;
        let most = made as f64 * (1.0 + slack) + 8192.0;
        assert!(made <= foretold, "{file_type}: foretold {foretold}, made {made}");
        assert!(foretold as f64 <= most, "{file_type}: foretold {foretold}, made {made}");
    }
}

#[test]
fn every_file_type_is_made_within_the_foretold_size() {
    check(FILE_TYPES.iter(), 0.34, |job| job.imatrix = Some(ImatrixChoice::new(lab::IMATRIX)));
}

#[test]
fn pure_builds_have_exactly_the_foretold_size() {
    // The others are slow, and no other way of reckoning sizes.
    let quick = FILE_TYPES.iter().filter(|ty| !ty.needs_imatrix);
    check(quick, 0.0, |job| job.pure = true);
}

/// The engine gives the rule's type to exactly the matrices that the rule matches here.
#[test]
fn the_engine_finds_what_a_pattern_finds_here() {
    lab::enter_root();
    let folder = tempfile::tempdir().unwrap();
    for pattern in [
        "attn_V",
        r"blk\.(1|[2-3])\.ffn_(up|gate)",
        r"^blk\.\d+\.attn_(?:q|k)\.weight$",
        r"\bq\b|[^a-z]k[^_]",
        r"(ffn_){1}u?p?\.",
        r"blk\.\d{1,2}?\..*?n_[kv]\.",
        r"[\w.]+down|\sx",
        r"\-|\#|o\w{5}\.",
        "n{2}|f{2,}n_g",
        ".",
        "no such tensor",
    ] {
        let output = folder.path().join("out.gguf");
        let mut job = QuantizeJob::new(lab::BASE, &output, FileTypeName::parse("Q8_0").unwrap());
        job.overwrite = true;
        let rule = TensorTypeRule::new(pattern, GgmlType::F16).unwrap();
        job.tensor_types.push(rule.clone());
        quantize(&job).unwrap();
        for tensor in Gguf::open(&output).unwrap().tensors() {
            if tensor.ty != GgmlType::F32 {
                let is_found = tensor.ty == GgmlType::F16;
                assert_eq!(is_found, rule.matches(&tensor.name), "{pattern}: {}", tensor.name);
            }
        }
    }
}
