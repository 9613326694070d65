//! Bad input to the whole command: one clear line, exit code 2, nothing half-written.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod cli_lab;

use std::fs;

use cli_lab::{ORIGINAL, Place, check_line, lab};

const TEXT: &str = "text.txt";

/// A place with a text of a few windows.
fn place() -> Place {
    let place = Place::new();
    place.text(TEXT, 3000);
    place
}

/// `karat fidelity` of `candidate` is refused with a line that says `what`.
#[track_caller]
fn check_candidate(place: &Place, candidate: &str, what: &str) {
    place.check_refused(&mut place.fidelity([candidate, "--text", TEXT]), what);
}

/// `karat fidelity` of the original against itself, with other arguments, is refused.
#[track_caller]
fn check_args(args: &[&str], what: &str) {
    let (place, original) = (place(), lab(ORIGINAL));
    let candidate = [original.to_str().unwrap(), "--text", TEXT];
    let mut command = place.fidelity(candidate.into_iter().chain(args.iter().copied()));
    place.check_refused(&mut command, what);
}

/// `karat fidelity` on a text with these bytes is refused.
#[track_caller]
fn check_text(bytes: &[u8], what: &str) {
    let place = Place::new();
    fs::write(place.path(TEXT), bytes).unwrap();
    check_candidate(&place, lab(ORIGINAL).to_str().unwrap(), what);
}

/// `karat quantize` of the original to `output` is refused.
#[track_caller]
fn check_quantize(place: &Place, output: &str, args: &[&str], what: &str) {
    let original = lab(ORIGINAL);
    let all = ["quantize", original.to_str().unwrap(), output];
    place.check_refused(&mut place.karat(all.into_iter().chain(args.iter().copied())), what);
}

#[test]
fn a_model_that_is_no_gguf_file_is_named() {
    let place = place();
    fs::write(place.path("README.md"), "# The model\n").unwrap();
    check_candidate(&place, "README.md", "`README.md`: starts with `# Th`, not with `GGUF`");
    check_candidate(&place, TEXT, "not a GGUF file");
    check_candidate(&place, "nosuch.gguf", "cannot open `nosuch.gguf`");
    check_candidate(&place, "home", "give the path of a .gguf file");
    fs::write(place.path("empty.gguf"), "").unwrap();
    check_candidate(&place, "empty.gguf", "0 remain");
}

#[test]
fn a_reference_is_checked_as_a_candidate_is() {
    let place = place();
    let args = ["fidelity", TEXT, "--text", TEXT, "--reference", "nosuch.gguf"];
    place.check_refused(&mut place.karat(args), "cannot open `nosuch.gguf`");
}

#[test]
fn a_model_cut_short_anywhere_is_refused() {
    let place = place();
    let bytes = fs::read(lab(ORIGINAL)).unwrap();
    // In the magic, the version, the counts, the first key, the vocabulary, the merges, the tensor
    // data, and one byte short of whole.
    for n_bytes in [1, 3, 4, 8, 20, 24, 100, 5_000, 200_000, 4_000_000, bytes.len() - 1] {
        fs::write(place.path("cut.gguf"), &bytes[..n_bytes]).unwrap();
        check_candidate(&place, "cut.gguf", "`cut.gguf`: ");
        let quantize = ["quantize", "cut.gguf", "out.gguf", "--type", "Q4_0"];
        place.check_refused(&mut place.karat(quantize), "cut short or damaged");
    }
}

#[test]
fn a_header_of_another_make_is_told_apart() {
    let (place, original) = (place(), lab(ORIGINAL));
    let version = 3u32.to_le_bytes();
    place.altered("magic.gguf", &original, ("", b"GGUF", b"FUGG"));
    check_candidate(&place, "magic.gguf", "starts with `FUGG`, not with `GGUF`");
    place.altered("big.gguf", &original, ("", &version, &3u32.to_be_bytes()));
    check_candidate(&place, "big.gguf", "big-endian");
    place.altered("newer.gguf", &original, ("", &version, &9u32.to_le_bytes()));
    check_candidate(&place, "newer.gguf", "GGUF version 9 is unknown");
}

