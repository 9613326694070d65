//! Where a candidate is far off: KLD by position and the worst tokens of a text, against the same
//! figures computed in f64 from the engine's own logits, with none of the program's arithmetic.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod lab;

use std::ops::Range;

use karat::backend::embedded::Embedded;
use karat::instrument::fidelity::window::Window;
use karat_llama::Special;
use lab::{BASE, N_CTX, Tokens};
use serde_json::Value;

const BUILD: &str = "base-Q4_0";
const CORPUS: &str = "polish";
const N_WINDOWS: usize = 4;
/// How far a single token's KLD may be: the kernel promises 2e-7 + 6e-8 Σ p |x - y| at worst, and here
/// the logits of two builds are less than ten apart. The dumped rows were capped by the engine, the
/// scored ones by the kernel: logits between 16 and 30 differ by up to two steps of 1.9e-6.
const TOKEN: f64 = 8e-7 + 2.0 * 1.9e-6;

/// One scored token by the oracle.
struct Scored {
    window: usize,
    position: usize,
    target: usize,
    kld: f64,
    log_p: Vec<f64>,
    log_q: Vec<f64>,
}

fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let max = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - max).exp()).sum();
    logits.iter().map(|&logit| f64::from(logit) - max - sum.ln()).collect()
}

fn kl_divergence(log_p: &[f64], log_q: &[f64]) -> f64 {
    std::iter::zip(log_p, log_q).map(|(p, q)| p.exp() * (p - q)).sum()
}

/// The five likeliest tokens with their probabilities, the lower id first among equals.
fn top5(log_p: &[f64]) -> Vec<(usize, f64)> {
    let mut all: Vec<(usize, f64)> = log_p.iter().map(|log_p| log_p.exp()).enumerate().collect();
    all.sort_by(|one, other| other.1.total_cmp(&one.1));
    all.truncate(5);
    all
}

/// Every token of the first windows' second halves, window by window.
fn oracle() -> Vec<Scored> {
    let mut models = lab::load(&lab::builds([BASE, BUILD]), 1);
    let text = Tokens::read(&models[0], CORPUS);
    score(&mut models, text.windows(N_WINDOWS))
}

/// Every token of their first halves: models are shown the half alone.
fn first_half_oracle() -> Vec<Scored> {
    let mut models = lab::load(&lab::builds([BASE, BUILD]), 1);
    let text = Tokens::read(&models[0], CORPUS);
    let half = N_CTX / 2;
    let windows = text.windows(N_WINDOWS).enumerate().map(|(window, whole)| {
        let here = &text.tokens[window * N_CTX..][..=half];
        Window::new(whole.input[..half].to_vec(), here, (0..half).collect())
    });
    score(&mut models, windows)
}

fn score<'w>(models: &mut [Embedded], windows: impl Iterator<Item = Window<'w>>) -> Vec<Scored> {
    let mut all = Vec::new();
    for (window, input) in windows.enumerate() {
        let rows: Vec<_> = models.iter_mut().map(|model| lab::scored_rows(model, &input)).collect();
        for (row, &position) in input.scored().iter().enumerate() {
            let [log_p, log_q] = [0, 1].map(|model: usize| log_softmax(&rows[model][row].0));
            let target = rows[0][row].1 as usize;
            let kld = kl_divergence(&log_p, &log_q);
            all.push(Scored { window, position, target, kld, log_p, log_q });
        }
    }
    all
}

fn report(extra: &[&str]) -> Value {
    let home = tempfile::tempdir().unwrap();
    let paths = lab::builds([BASE, BUILD]);
    let mut command = lab::karat(home.path());
    command.args(["--quiet", "fidelity", "--format", "json", "--threads", "1"]);
    command.args(["--chunks", &N_WINDOWS.to_string(), "--no-noise-floor"]);
    command.args(extra).arg("--text").arg(lab::text(CORPUS));
    lab::json(command.arg("--reference").arg(&paths[0]).arg(&paths[1]))
}

