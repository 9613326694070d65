//! What must not change a result, and does not: another copy of the same file, more threads, company
//! in the lock-step.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use std::path::PathBuf;

use karat::backend::Logits;
use karat::instrument::fidelity::pass::{Pass, WindowScores};
use karat::metric::kernel::Kernel;
use karat::metric::token::{ModelScores, PairScores};
use karat::plan::Pair;
use lab::{BASE, Tokens};

/// Windows scored on a text.
const N_WINDOWS: usize = 4;

/// A model against a byte-for-byte copy of its file, through the whole program.
#[track_caller]
fn check_copy(build: &str) {
    let folder = tempfile::tempdir().unwrap();
    let original = &lab::builds([build])[0];
    let copy = folder.path().join("copy.gguf");
    std::fs::copy(original, &copy).unwrap();
    let mut command = lab::karat(&folder.path().join("home"));
    command.args(["--quiet", "fidelity", "--format", "json", "--threads", "1"]);
    command.args(["--chunks", &N_WINDOWS.to_string()]);
    command.arg("--text").arg(lab::text("english")).arg("--reference").arg(original);
    let report = lab::json(command.arg(&copy));

    let name = lab::short_name(build);
    for (metric, want) in [
        ("kld_mean", 0.0),
        ("kld_max", 0.0),
        ("reverse_kld_mean", 0.0),
        ("delta_p_mean", 0.0),
        ("delta_p_rms", 0.0),
        ("ln_ppl_ratio", 0.0),
        ("same_top_p", 1.0),
        ("top5_overlap", 1.0),
    ] {
        let row = lab::estimate(&report, metric, "copy", Some(&name), "english");
        assert_eq!(row["value"].as_f64(), Some(want), "{metric}");
        assert_eq!(row["n"], N_WINDOWS, "{metric}");
    }
    let ppl = |name| lab::estimate(&report, "ppl", name, None, "english")["value"].as_f64();
    assert!(ppl("copy") > Some(1.0) && ppl("copy") == ppl(&name));
}

#[test]
fn a_full_precision_model_is_no_distance_from_its_copy() {
    check_copy(BASE);
}

#[test]
fn a_quantized_model_is_no_distance_from_its_copy() {
    check_copy("base-Q4_0");
}

/// The first windows of a text by these models, the first of which is the reference of the others.
fn score(paths: &[PathBuf], n_threads: u32, corpus: &str) -> Vec<WindowScores> {
    let mut models = lab::load(paths, n_threads);
    let text = Tokens::read(&models[0], corpus);
    let own = (0..models.len()).collect();
    let pairs: Vec<_> =
        (1..models.len()).map(|candidate| Pair { reference: 0, candidate }).collect();
    let all_pairs: Vec<usize> = (0..pairs.len()).collect();
    let models = models.iter_mut().map(|model| model as &mut dyn Logits).collect();
    let mut pass = Pass::new(models, own, pairs, Kernel::detect())
        .with_worst(&all_pairs)
        .with_threads(n_threads as usize);
    let mut scores = Vec::new();
    pass.score_all(text.windows(N_WINDOWS), |_| (), |_, window| scores.push(window)).unwrap();
    scores
}

/// Every stored byte: floats that are equal but differ in sign, say, would show.
fn bytes(windows: &[WindowScores]) -> Vec<Vec<u8>> {
    let scores = |window: &WindowScores| {
        let own: Vec<_> = window.own.iter().map(ModelScores::encode).collect();
        // The shortest decimals that read back as the same float.
        let worst = window.worst.iter().map(|worst| format!("{worst:?}").into_bytes());
        [own, window.pairs.iter().map(PairScores::encode).collect(), worst.collect()].concat()
    };
    windows.iter().flat_map(scores).collect()
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let paths = lab::builds([BASE, "base-Q8_0", "base-Q4_K_M", "base-Q4_0"]);
    let one = bytes(&score(&paths, 1, "polish"));
    assert_eq!(one.len(), N_WINDOWS * (4 + 3 + 3));
    assert!(one == bytes(&score(&paths, 2, "polish")));
}

#[test]
fn company_in_the_lock_step_changes_no_bit() {
    let paths = lab::builds([BASE, "base-Q8_0", "base-Q6_K", "base-Q4_K_M", "base-Q4_0"]);
    let together = score(&paths, 1, "code");
    for candidate in 1..paths.len() {
        let alone = score(&[paths[0].clone(), paths[candidate].clone()], 1, "code");
        let picked: Vec<WindowScores> = together
            .iter()
            .map(|window| WindowScores {
                own: vec![window.own[0].clone(), window.own[candidate].clone()],
                pairs: vec![window.pairs[candidate - 1].clone()],
                worst: vec![window.worst[candidate - 1].clone()],
            })
            .collect();
        assert!(bytes(&alone) == bytes(&picked), "{} differs", paths[candidate].display());
    }
}
