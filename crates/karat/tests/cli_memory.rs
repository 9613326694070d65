//! `karat memory` as its users see it, and what `karat fit` refuses like it.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;
mod sparse;

use cli_lab::{ORIGINAL, Place, lab};
use karat::memory::Repack;
use karat_gguf::GgmlType;
use karat_llama::identity;
use serde_json::{Value, json};
use sparse::SparseFile;

/// Rows of one metric: (n_ctx, kv, basis, scope, value).
fn rows(document: &Value, metric: &str) -> Vec<(String, String, String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let estimates = document["estimates"].as_array().unwrap().iter();
    estimates
        .filter(|row| row["metric"] == metric)
        .map(|row| {
            let setting = &row["setting"];
            (
                text(&setting["n_ctx"]),
                text(&setting["kv"]),
                text(&setting["basis"]),
                text(&row["scope"]),
                row["value"].as_f64().unwrap() as u64,
            )
        })
        .collect()
}

fn memory<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> assert_cmd::Command {
    let mut command = place.karat(["memory", "--threads", "1"]);
    command.arg(lab(ORIGINAL)).args(args);
    command
}

#[test]
fn what_is_predicted_is_what_the_engine_takes() {
    let place = Place::new();
    memory(&place, ["--ctx", "512,1k", "--kv", "f16,q8_0"]).assert().success();
    let document = place.document();
    for metric in ["weights_bytes", "kv_bytes", "compute_bytes", "output_bytes", "total_bytes"] {
        let rows = rows(&document, metric);
        let of = |basis: &str| -> Vec<_> {
            let rows = rows.iter().filter(|row| row.2 == basis);
            rows.map(|row| (row.0.clone(), row.1.clone(), row.3.clone(), row.4)).collect()
        };
        assert_eq!(of("predicted").len(), 8, "4 settings, on the CPU and on all devices");
        assert_eq!(of("predicted"), of("measured"), "{metric}");
    }
    let of = |metric: &str| rows(&document, metric)[0].4;
    assert!(of("resident_bytes") > of("overhead_bytes"));
}

#[test]
fn what_was_measured_is_not_measured_again() {
    let place = Place::new();
    memory(&place, ["--ctx", "512"]).assert().success();
    let first = place.document();
    memory(&place, ["--ctx", "512"]).assert().success();
    let second = place.document();
    assert_eq!(place.stored("sample"), 1);
    assert_eq!(first["estimates"], second["estimates"]);
    assert_eq!(second["steps"][0]["peak_memory_bytes"], Value::Null, "no worker ran");
}