/// Rows of KLD by position: first and last position, value.
fn position_rows(report: &Value) -> Vec<(usize, usize, f64)> {
    let rows = report["estimates"].as_array().unwrap().iter();
    let row = |row: &Value| {
        let (first, last) = row["setting"]["position"].as_str()?.split_once("..")?;
        let value = row["value"].as_f64().unwrap();
        assert!(row["lo"].as_f64().unwrap() <= value && value <= row["hi"].as_f64().unwrap());
        assert_eq!((row["metric"].as_str(), row["n"].as_u64()), (Some("kld_mean"), Some(4)));
        Some((first.parse().unwrap(), last.parse().unwrap(), value))
    };
    rows.filter_map(row).collect()
}

#[test]
fn kld_by_position_is_the_oracles() {
    let (report, scored) = (report(&[]), oracle());
    let rows = position_rows(&report);
    assert_eq!(rows.len(), 8);
    assert_eq!((rows[0].0, rows[7].1), (N_CTX / 2, N_CTX - 2));
    for (first, last, got) in rows {
        let here: Vec<f64> = scored
            .iter()
            .filter(|token| (first..=last).contains(&token.position))
            .map(|token| token.kld)
            .collect();
        let want = here.iter().sum::<f64>() / here.len() as f64;
        assert!((got - want).abs() < 1e-7, "{first}..{last}: got {got}, want {want}");
    }
}

fn is_of_first_half(row: &Value) -> bool {
    row["setting"]["positions"] == "first_half"
}

#[test]
fn scoring_the_first_half_changes_no_bit_of_the_second() {
    let (plain, all) = (report(&[]), report(&["--positions", "all"]));
    let rows: Vec<&Value> = all["estimates"].as_array().unwrap().iter().collect();
    let (first, second): (Vec<&Value>, Vec<&Value>) =
        rows.into_iter().partition(|row| is_of_first_half(row));
    assert_eq!(second, plain["estimates"].as_array().unwrap().iter().collect::<Vec<_>>());
    assert_eq!(all["worst_tokens"], plain["worst_tokens"]);
    assert!(!first.is_empty());

    let scored = first_half_oracle();
    assert_eq!(scored.len(), N_WINDOWS * N_CTX / 2);
    let mean = |tokens: Range<usize>| {
        let here: Vec<f64> = scored
            .iter()
            .filter(|token| tokens.contains(&token.position))
            .map(|token| token.kld)
            .collect();
        here.iter().sum::<f64>() / here.len() as f64
    };
    let mut seen = Vec::new();
    for row in first.iter().filter(|row| row["metric"] == "kld_mean") {
        let tokens = match row["setting"]["position"].as_str() {
            None => 0..N_CTX / 2,
            Some(bucket) => {
                let (first, last) = bucket.split_once("..").unwrap_or((bucket, bucket));
                first.parse().unwrap()..last.parse::<usize>().unwrap() + 1
            }
        };
        let (got, want) = (lab::number(row, "value"), mean(tokens.clone()));
        // A bucket of the first position has one token per window: no error cancels.
        assert!((got - want).abs() < TOKEN, "{tokens:?}: got {got}, want {want}");
        seen.push(tokens.start);
    }
    assert_eq!(seen, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128]);
    let nll: f64 = scored.iter().map(|token| -token.log_q[token.target]).sum();
    let ppl = first
        .iter()
        .find(|row| row["metric"] == "ppl" && row["candidate"] == lab::short_name(BUILD));
    let want = (nll / scored.len() as f64).exp();
    let got = lab::number(ppl.unwrap(), "value");
    assert!((got / want - 1.0).abs() < 1e-6, "got {got}, want {want}");
}

