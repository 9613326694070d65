//! KL divergence, same-top and delta-p are llama-perplexity's, once the reference's rows are rounded
//! to 16 bits as its logits file rounds them; and so rounded, our logits are that file, bit for bit.
//!
//! `fixtures/peer/kld.json` names tool, version and command of every figure; the rounding is written
//! down in the README beside it.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use karat::digest::hex;
use karat::metric::kernel::{Kernel, PairStats, Reference};
use lab::{BASE, BUILDS, N_CTX, QAT, Tokens};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Windows of each run of the peer.
const N_WINDOWS: usize = 20;
/// How far mean KLDs may be apart, in nats; half of it is what the peer's six digits leave open.
const KLD: f64 = 1e-6;
/// The same on another processor: the rounding of its products alone moves logits by about this much.
const KLD_OTHER_PROCESSOR: f64 = 2e-3;
/// How far percentages may be apart there.
const PERCENT_OTHER_PROCESSOR: f64 = 2.0;

/// A row of reference logits as the peer's logits file holds it.
struct Rounded {
    scale: f32,
    min_log_p: f32,
    codes: Vec<u16>,
}

impl Rounded {
    /// Each product and sum is rounded to f32 by itself, but for the sum of exponentials.
    fn new(logits: &[f32]) -> Self {
        let hi = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let lo = logits.iter().copied().fold(f32::INFINITY, f32::min).max(hi - 16.0);
        let sum: f64 = logits.iter().map(|logit| f64::from((logit - hi).exp())).sum();
        let scale = (hi - lo) / 65535.0;
        let per_unit = 1.0 / scale;
        let code = |logit: f32| {
            if logit > lo { (per_unit * (logit - lo)).round_ties_even() as u16 } else { 0 }
        };
        assert!(scale > 0.0, "a flat row has no codes");
        let codes = logits.iter().map(|&logit| code(logit)).collect();
        Self { scale, min_log_p: (lo - hi) - sum.ln() as f32, codes }
    }

    /// The row as stored, little-endian.
    fn bytes(&self) -> Vec<u8> {
        let bounds = [self.scale, self.min_log_p].map(f32::to_le_bytes).concat();
        bounds.into_iter().chain(self.codes.iter().flat_map(|code| code.to_le_bytes())).collect()
    }

    /// The log-probabilities that the peer compares with; they do not quite sum to one.
    fn log_p(&self) -> Vec<f32> {
        let stored = |&code: &u16| self.scale * f32::from(code) + self.min_log_p;
        self.codes.iter().map(stored).collect()
    }
}

/// What the kernel's figures leave out of a comparison the way the peer makes it.
struct Unnormalised {
    /// Sum of the reference's rounded probabilities.
    mass: f64,
    /// Reference entries at or below -16, which the peer skips: log-probability and token.
    skipped: Vec<(f64, usize)>,
}

impl Unnormalised {
    fn new(log_p: &[f32]) -> Self {
        let mass = log_p.iter().map(|&r| f64::from(r).exp()).sum();
        let entries = log_p.iter().enumerate().filter(|&(_, &r)| r <= -16.0);
        let skipped = entries.map(|(token, &r)| (f64::from(r), token)).collect();
        Self { mass, skipped }
    }

    /// The kernel divides by the mass Z of the reference; the peer does not:
    /// Σ exp(r) (r - log q) = Z (KLD + ln Z), less the entries it skips.
    fn kld(&self, stats: &PairStats, candidate: &[f32]) -> f64 {
        let lse = stats.candidate.lse();
        let skipped = self.skipped.iter();
        let skipped =
            skipped.map(|&(r, token)| r.exp() * (r - (f64::from(candidate[token]) - lse)));
        self.mass * (stats.kld + self.mass.ln()) - skipped.sum::<f64>()
    }
}

/// One candidate's sums over all positions so far.
#[derive(Default)]
struct Sums {
    kld: f64,
    same_top: usize,
    delta_p: f64,
    delta_p_squared: f64,
    n_tokens: usize,
}

impl Sums {
    fn observe(&mut self, kld: f64, delta_p: f64, same_top: bool) {
        self.kld += kld;
        self.delta_p += delta_p;
        self.delta_p_squared += delta_p * delta_p;
        self.same_top += usize::from(same_top);
        self.n_tokens += 1;
    }

