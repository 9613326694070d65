//! What `karat fidelity` reports, against the same figures computed in f64 with compensated sums from
//! the engine's own logits: another arithmetic, another order, none of the program's code.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use lab::{BASE, BUILDS, QAT, Tokens};
use serde_json::Value;

/// Windows scored on each text.
const N_WINDOWS: usize = 3;
/// How far a mean over tokens may be from the oracle's.
const MEAN: f64 = 1e-7;
/// How far a single token's KLD may be: the kernel promises 2e-7 + 6e-8 Σ p |x - y| at worst, and here
/// the logits of two builds are less than ten apart.
const TOKEN: f64 = 8e-7;

/// A sum that keeps what each addition loses (Neumaier 1974).
#[derive(Clone, Copy, Default)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - sum) + value
        } else {
            (value - sum) + self.sum
        };
        self.sum = sum;
    }

    fn of(values: impl Iterator<Item = f64>) -> f64 {
        let mut sum = Self::default();
        values.for_each(|value| sum.add(value));
        sum.value()
    }

    fn value(self) -> f64 {
        self.sum + self.lost
    }
}

/// Natural-log probabilities of a row of logits.
fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shifted = || logits.iter().map(move |&logit| f64::from(logit) - f64::from(max));
    let log_sum = Sum::of(shifted().map(f64::exp)).ln();
    shifted().map(|logit| logit - log_sum).collect()
}

fn kl_divergence(log_p: &[f64], log_q: &[f64]) -> f64 {
    Sum::of(log_p.iter().zip(log_q).map(|(p, q)| p.exp() * (p - q)))
}

/// First token of the largest value.
fn argmax(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, token| if values[token] > values[best] { token } else { best })
}

/// Figures of one candidate against one reference, over tokens.
#[derive(Default)]
struct Oracle {
    kld: Sum,
    kld_max: f64,
    reverse_kld: Sum,
    same_top: usize,
    delta_p: Sum,
    delta_p_squared: Sum,
    nll: Sum,
    nll_reference: Sum,
    n_tokens: usize,
}

impl Oracle {
    fn observe(&mut self, log_p: &[f64], log_q: &[f64], target: usize) {
        let kld = kl_divergence(log_p, log_q);
        self.kld.add(kld);
        self.kld_max = self.kld_max.max(kld);
        self.reverse_kld.add(kl_divergence(log_q, log_p));
        self.same_top += usize::from(argmax(log_p) == argmax(log_q));
        let delta_p = log_q[target].exp() - log_p[target].exp();
        self.delta_p.add(delta_p);
        self.delta_p_squared.add(delta_p * delta_p);
        self.nll.add(-log_q[target]);
        self.nll_reference.add(-log_p[target]);
        self.n_tokens += 1;
    }

    /// Metric, value, how far a report may be from it.
    fn figures(&self) -> Vec<(&'static str, f64, f64)> {
        let mean = |sum: Sum| sum.value() / self.n_tokens as f64;
        vec![
            ("kld_mean", mean(self.kld), MEAN),
            ("kld_max", self.kld_max, TOKEN),
            ("reverse_kld_mean", mean(self.reverse_kld), MEAN),
            ("same_top_p", self.same_top as f64 / self.n_tokens as f64, 1e-15),
            ("delta_p_mean", mean(self.delta_p), MEAN),
            ("delta_p_rms", mean(self.delta_p_squared).sqrt(), MEAN),
            ("ln_ppl_ratio", mean(self.nll) - mean(self.nll_reference), MEAN),
        ]
    }
}

/// The report of the program on the first windows of a text.
fn report(corpus: &str, names: &[&str]) -> Value {
    let home = tempfile::tempdir().unwrap();
    let paths = lab::builds(names.iter().copied());
    let mut command = lab::karat(home.path());
    command.args(["--quiet", "fidelity", "--format", "json", "--threads", "1"]);
    command.args(["--chunks", &N_WINDOWS.to_string()]).arg("--text").arg(lab::text(corpus));
    command.arg("--reference").arg(&paths[0]).arg("--reference").arg(&paths[1]);
    lab::json(command.args(&paths[2..]))
}

/// Every build against both references on the first windows of a text.
#[track_caller]
fn check(corpus: &str) {
    let names: Vec<&str> = [BASE, QAT].into_iter().chain(BUILDS).collect();
    let report = report(corpus, &names);
    let mut models = lab::load(&lab::builds(names.iter().copied()), 1);
    let text = Tokens::read(&models[0], corpus);
    let mut oracles: Vec<[Oracle; 2]> = names.iter().map(|_| Default::default()).collect();
    for window in text.windows(N_WINDOWS) {
        let rows: Vec<_> =
            models.iter_mut().map(|model| lab::scored_rows(model, &window)).collect();
        for position in 0..rows[0].len() {
            let target = rows[0][position].1 as usize;
            let log_p: Vec<_> = rows.iter().map(|rows| log_softmax(&rows[position].0)).collect();
            for (candidate, oracles) in oracles.iter_mut().enumerate() {
                for (reference, oracle) in oracles.iter_mut().enumerate() {
                    oracle.observe(&log_p[reference], &log_p[candidate], target);
                }
            }
        }
    }
    let mut differences = Vec::new();
    for (candidate, oracles) in names.iter().zip(&oracles).skip(2) {
        for (reference, oracle) in names.iter().zip(oracles) {
            let names = [candidate, reference].map(|name| lab::short_name(name));
            for (metric, want, allowed) in oracle.figures() {
                let row = lab::estimate(&report, metric, &names[0], Some(&names[1]), corpus);
                let got = lab::number(row, "value");
                if (got - want).abs() > allowed {
                    let [candidate, reference] = &names;
                    let of = format!("{metric} of {candidate} against {reference} on {corpus}");
                    differences.push(format!("{of}: got {got:.12}, want {want:.12}"));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn reported_divergences_are_the_oracles_on_english() {
    check("english");
}

#[test]
fn reported_divergences_are_the_oracles_on_code() {
    check("code");
}

#[test]
fn reported_divergences_are_the_oracles_on_polish() {
    check("polish");
}

#[test]
fn reported_divergences_are_the_oracles_on_wikitext2() {
    check("wikitext2-test");
}