/// A header that the engine could never load is refused while planning, by whatever would load it.
#[track_caller]
fn check_unloadable(verb: &str, args: &[&str]) {
    let place = place();
    let (four, many) = (4_u32.to_le_bytes(), u32::MAX.to_le_bytes());
    place.altered("bad.gguf", &lab(ORIGINAL), ("gemma4.block_count\u{4}\0\0\0", &four, &many));
    let original = lab(ORIGINAL);
    let original = original.to_str().unwrap();
    let models = [verb, "--threads", "1", "bad.gguf"];
    let all = models.into_iter().chain(args.iter().copied()).chain([original]);
    place.check_refused(
        &mut place.karat(all),
        "bad: the header says `gemma4.block_count` = 4294967295",
    );
}

#[test]
fn a_header_of_absurd_sizes_is_refused_by_every_verb() {
    check_unloadable("probe", &[]);
    check_unloadable("memory", &[]);
    check_unloadable("bench", &["--suite", "quick"]);
    check_unloadable("compare", &["--text", TEXT, "--reference"]);
}

#[test]
fn builds_of_two_models_are_not_compared() {
    let (place, original) = (place(), lab(ORIGINAL));
    let token = b"\x03\0\0\0\0\0\0\0the";
    let other = b"\x03\0\0\0\0\0\0\0thE";
    place.altered("vocab.gguf", &original, ("tokenizer.ggml.tokens", token, other));
    check_candidate(&place, "vocab.gguf", r#"as "thE", `lab-base-bf16` as "the""#);
    place.altered("arch.gguf", &original, ("general.architecture", b"gemma4", b"gemma3"));
    check_candidate(
        &place,
        "arch.gguf",
        "`arch` is a gemma3 model, `lab-base-bf16` a gemma4 model",
    );
    // Rows of another length: the first dimension of a tensor halved, so that the file still holds
    // more data than its table asks for.
    let dims = [256u64.to_le_bytes(), 512u64.to_le_bytes()].concat();
    let fewer = [128u64.to_le_bytes(), 512u64.to_le_bytes()].concat();
    place.altered("shape.gguf", &original, ("blk.0.ffn_gate.weight", &dims, &fewer));
    check_candidate(&place, "shape.gguf", "tensor `blk.0.ffn_gate.weight` is 128 x 512 in `shape`");
}

#[test]
fn a_text_given_twice_is_refused() {
    let place = place();
    fs::copy(place.path(TEXT), place.path("copy.txt")).unwrap();
    let original = lab(ORIGINAL);
    let original = original.to_str().unwrap();
    for again in [TEXT, "copy.txt"] {
        let mut command = place.fidelity([original, "--text", TEXT, "--text", again]);
        place.check_refused(&mut command, "are the same to the byte; give each text once");
    }
}

#[test]
fn a_twin_of_another_model_is_refused() {
    let (place, original) = (place(), lab(ORIGINAL));
    let token = b"\x03\0\0\0\0\0\0\0the";
    place.altered("name.gguf", &original, ("", b"blk.0.ffn_gate.weight", b"blk.9.ffn_gate.weight"));
    let args = ["twin", "--like", "name.gguf", original.to_str().unwrap(), "out.gguf"];
    place.check_refused(&mut place.karat(args), "are not builds of one model");
    fs::write(place.path("text.gguf"), token).unwrap();
    let args = ["twin", "--like", "text.gguf", original.to_str().unwrap(), "out.gguf"];
    place.check_refused(&mut place.karat(args), "not a GGUF file");
}

#[test]
fn a_text_that_cannot_be_scored_is_refused() {
    check_text(b"", "text `text.txt` is empty");
    check_text(b"Too short for two windows.", "less than two windows of 64");
    check_text(b"abc\xff", "`text.txt` is not UTF-8 at byte 3");
    let place = Place::new();
    let original = lab(ORIGINAL);
    check_candidate(&place, original.to_str().unwrap(), "cannot read text `text.txt`");
    fs::create_dir(place.path(TEXT)).unwrap();
    check_candidate(&place, original.to_str().unwrap(), "text `text.txt` is no regular file");
}

#[test]
fn nothing_to_compare_and_nothing_to_score_are_refused() {
    let (place, original) = (place(), lab(ORIGINAL));
    place.check_refused(&mut place.fidelity(["--text", TEXT]), "no candidate given");
    place.check_refused(&mut place.fidelity([original.to_str().unwrap()]), "no text given");
    place.check_refused(&mut place.karat(["fidelity", TEXT]), "--reference <GGUF>");
    place.check_refused(&mut place.karat(["bogus"]), "unrecognized subcommand 'bogus'");
}

#[test]
fn flags_without_sense_are_refused() {
    check_args(&["--format", "xyz"], "possible values: text, markdown, json, csv");
    check_args(&["--gpu-layers", "many"], "give a number or `all`");
    check_args(&["--level", "2"], "--level 2 is not between 0 and 1");
    check_args(&["--level", "-1"], "--level -1 is not between 0 and 1");
    check_args(&["--level", "NaN"], "is not between 0 and 1");
    check_args(&["--chunks", "0"], "--chunks 0 leaves nothing to score");
    check_args(&["--worker-timeout", "0"], "is no time in seconds");
    check_args(&["--worker-timeout", "-3"], "--worker-timeout -3 is no time in seconds");
    check_args(&["--worker-timeout", "inf"], "is no time in seconds");
    check_args(&["--language", "other=pl"], "no text is called that; there are text");
    check_args(&["--language", "text=pl", "--language", "text.txt=en"], "has a language already");
    check_args(&["--language", "text=zażółć"], "is no name of a language");
    check_args(&["--worst", "17"], "17 is not in");
    check_args(&["--color", "mauve"], "possible values: auto, always, never");
    check_args(&["--qaat", "x"], "unexpected argument '--qaat' found; tip:");
}

#[test]
fn windows_and_threads_have_bounds() {
    let (place, original) = (place(), lab(ORIGINAL));
    let original = original.to_str().unwrap();
    let run = |flag, value| {
        let args = ["fidelity", "--reference", original, original, "--text", TEXT, flag, value];
        place.karat(args)
    };
    place.check_refused(&mut run("--ctx", "4"), "--ctx 4 is too short");
    place.check_refused(&mut run("--threads", "0"), "'0' for '--threads <N>'");
    place.check_refused(&mut run("--threads", "513"), "'513' for '--threads <N>'");
    let text_of = |command: &mut assert_cmd::Command| command.output().unwrap();
    check_line(&text_of(&mut run("--ctx", "5000000000")), "'--ctx <N>'");
    check_quantize(&place, "out.gguf", &["--type", "Q4_0", "-t", "0"], "'0' for '--threads <N>'");
    place.check_refused(&mut place.karat(["demo", "--chunks", "0"]), "'0' for '--chunks <N>'");
}

#[test]
fn a_third_reference_and_a_stranger_with_a_role_are_refused() {
    let original = lab(ORIGINAL);
    let reference = ["--reference", original.to_str().unwrap()];
    let three = [reference, reference].concat();
    check_args(&three, "3 references given; at most two");
    check_args(&[&reference[..], &["--qat", "x.gguf"]].concat(), "--qat x.gguf is not among");
    check_args(&["--naive", "x.gguf"], "--naive needs a second --reference");
    check_args(&["--twin", "x.gguf"], "--twin x.gguf is not among the candidates");
}

#[test]
fn a_candidate_behind_a_text_is_a_candidate() {
    let place = place();
    let args = ["--text", TEXT, "nosuch.gguf"];
    place.check_refused(&mut place.fidelity(args), "cannot open `nosuch.gguf`");
}

#[test]
fn types_and_patterns_that_do_not_exist_are_refused() {
    let place = Place::new();
    check_quantize(&place, "out.gguf", &["--type", "Q9_9"], "`Q9_9` is no file type");
    check_quantize(&place, "out.gguf", &["--type", "Q4_K_X"], "`Q4_K_X` is no file type");
    check_quantize(&place, "out.gguf", &[], "--type <TYPE>");
    let rule = |rule| ["--type", "Q4_0", "--tensor-type", rule];
    check_quantize(&place, "out.gguf", &rule("attn_v"), "`attn_v` is no REGEX=TYPE");
    check_quantize(&place, "out.gguf", &rule("attn_(=q8_0"), "pattern `attn_(`");
    check_quantize(&place, "out.gguf", &rule("attn_v=q9"), "`q9` is no tensor type");
    check_quantize(&place, "out.gguf", &["--type", "IQ1_S"], "needs an importance matrix");
    let calib = lab("calib.txt");
    let imatrix = ["--type", "Q4_0", "--imatrix", calib.to_str().unwrap()];
    check_quantize(&place, "out.gguf", &imatrix, "nor a legacy importance matrix");
}

#[test]
fn an_output_in_the_way_is_kept() {
    let place = Place::new();
    fs::write(place.path("there.gguf"), "somebody's").unwrap();
    let q4 = ["--type", "Q4_0"];
    check_quantize(&place, "there.gguf", &q4, "exists: give another name, or replace it");
    assert_eq!(fs::read(place.path("there.gguf")).unwrap(), b"somebody's");
    check_quantize(&place, "no/folder.gguf", &q4, "cannot write in folder `no`");
    check_quantize(&place, ".", &q4, "is a folder, a device or no file name");
    let original = lab(ORIGINAL);
    let itself = ["--type", "Q4_0", "--overwrite"];
    check_quantize(&place, original.to_str().unwrap(), &itself, "is the input");
    check_quantize(&place, "there.gguf", &["--type", "Q9_9", "--overwrite"], "no file type");
    assert_eq!(fs::read(place.path("there.gguf")).unwrap(), b"somebody's");
}

#[test]
fn a_refused_build_leaves_the_half_made_file_of_another_alone() {
    let place = Place::new();
    fs::write(place.path("out.gguf"), "whole").unwrap();
    fs::write(place.path(".out.gguf.abc123.part"), "half").unwrap();
    check_quantize(&place, "out.gguf", &["--type", "Q4_0"], "exists");
    assert!(place.names().contains(".out.gguf.abc123.part"));
}

#[test]
fn an_already_quantized_input_is_refused_unless_told() {
    let place = Place::new();
    let q8 = place.build("Q8_0");
    let args = ["quantize", &q8, "out.gguf", "--type", "Q4_0"];
    place.check_refused(&mut place.karat(args), "already quantized (Q8_0)");
    place.karat(args).arg("--allow-requantize").assert().success();
    assert!(place.names().contains("out.gguf"));
}

#[test]
fn a_request_by_hand_to_the_worker_is_refused() {
    let place = Place::new();
    for garbage in [&b"garbage\n"[..], b"", b"\n", b"\xff\xfe\n", b"{\"protocol\":1}\n", b"[]"] {
        let output = place.karat(["worker"]).write_stdin(garbage).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        check_line(&output, "karat starts this process itself");
    }
}

#[test]
fn a_worker_of_another_version_is_refused() {
    let survey = r#"{"model":"m.gguf","texts":[],"ruler":{"n_ctx":8,"n_ubatch":8,"gpu_layers":0,"parse_special":false}}"#;
    let request = format!("{{\"protocol\":9999,\"job\":{{\"survey\":{survey}}}}}\n");
    let output = Place::new().karat(["worker"]).write_stdin(request).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    check_line(&output, "karat was replaced while it ran");
}

/// `karat fidelity --chat` on a file with these bytes is refused.
#[track_caller]
fn check_chat(bytes: &[u8], what: &str) {
    let place = Place::new();
    fs::write(place.path("chat.jsonl"), bytes).unwrap();
    let original = lab(ORIGINAL);
    let args = [original.to_str().unwrap(), "--chat", "chat.jsonl"];
    place.check_refused(&mut place.fidelity(args), what);
}

#[test]
fn a_file_that_holds_no_conversations_is_named_with_its_line() {
    let good = r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#;
    let second = |line: &str| format!("{good}\n{line}\n");
    check_chat(b"", "text `chat.jsonl` is empty");
    check_chat(good.as_bytes(), "has 1 conversation of at most 64 tokens");
    check_chat(second("{\"messages\"").as_bytes(), "`chat.jsonl` line 2: no JSON");
    check_chat(second("{\"text\": \"x\"}").as_bytes(), "line 2: no conversation");
    let silent = r#"{"messages":[{"role":"user","content":"a"}]}"#;
    check_chat(second(silent).as_bytes(), "line 2: no message of role \"assistant\" has text");
    check_chat(b"\xff\xfe", "not UTF-8 at byte 0");
}

#[test]
fn a_model_without_a_chat_template_cannot_score_conversations() {
    let place = Place::new();
    let template = ("tokenizer.", &b"chat_template"[..], &b"chat_remplate"[..]);
    place.altered("plain.gguf", &lab(ORIGINAL), template);
    let good = r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#;
    fs::write(place.path("chat.jsonl"), good).unwrap();
    let args = ["fidelity", "--reference", "plain.gguf", "plain.gguf", "--chat", "chat.jsonl"];
    place.check_refused(&mut place.karat(args), "`plain.gguf`: it has no chat template");
}

#[test]
fn texts_and_conversations_do_not_mix() {
    check_args(&["--chat", "chat.jsonl"], "--chat");
}
