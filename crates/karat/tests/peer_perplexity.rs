//! Perplexity is llama-perplexity's, to every digit it prints, window by window.
//!
//! `fixtures/peer/ppl.json` names tool, version and command of every figure.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use karat::backend::Logits;
use karat::instrument::fidelity::pass::Pass;
use karat::metric::kernel::Kernel;
use lab::{BASE, BUILDS, QAT, Tokens};
use serde_json::Value;

/// Windows of each run of the peer.
const N_WINDOWS: usize = 60;
/// How far perplexities may be apart on another processor, relative to the peer's.
const OTHER_PROCESSOR: f64 = 2e-3;

/// One model's perplexity over all windows so far.
#[derive(Default)]
struct Running {
    nll: f64,
    n_tokens: usize,
}

impl Running {
    fn observe(&mut self, nll: &[f64]) -> f64 {
        self.nll += nll.iter().sum::<f64>();
        self.n_tokens += nll.len();
        (self.nll / self.n_tokens as f64).exp()
    }
}

/// As the peer prints it.
fn printed(ppl: f64) -> String {
    format!("{ppl:.4}")
}

/// What is wrong with `got` where the peer printed `want`, if anything.
fn difference(of: &str, got: f64, want: f64, exact: bool) -> Option<String> {
    let agrees = if exact {
        printed(got) == printed(want)
    } else {
        (got / want - 1.0).abs() <= OTHER_PROCESSOR
    };
    (!agrees).then(|| format!("{of}: got {got:.7}, the peer printed {}", printed(want)))
}

/// All builds in lock-step over the first windows of a text, each compared with the peer's run of it
/// after every window.
#[track_caller]
fn check(corpus: &str) {
    let peer = lab::peer("ppl.json");
    let exact = lab::same_arithmetic(&peer["tool"]);
    let names: Vec<&str> = [BASE, QAT].into_iter().chain(BUILDS).collect();
    // Threads do not change results; the four texts share the processor.
    let mut models = lab::load(&lab::builds(names.iter().copied()), 1);
    let text = Tokens::read(&models[0], corpus);
    let own = (0..models.len()).collect();
    let models = models.iter_mut().map(|model| model as &mut dyn Logits).collect();
    let mut pass = Pass::new(models, own, Vec::new(), Kernel::detect());
    let runs: Vec<&Value> =
        names.iter().map(|name| &peer["runs"][format!("{name}.{corpus}.60")]).collect();
    let mut running: Vec<Running> = names.iter().map(|_| Running::default()).collect();
    let mut differences = Vec::new();
    for (window_idx, window) in text.windows(N_WINDOWS).enumerate() {
        let scores = pass.score(&window, |_| ()).unwrap();
        for (model, running) in running.iter_mut().enumerate() {
            let ppl = running.observe(&scores.own[model].nll);
            let want = runs[model]["running_ppl"][window_idx].as_f64().unwrap();
            let of = format!("{} on {corpus}, windows 0 to {window_idx}", names[model]);
            differences.extend(difference(&of, ppl, want, exact));
            if window_idx + 1 == N_WINDOWS {
                let of = format!("{} on {corpus}, final estimate", names[model]);
                let want = lab::number(runs[model], "ppl");
                differences.extend(difference(&of, ppl, want, exact));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn perplexity_of_every_build_is_the_peers_on_english() {
    check("english");
}

#[test]
fn perplexity_of_every_build_is_the_peers_on_code() {
    check("code");
}

#[test]
fn perplexity_of_every_build_is_the_peers_on_polish() {
    check("polish");
}

#[test]
fn perplexity_of_every_build_is_the_peers_on_wikitext2() {
    check("wikitext2-test");
}