#[test]
fn the_worst_tokens_are_the_oracles() {
    const K: usize = 16;
    let (report, mut scored) = (report(&["--worst", "16"]), oracle());
    scored.sort_by(|one, other| other.kld.total_cmp(&one.kld));
    // Ranks are only comparable where neighbours are farther apart than a token's error.
    let gaps = scored[..=K].windows(2).map(|pair| pair[0].kld - pair[1].kld);
    assert!(gaps.fold(f64::INFINITY, f64::min) > 2.0 * TOKEN, "choose another text");

    let models = lab::load(&lab::builds([BASE]), 1);
    let vocab = models[0].vocab();
    let text = Tokens::read(&models[0], CORPUS);
    let windows: Vec<_> = text.windows(N_WINDOWS).collect();
    let worst = report["worst_tokens"].as_array().unwrap();
    assert_eq!(worst.len(), K);
    for (got, want) in worst.iter().zip(&scored) {
        assert_eq!(got["window"], want.window);
        assert_eq!(got["position"], want.position);
        check_near(got, "kld", want.kld);
        check_near(got, "nll_reference", -want.log_p[want.target]);
        check_near(got, "nll_candidate", -want.log_q[want.target]);
        // Whole words of these texts are whole characters, so one decoder is as good as another.
        let input = &windows[want.window].input;
        let context = vocab.detokenize(&input[want.position - 23..=want.position]).unwrap();
        if !context.contains('\u{fffd}') {
            assert_eq!(got["context"], context.as_str());
        }
        for (key, log) in [("top_reference", &want.log_p), ("top_candidate", &want.log_q)] {
            let top = got[key].as_array().unwrap();
            assert_eq!(top.len(), 5);
            for (got, (id, probability)) in top.iter().zip(top5(log)) {
                let piece = vocab.piece(id as i32, Special::Parsed).unwrap();
                if let Ok(piece) = String::from_utf8(piece) {
                    assert_eq!(got["text"], piece.as_str());
                }
                check_near(got, "probability", probability);
            }
        }
    }
}

#[track_caller]
fn check_near(token: &Value, key: &str, want: f64) {
    let got = lab::number(token, key);
    assert!((got - want).abs() < TOKEN, "{key}: got {got}, want {want} in {token}");
}

#[test]
fn texts_of_a_language_are_pooled_token_by_token() {
    let english = lab::text("english");
    let languages = ["--language", "eval-polish=x", "--language", "eval-english=x"];
    let report = report(&[&languages[..], &["--text", english.to_str().unwrap()]].concat());
    let name = lab::short_name(BUILD);
    let value = |metric: &str, scope: &str| {
        let rows = report["estimates"].as_array().unwrap().iter();
        let mut rows = rows.filter(|row| {
            row["metric"] == metric
                && row["scope"] == scope
                && row["candidate"] == name.as_str()
                && row["setting"]["position"].is_null()
        });
        let row = rows.next().unwrap_or_else(|| panic!("no {metric} on {scope}"));
        assert!(rows.next().is_none());
        let value = lab::number(row, "value");
        assert!(lab::number(row, "lo") <= value && value <= lab::number(row, "hi"), "{row}");
        value
    };
    // As many windows of as many tokens in both texts: each counts half.
    for metric in ["kld_mean", "ln_ppl_ratio", "same_top_p"] {
        let want = f64::midpoint(value(metric, "eval-polish"), value(metric, "eval-english"));
        let got = value(metric, "language:x");
        assert!((got - want).abs() < 1e-12, "{metric}: got {got}, want {want}");
    }
    let want = (value("ppl", "eval-polish") * value("ppl", "eval-english")).sqrt();
    let got = value("ppl", "language:x");
    assert!((got / want - 1.0).abs() < 1e-12, "got {got}, want {want}");
    let rows = report["estimates"].as_array().unwrap().iter();
    let n = rows.filter(|row| row["scope"] == "language:x").map(|row| row["n"].as_u64().unwrap());
    assert!(n.into_iter().all(|n| n == 2 * N_WINDOWS as u64));
}

#[test]
fn no_worst_tokens_are_shown_where_none_are_wanted() {
    assert_eq!(report(&["--worst", "0"])["worst_tokens"].as_array().unwrap().len(), 0);
}