#[test]
fn a_prediction_alone_measures_nothing() {
    let place = Place::new();
    memory(&place, ["--predict-only"]).assert().success();
    let document = place.document();
    assert_eq!(place.stored("sample"), 0);
    assert!(rows(&document, "total_bytes").iter().all(|row| row.2 == "predicted"));
    // Headers are read, contents are not.
    assert_eq!((place.stored("content_hash"), &document["models"][0]["sha256"]), (0, &json!("")));
    let output = place.karat(["report", "latest"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_is_predicted_is_measured_later() {
    let place = Place::new();
    memory(&place, ["--ctx", "512", "--predict-only"]).assert().success();
    memory(&place, ["--ctx", "512"]).assert().success();
    assert_eq!((place.stored("sample"), place.stored("content_hash")), (1, 1));
}

/// A matrix that is rearranged for the processor is there twice, which a file's size does not show.
#[test]
fn weights_that_are_kept_twice_are_told() {
    let place = Place::new();
    let build = place.build("Q4_0");
    let repacks = Repack::from_system_info(&identity().system_info) != Repack::Off;
    let original = lab(ORIGINAL);
    for (model, is_told) in [(build.as_str(), repacks), (original.to_str().unwrap(), false)] {
        let output = place.karat(["memory", "--predict-only", model]).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(told.contains("keeps matrices a second time"), is_told, "{told}");
    }
}

#[test]
fn a_dry_run_says_what_it_would_do_and_stores_nothing() {
    let place = Place::new();
    let output = memory(&place, ["--ctx", "512,2k", "--dry-run"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.matches("to measure").count(), 2, "{said}");
    assert_eq!((place.stored("run"), place.stored("sample")), (0, 0));
}

#[test]
fn a_setting_that_does_not_fit_the_machine_fails_and_the_others_go_on() {
    let place = Place::new();
    memory(&place, ["--ctx", "4000m,512"]).assert().code(3);
    let document = place.document();
    assert_eq!(document["steps"][0]["outcome"], "failed");
    assert!(document["steps"][0]["error"].as_str().unwrap().contains("not tried"));
    assert_eq!(document["steps"][1]["outcome"], "done");
}

#[test]
fn an_architecture_that_is_not_known_is_still_measured_or_fails_alone() {
    let place = Place::new();
    let renamed = ("general.architecture", b"gemma4".as_slice(), b"gemma9".as_slice());
    place.altered("other.gguf", &lab(ORIGINAL), renamed);
    let original = lab(ORIGINAL);
    let both = ["memory", "--predict-only", "other.gguf", original.to_str().unwrap()];
    let output = place.karat(both).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("gemma9"), "{said}");
    assert!(!said.contains("cannot load"), "no model is loaded for a prediction: {said}");
}

#[test]
fn a_run_without_any_prediction_is_refused() {
    let place = Place::new();
    let renamed = ("general.architecture", b"gemma4".as_slice(), b"gemma9".as_slice());
    place.altered("other.gguf", &lab(ORIGINAL), renamed);
    for more in [&["other.gguf"][..], &["--dry-run", "other.gguf"], &["other.gguf", "other.gguf"]] {
        let mut command = place.karat(["memory", "--predict-only"]);
        command.args(more);
        place.check_refused(&mut command, "memory of architecture `gemma9` is not predicted");
    }
    assert_eq!(place.stored("run"), 0);
}

/// A key that the tensors contradict gives no figure: either could be the wrong one.
#[test]
fn keys_and_tensors_that_disagree_are_told() {
    let place = Place::new();
    let longer = (
        "gemma4.attention.key_length",
        &[4, 0, 0, 0, 128, 0, 0, 0][..],
        &[4, 0, 0, 0, 64, 0, 0, 0][..],
    );
    place.altered("lies.gguf", &lab(ORIGINAL), longer);
    let output = place.karat(["memory", "lies.gguf", "--predict-only"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("rows, the header's keys make"), "{said}");
    assert_eq!(output.status.code(), Some(2), "{said}");
    place.check_refused(
        &mut place.karat(["fit", "--vram", "8GiB", "lies.gguf"]),
        "rows, the header's keys make",
    );
}

#[test]
fn a_context_beyond_the_trained_one_is_told() {
    let place = Place::new();
    let original = lab(ORIGINAL);
    let report = |ctx: &str| {
        let args = ["memory", original.to_str().unwrap(), "--predict-only", "--ctx", ctx];
        String::from_utf8(place.karat(args).output().unwrap().stdout).unwrap()
    };
    assert!(report("4k,2k").contains("trained for 2048 tokens"), "{}", report("4k,2k"));
    assert!(!report("2k").contains("trained for"), "{}", report("2k"));
}

#[test]
fn bad_arguments_are_refused() {
    let original = lab(ORIGINAL);
    let original = original.to_str().unwrap();
    let check = |args: &[&str], what: &str| {
        let place = Place::new();
        place.check_refused(&mut place.karat(args.iter().copied()), what);
    };
    check(&["memory", original, "--ctx", "0"], "e.g. 4096 or 32k");
    check(&["memory", original, "--kv", "q9"], "q9");
    check(&["memory", "nosuch.gguf"], "nosuch.gguf");
    check(&["memory", original, "--gpu-layers", "all"], "sees no GPU");
    check(&["memory", original, "--ctx", "4294967296"], "more than any context holds");
    check(&["fit", original, "--vram", "some"], "some");
    check(&["fit", original, "--vram", "8"], "that is 8 bytes; write 8GiB?");
    check(&["fit", original, "--vram", "1e30GiB"], "too large");
    check(
        &["fit", original, "--vram", "1GiB", "--reserve", "2GiB"],
        "--reserve (1GiB unless given) leaves nothing",
    );
    check(&["fit", "nosuch.gguf", "--vram", "8GiB"], "nosuch.gguf");
}

#[test]
fn nonsense_in_a_header_is_one_clear_line() {
    let place = Place::new();
    SparseFile::new("llama")
        .with_tokens(10)
        .wide_number("block_count", 1_000_000_000_000)
        .tensor("token_embd.weight", GgmlType::F16, &[64, 10])
        .write(&place.path("many.gguf"));
    place.text("text.txt", 1200);
    let fidelity =
        ["fidelity", "--dry-run", "--text", "text.txt", "--reference", "many.gguf", "many.gguf"];
    for verb in [
        &["fit", "--vram", "8GiB", "many.gguf"][..],
        &["memory", "--predict-only", "many.gguf"],
        &["memory", "many.gguf"],
        &["probe", "--dry-run", "many.gguf"],
        &fidelity,
    ] {
        let mut command = place.karat(verb.iter().copied());
        place.check_refused(&mut command, "`llama.block_count` = 1000000000000");
    }
    // Who wants to know what is wrong with it still may.
    place.karat(["inspect", "many.gguf"]).assert().success();
}

#[test]
fn headers_that_no_engine_loads_are_refused_before_anything_is_stored() {
    let place = Place::new();
    let sound = || {
        SparseFile::new("llama")
            .with_tokens(10)
            .number("embedding_length", 64)
            .number("feed_forward_length", 128)
            .tensor("token_embd.weight", GgmlType::F16, &[64, 10])
    };
    for (file, what) in [
        (
            sound().number("block_count", 0).number("attention.head_count", 4),
            "`llama.block_count` = 0",
        ),
        (sound().number("block_count", 2), "lacks `llama.attention.head_count`"),
        (
            sound().number("block_count", 2).number("attention.head_count", 0),
            "`llama.attention.head_count` = 0",
        ),
    ] {
        file.write(&place.path("m.gguf"));
        place.check_refused(&mut place.karat(["memory", "--dry-run", "m.gguf"]), what);
        place.check_refused(&mut place.karat(["probe", "--dry-run", "m.gguf"]), what);
    }
}
