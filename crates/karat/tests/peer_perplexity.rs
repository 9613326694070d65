//! Perplexity is llama-perplexity's, to every digit it prints, and so it is on the way there, after
//! every window.
//!
//! `fixtures/peer/ppl.json` names tool, version and command of every figure.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use karat::backend::Logits;
use karat::instrument::fidelity::pass::Pass;
use karat::metric::kernel::Kernel;
use lab::{BASE, BUILDS, Tokens};
use serde_json::Value;

/// Windows of each run of the peer.
const N_WINDOWS: usize = 60;
/// How far perplexities may be apart on another processor, relative to the peer's.
const OTHER_PROCESSOR: f64 = 2e-3;
/// Half a unit of the last printed digit, and what the peer's arithmetic in f32 and the rounding of its
/// softcap may add to it: values on the way that lie this near to the middle between two printed ones
/// can be printed as either. (One is 55.7983516, or 55.7983503 from logits that the engine capped,
/// which the peer prints as 55.7983.)
const HALF_UNIT: f64 = 0.5e-4 + 2e-6;

/// One model's perplexity over all windows so far.
#[derive(Default)]
struct Running {
    nll: f64,
    n_tokens: usize,
}

impl Running {
    fn observe(&mut self, nll: &[f64]) {
        self.nll += nll.iter().sum::<f64>();
        self.n_tokens += nll.len();
    }

    fn ppl(&self) -> f64 {
        (self.nll / self.n_tokens as f64).exp()
    }
}

/// As the peer prints it.
fn printed(ppl: f64) -> String {
    format!("{ppl:.4}")
}

/// How a perplexity has to agree with the peer's.
#[derive(Clone, Copy)]
enum Agreement {
    /// The same text.
    Printed,
    /// The peer's, rounded to the printed digits.
    Rounded,
    /// Computed by another processor.
    Loose,
}

impl Agreement {
    /// What is wrong with `got` where the peer printed `want`, if anything.
    fn difference(self, of: &str, got: f64, want: f64) -> Option<String> {
        let agrees = match self {
            Self::Printed => printed(got) == printed(want),
            Self::Rounded => (got - want).abs() <= HALF_UNIT,
            Self::Loose => (got / want - 1.0).abs() <= OTHER_PROCESSOR,
        };
        (!agrees).then(|| format!("{of}: got {got:.8}, the peer printed {}", printed(want)))
    }
}

/// All builds in lock-step over the first windows of a text, each compared with the peer's run of it.
#[track_caller]
fn check(corpus: &str) {
    let peer = lab::peer("ppl.json");
    let exact = lab::same_arithmetic(&peer["tool"]);
    let [at_the_end, on_the_way] = if exact {
        [Agreement::Printed, Agreement::Rounded]
    } else {
        [Agreement::Loose, Agreement::Loose]
    };
    let names: Vec<&str> = [BASE].into_iter().chain(BUILDS).collect();
    let runs: Vec<&Value> =
        names.iter().map(|name| &peer["runs"][format!("{name}.{corpus}.{N_WINDOWS}")]).collect();
    // Threads do not change results; the four texts share the processor.
    let mut models = lab::load_to_score(&lab::builds(names.iter().copied()), 1);
    let text = Tokens::read_with(models[0].vocab().unwrap(), corpus);
    let own = (0..models.len()).collect();
    let models = models.iter_mut().map(|model| model as &mut dyn Logits).collect();
    let mut pass = Pass::new(models, own, Vec::new(), Kernel::detect());
    let mut running: Vec<Running> = names.iter().map(|_| Running::default()).collect();
    let mut differences = Vec::new();
    for (window_idx, window) in text.windows(N_WINDOWS).enumerate() {
        let scores = pass.score(&window, |_| ()).unwrap();
        for (model, running) in running.iter_mut().enumerate() {
            running.observe(&scores.own[model].nll);
            let want = runs[model]["running_ppl"][window_idx].as_f64().unwrap();
            let of = format!("{} on {corpus}, windows 0 to {window_idx}", names[model]);
            differences.extend(on_the_way.difference(&of, running.ppl(), want));
        }
    }
    for ((name, run), running) in names.iter().zip(runs).zip(running) {
        assert_eq!(running.n_tokens, N_WINDOWS * 255);
        let of = format!("{name} on {corpus}, final estimate");
        differences.extend(at_the_end.difference(&of, running.ppl(), lab::number(run, "ppl")));
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
