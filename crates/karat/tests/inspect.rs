//! `karat inspect` and `karat diff` as a user meets them, and against other tools' findings on
//! builds of the lab model; `fixtures/anatomy/make.py` names tools and versions.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cli_lab::{ORIGINAL, Place, check_line, lab};
use serde_json::{Value, json};

/// A place with a copy of the original, so that paths are the same everywhere.
fn place() -> Place {
    let place = Place::new();
    fs::copy(lab(ORIGINAL), place.path(ORIGINAL)).unwrap();
    place
}

#[track_caller]
fn stdout<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> String {
    let output = place.karat(args).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

fn inspected(place: &Place, name: &str, more: &[&str]) -> Value {
    let args = ["inspect", name, "--format", "json"].into_iter().chain(more.iter().copied());
    let document: Value = serde_json::from_str(&stdout(place, args)).unwrap();
    document["models"][0].clone()
}

fn fixture() -> Vec<Value> {
    let text = include_str!("fixtures/anatomy/peer.json");
    let fixture: Value = serde_json::from_str(text).unwrap();
    fixture["builds"].as_array().unwrap().clone()
}

#[test]
fn the_original_is_told_whole() {
    let place = place();
    insta::assert_snapshot!(
        "inspect_original",
        stdout(&place, ["inspect", ORIGINAL, "--check-data"])
    );
    let args = ["inspect", ORIGINAL, "--format", "markdown"];
    insta::assert_snapshot!("inspect_markdown", stdout(&place, args));
}

#[test]
fn a_difference_is_told_whole() {
    let place = place();
    let build = place.build("Q4_0");
    altered(&place, &build);
    insta::assert_snapshot!("diff", stdout(&place, ["diff", ORIGINAL, "altered.gguf"]));
    let markdown = stdout(&place, ["diff", ORIGINAL, "altered.gguf", "--format", "markdown"]);
    let verdict = markdown.split("## Can they be compared?").nth(1).unwrap();
    assert!(!verdict.contains("```") && verdict.contains("builds of the same model"), "{verdict}");
    let same = stdout(&place, ["diff", ORIGINAL, ORIGINAL]);
    assert!(same.contains("headers without a difference; tensor data were not compared"), "{same}");
    let args = ["diff", ORIGINAL, "altered.gguf", "--format", "json"];
    let document: Value = serde_json::from_str(&stdout(&place, args)).unwrap();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["comparable"]["same_model"], true);
    assert_eq!(document["vocabulary"]["differing_types"], 1);
}

/// A build whose template, one token type and sliding window are others.
fn altered(place: &Place, build: &str) {
    let mut bytes = fs::read(place.path(build)).unwrap();
    let types = after(&bytes, "tokenizer.ggml.token_type");
    // Value type, element type, count, then 32 bits for each token; 15 is `<|turn>`.
    bytes[types + 16 + 4 * 15] = 4;
    let template = after(&bytes, "tokenizer.chat_template");
    let word = template + after(&bytes[template..], "system");
    bytes[word - 6..word].copy_from_slice(b"SYSTEM");
    let window = after(&bytes, "gemma4.attention.sliding_window");
    bytes[window + 4..window + 8].copy_from_slice(&32_u32.to_le_bytes());
    fs::write(place.path("altered.gguf"), bytes).unwrap();
}

#[track_caller]
fn after(bytes: &[u8], wanted: &str) -> usize {
    let found = bytes.windows(wanted.len()).position(|window| window == wanted.as_bytes());
    found.unwrap() + wanted.len()
}

#[test]
fn types_and_bits_per_weight_are_the_peers() {
    let place = place();
    for peer in fixture() {
        let name = match peer["type"].as_str() {
            Some(ty) => place.build(ty),
            None => ORIGINAL.to_owned(),
        };
        let model = inspected(&place, &name, &[]);
        let rows = model["mix"]["types"].as_array().unwrap().iter();
        let types: BTreeMap<&str, Value> = rows
            .map(|row| {
                let numbers = json!([row["tensors"], row["weights"], row["bytes"]]);
                (row["type"].as_str().unwrap(), numbers)
            })
            .collect();
        assert_eq!(json!(types), peer["types"], "{name}");
        assert_eq!(model["identity"]["keys"], peer["n_keys"], "{name}");
        if let Some(printed) = peer["llama_quantize_bpw"]["quant"].as_f64() {
            let bits = model["mix"]["bits_per_weight"].as_f64().unwrap();
            assert!((bits - printed).abs() <= 0.005 + 1e-9, "{name}: {bits} against {printed}");
            // What the makers of the types mix is no oddity.
            let labels = model["oddities"].as_array().unwrap().iter();
            let labels: Vec<_> = labels.filter(|oddity| oddity["id"] == "type_label").collect();
            assert_eq!(labels, [&Value::Null; 0], "{name}");
        }
    }
}

#[test]
fn broken_weights_are_the_ones_that_numpy_finds() {
    let place = place();
    let run = vec![0xff; 300];
    for peer in fixture() {
        let name = match peer["type"].as_str() {
            Some(ty) => place.build(ty),
            None => ORIGINAL.to_owned(),
        };
        let mut bytes = fs::read(place.path(&name)).unwrap();
        for start in peer["broken"]["starts"].as_array().unwrap() {
            let start = start.as_u64().unwrap() as usize;
            bytes[start..start + run.len()].copy_from_slice(&run);
        }
        fs::write(place.path("broken.gguf"), bytes).unwrap();
        let model = inspected(&place, "broken.gguf", &["--check-data"]);
        let found = model["data"]["found"].as_array().unwrap().iter();
        let broken = found.filter(|found| found["weights"] != 0).map(|found| {
            let numbers = json!({ "weights": found["weights"], "first": found["first_weight"] });
            (found["tensor"].as_str().unwrap().to_owned(), numbers)
        });
        let broken: BTreeMap<String, Value> = broken.collect();
        assert_eq!(json!(broken), peer["broken"]["found"], "{name}");
        let oddities = model["oddities"].as_array().unwrap();
        assert!(oddities.iter().any(|oddity| oddity["id"] == "not_finite"), "{name}");
    }
}

