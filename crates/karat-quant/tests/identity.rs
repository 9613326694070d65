//! Builds are the same, byte for byte, as those that llama-quantize made of the lab.
//!
//! `fixtures/hashes.json` names tool, version and command of every entry.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use std::path::Path;

use karat_gguf::Gguf;
use karat_quant::{
    FileTypeName, ImatrixChoice, MetadataOverride, QuantizeJob, TensorTypeRule, parse_type,
    predict, quantize,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

/// The job that `entry`'s command line means.
fn job(entry: &Value, input: &Path, output: &Path) -> QuantizeJob {
    let file_type = FileTypeName::parse(text(entry, "type")).unwrap();
    let mut job = QuantizeJob::new(input, output, file_type);
    let mut options = entry["options"].as_array().unwrap().iter().map(|v| v.as_str().unwrap());
    while let Some(option) = options.next() {
        let mut value = || options.next().unwrap();
        match option {
            "--pure" => job.pure = true,
            "--allow-requantize" => job.allow_requantize = true,
            "--leave-output-tensor" => job.leave_output = true,
            "--imatrix" => job.imatrix = Some(ImatrixChoice::new(value())),
            "--include-weights" => job.imatrix.as_mut().unwrap().include.push(value().into()),
            "--exclude-weights" => job.imatrix.as_mut().unwrap().exclude.push(value().into()),
            "--tensor-type" => job.tensor_types.push(TensorTypeRule::parse(value()).unwrap()),
            "--token-embedding-type" => {
                job.token_embedding_type = Some(parse_type(value()).unwrap());
            }
            "--output-tensor-type" => job.output_type = Some(parse_type(value()).unwrap()),
            "--override-kv" => job.metadata.push(metadata(value())),
            _ => panic!("unknown option {option}"),
        }
    }
    job
}

fn metadata(item: &str) -> MetadataOverride {
    let (key, value) = item.split_once('=').unwrap();
    match value.split_once(':').unwrap() {
        ("str", text) => MetadataOverride::Str(key.into(), text.into()),
        ("int", number) => MetadataOverride::U32(key.into(), number.parse().unwrap()),
        _ => panic!("unknown metadata {item}"),
    }
}

/// What is wrong with the build of `entry`, if anything.
fn difference(entry: &Value, folder: &Path) -> Option<String> {
    let name = Path::new(text(entry, "command").split(' ').nth_back(2).unwrap());
    let output = folder.join(name.file_name().unwrap());
    let source = Path::new(text(&entry["source"], "path"));
    // The source of a second quantization is an output of the first.
    let made = folder.join(source.file_name().unwrap());
    let job = job(entry, if source.starts_with("lab") { source } else { &made }, &output);
    let bound = predict(&job).unwrap();
    let report = quantize(&job).unwrap_or_else(|error| panic!("{}: {error}", output.display()));
    let bytes = std::fs::read(&output).unwrap();
    assert_eq!(report.bytes_out, bytes.len() as u64);
    assert!(
        (report.bytes_out..=report.bytes_out * 4 / 3 + 8192).contains(&bound),
        "{}: foretold {bound}, got {}",
        output.display(),
        report.bytes_out
    );
    if sha256(&bytes) == text(entry, "sha256") {
        return None;
    }
    let start = entry["data_offset"].as_u64().unwrap() as usize;
    let data = bytes.get(start..).map(sha256);
    let part =
        if data.as_deref() == Some(text(entry, "data_sha256")) { "metadata" } else { "data" };
    let types = Gguf::open(&output).unwrap().type_counts();
    Some(format!("{}: the {part} differ; {} bytes, types {types:?}", name.display(), bytes.len()))
}

#[test]
fn every_build_of_the_lab_equals_llama_quantizes() {
    lab::enter_root();
    let hashes = std::fs::read("crates/karat-quant/tests/fixtures/hashes.json").unwrap();
    let hashes: Value = serde_json::from_slice(&hashes).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut entries: Vec<&Value> = hashes["quantized"].as_object().unwrap().values().collect();
    assert!(entries.len() >= 30, "only {} entries", entries.len());
    entries.sort_by_key(|entry| !text(&entry["source"], "path").starts_with("lab"));
    let differences: Vec<String> =
        entries.into_iter().filter_map(|entry| difference(entry, folder.path())).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