    /// What is wrong where the peer printed `run`.
    fn differences(&self, run: &Value, exact: bool) -> Vec<String> {
        let n_tokens = self.n_tokens as f64;
        let (kld, want) = (self.kld / n_tokens, lab::number(&run["kld_mean"], "value"));
        let allowed = if exact { KLD } else { KLD_OTHER_PROCESSOR };
        let mut differences = Vec::new();
        if (kld - want).abs() > allowed {
            differences.push(format!("mean KLD: got {kld:.9}, the peer printed {want:.6}"));
        }
        let percentages = [
            ("same_top_percent", self.same_top as f64 / n_tokens),
            ("delta_p_mean_percent", self.delta_p / n_tokens),
            ("delta_p_rms_percent", (self.delta_p_squared / n_tokens).sqrt()),
        ];
        for (what, share) in percentages {
            let (got, want) = (100.0 * share, lab::number(&run[what], "value"));
            let agrees = if exact {
                printed(got) == printed(want)
            } else {
                (got - want).abs() <= PERCENT_OTHER_PROCESSOR
            };
            if !agrees {
                differences.push(format!("{what}: got {got:.7}, the peer printed {want:.3}"));
            }
        }
        differences
    }
}

/// A percentage as the peer prints it; its nothing has no sign here.
fn printed(percent: f64) -> String {
    let text = format!("{percent:.3}");
    if text == "-0.000" { "0.000".to_owned() } else { text }
}

/// The beginning of the peer's logits file: window and vocabulary, then the text's own tokens.
fn file_header(n_vocab: usize, text: &Tokens) -> Vec<u8> {
    let sizes = [N_CTX, n_vocab, N_WINDOWS].map(|size| (size as i32).to_le_bytes()).concat();
    let tokens = text.tokens[..N_WINDOWS * N_CTX].iter().flat_map(|token| token.to_le_bytes());
    b"_logits_".iter().copied().chain(sizes).chain(tokens).collect()
}

/// All builds against the original's rounded rows over the first windows of a text.
#[track_caller]
fn check(corpus: &str) {
    let peer = lab::peer("kld.json");
    let exact = lab::same_arithmetic(&peer["tool"]);
    let names: Vec<&str> = [BASE, QAT].into_iter().chain(BUILDS).collect();
    let mut models = lab::load(&lab::builds(names.iter().copied()), 1);
    let text = Tokens::read(&models[0], corpus);
    let kernel = Kernel::detect();
    let n_vocab = models[0].vocab().n_tokens();
    let mut reference = Reference::new(n_vocab);
    let mut file = Sha256::new_with_prefix(file_header(n_vocab, &text));
    let mut sums: Vec<Sums> = names.iter().map(|_| Sums::default()).collect();
    for window in text.windows(N_WINDOWS) {
        let rows: Vec<_> =
            models.iter_mut().map(|model| lab::scored_rows(model, &window)).collect();
        for (position, (logits, target)) in rows[0].iter().enumerate() {
            let rounded = Rounded::new(logits);
            file.update(rounded.bytes());
            let log_p = rounded.log_p();
            let unnormalised = Unnormalised::new(&log_p);
            let p_target = f64::from(log_p[*target as usize]).exp();
            reference.load(kernel, &log_p, *target).unwrap();
            for (sums, rows) in sums.iter_mut().zip(&rows) {
                let (candidate, _) = &rows[position];
                let stats = reference.compare(kernel, candidate).unwrap();
                let delta_p = stats.candidate.p_target - p_target;
                sums.observe(unnormalised.kld(&stats, candidate), delta_p, stats.same_top);
            }
        }
    }
    let mut differences = Vec::new();
    for (name, sums) in names.iter().zip(sums) {
        assert_eq!(sums.n_tokens, N_WINDOWS * 255);
        let found = sums.differences(&peer["runs"][format!("{name}.{corpus}")], exact);
        differences.extend(found.into_iter().map(|found| format!("{name} on {corpus}: {found}")));
    }
    let want = lab::string(&peer["references"][corpus]["logits"], "sha256");
    let got = hex(&file.finalize());
    if exact && got != want {
        differences
            .push(format!("logits file of {corpus}: got SHA-256 {got}, the peer's is {want}"));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn rounded_as_the_peer_does_divergence_is_the_peers_on_english() {
    check("english");
}

#[test]
fn rounded_as_the_peer_does_divergence_is_the_peers_on_code() {
    check("code");
}

#[test]
fn rounded_as_the_peer_does_divergence_is_the_peers_on_polish() {
    check("polish");
}

#[test]
fn rounded_as_the_peer_does_divergence_is_the_peers_on_wikitext2() {
    check("wikitext2-test");
}