#[track_caller]
fn check_oddity(place: &Place, name: &str, want: &str) {
    let page = stdout(place, ["inspect", name]);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&page).contains(want), "`{want}` is not in\n{page}");
}

#[test]
fn a_name_that_the_types_do_not_bear_out_is_told() {
    let place = place();
    fs::copy(lab(ORIGINAL), place.path("m-Q4_0.gguf")).unwrap();
    check_oddity(&place, "m-Q4_0.gguf", "named Q4_0, but `general.file_type` says BF16");
    check_oddity(
        &place,
        "m-Q4_0.gguf",
        "named Q4_0, but no matrix of a layer is Q4_0; most are BF16",
    );
    let args = ["quantize", ORIGINAL, "b-Q4_0.gguf", "--type", "Q4_0", "--quiet"];
    let mixed = ["--tensor-type", r"blk\.[012]\.attn_v=q4_1"];
    place.karat(args.into_iter().chain(mixed)).assert().success();
    check_oddity(
        &place,
        "b-Q4_0.gguf",
        "named Q4_0, but 3 tensors are Q4_1 (`blk.0.attn_v.weight`,",
    );
}

#[test]
fn a_missing_template_is_told() {
    let place = place();
    let change = ("", &b"tokenizer.chat_template"[..], &b"tokenizer.chat_tempXate"[..]);
    place.altered("bare.gguf", &lab(ORIGINAL), change);
    check_oddity(&place, "bare.gguf", "no chat template, though the vocabulary is made for chats");
}

#[test]
fn control_tokens_of_the_wrong_type_are_told() {
    let place = place();
    let build = place.build("Q4_0");
    altered(&place, &build);
    check_oddity(
        &place,
        "altered.gguf",
        "control tokens of the wrong type: `<|turn>` (15) is USER_DEFINED.",
    );
}

#[test]
fn several_models_are_told_one_after_the_other() {
    let place = place();
    let build = place.build("Q8_0");
    let page = stdout(&place, ["inspect", ORIGINAL, &build]);
    let titles = page.lines().filter(|line| line.contains(" weights in "));
    assert_eq!(titles.count(), 2, "{page}");
}

#[test]
fn the_hash_is_remembered() {
    let place = place();
    let known = "145b78e9ab3750af2628f768c53a344027e4c1ed82f7c134a6896753466748fa";
    assert_eq!(inspected(&place, ORIGINAL, &[])["identity"]["sha256"], known);
    assert_eq!(place.stored("content_hash"), 1);
    assert_eq!(inspected(&place, ORIGINAL, &[])["identity"]["sha256"], known);
}

#[test]
fn what_is_no_model_is_refused_in_one_line() {
    let place = place();
    fs::write(place.path("text.txt"), "# The model\n").unwrap();
    for args in [
        &["inspect", "text.txt"][..],
        &["inspect", ORIGINAL, "text.txt"],
        &["diff", ORIGINAL, "text.txt"],
    ] {
        place.check_refused(&mut place.karat(args.iter().copied()), "not with `GGUF`");
    }
    place.check_refused(&mut place.karat(["inspect", "nosuch.gguf"]), "cannot open `nosuch.gguf`");
    place.check_refused(&mut place.karat(["inspect"]), "<MODEL>");
    let bytes = fs::read(lab(ORIGINAL)).unwrap();
    fs::write(place.path("cut.gguf"), &bytes[..bytes.len() - 1]).unwrap();
    place.check_refused(&mut place.karat(["inspect", "cut.gguf"]), "cut short or damaged");
}

#[test]
fn two_models_that_cannot_be_compared_are_still_told_apart() {
    let place = place();
    let change = ("general.architecture", &b"gemma4"[..], &b"gemma3"[..]);
    place.altered("other.gguf", &lab(ORIGINAL), change);
    let page = stdout(&place, ["diff", ORIGINAL, "other.gguf"]);
    let last = page.lines().last().unwrap();
    let wanted = "no: `other` is a gemma3 model, `lab-base-bf16` a gemma4 model";
    assert!(last.contains(wanted), "{page}");
    assert!(page.contains("changed: general.architecture: gemma4 → gemma3"), "{page}");
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_text_is_shown_or_refused() {
    use std::os::unix::ffi::OsStrExt;
    let place = place();
    let name = std::ffi::OsStr::from_bytes(b"m\xff.gguf");
    fs::copy(lab(ORIGINAL), place.path("").join(Path::new(name))).unwrap();
    let output = place.karat(["inspect"]).arg(name).output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains(r"path    m\xff.gguf"), "{page}");
    place.text("text.txt", 3000);
    let refused = place.fidelity(["--text", "text.txt"]).arg(name).output().unwrap();
    check_line(&refused, r"the path `m\xff.gguf` is not UTF-8; rename it");
    let args = ["quantize", ORIGINAL, "--type", "Q4_0"];
    check_line(&place.karat(args).arg(name).output().unwrap(), "is not UTF-8; rename it");
}

#[test]
fn a_file_name_with_terminal_codes_reaches_no_terminal() {
    let place = place();
    let output = place.karat(["inspect", "no\x1b[31msuch.gguf"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(r"no\u{1b}[31msuch.gguf") && !said.contains('\x1b'), "{said}");
}
