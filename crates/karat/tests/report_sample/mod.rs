//! A run made by hand: two references, three candidates, two texts, one failed step.
//! Its figures are in the range of a small model's; they are not measured.

use std::collections::BTreeMap;

use karat::record::{
    Claim, Distribution, EngineRecord, Estimate, Finding, Instrument, LikelyToken, MachineRecord,
    Margins, ModelRecord, ModelRole, Outcome, RunDocument, RunHeader, SCHEMA_VERSION, Severity,
    StepRecord, TextRecord, TokenInContext, Unit, WorstToken,
};
use karat::verdict::{VerdictSettings, answers};

const MODELS: [(&str, ModelRole, u64, f64, &str); 5] = [
    ("base-bf16", ModelRole::Reference, 9_622_976, 16.02, "BF16"),
    ("qat-bf16", ModelRole::Reference, 9_622_976, 16.02, "BF16"),
    ("base-Q8_0", ModelRole::Candidate, 5_263_104, 8.52, "Q8_0"),
    ("base-Q4_0", ModelRole::Candidate, 3_473_920, 5.48, "Q4_0"),
    ("qat-Q4_0", ModelRole::Candidate, 3_473_920, 5.48, "Q4_0"),
];

/// Text, model, perplexity.
const PPL: [(&str, &str, f64); 9] = [
    ("english", "base-bf16", 48.6616),
    ("english", "qat-bf16", 49.1349),
    ("english", "base-Q8_0", 48.7058),
    ("english", "base-Q4_0", 49.5241),
    ("english", "qat-Q4_0", 48.8403),
    ("polish", "base-bf16", 33.5530),
    ("polish", "qat-bf16", 33.9889),
    ("polish", "base-Q8_0", 33.5535),
    ("polish", "qat-Q4_0", 33.7965),
];

/// Text, reference, candidate, mean KLD, same-top-p, ln PPL ratio. The failed step's are not there.
const PAIRS: [(&str, &str, &str, f64, f64, f64); 12] = [
    ("english", "base-bf16", "qat-bf16", 0.010_56, 0.9208, 0.009_68),
    ("english", "base-bf16", "base-Q8_0", 0.000_587, 0.9781, 0.000_91),
    ("english", "base-bf16", "base-Q4_0", 0.018_56, 0.9007, 0.017_57),
    ("english", "base-bf16", "qat-Q4_0", 0.006_46, 0.9395, 0.003_67),
    ("english", "qat-bf16", "base-Q8_0", 0.011_02, 0.9190, -0.008_77),
    ("english", "qat-bf16", "base-Q4_0", 0.029_10, 0.8702, 0.007_89),
    ("english", "qat-bf16", "qat-Q4_0", 0.018_11, 0.8951, -0.006_01),
    ("polish", "base-bf16", "qat-bf16", 0.014_32, 0.9212, 0.012_91),
    ("polish", "base-bf16", "base-Q8_0", 0.000_601, 0.9841, 0.000_01),
    ("polish", "base-bf16", "qat-Q4_0", 0.011_03, 0.9296, 0.007_23),
    ("polish", "qat-bf16", "base-Q8_0", 0.014_70, 0.9202, -0.012_89),
    ("polish", "qat-bf16", "qat-Q4_0", 0.027_15, 0.8930, -0.005_68),
];

/// Text, candidate, versus, difference of mean KLD to `base-bf16`, half its interval.
const DIFFERENCES: [(&str, &str, &str, f64, f64); 5] = [
    ("english", "base-Q8_0", "base-Q4_0", -0.017_97, 0.000_71),
    ("english", "base-Q8_0", "qat-Q4_0", -0.005_87, 0.000_34),
    ("english", "base-Q4_0", "qat-Q4_0", 0.012_1, 0.000_68),
    ("polish", "base-Q8_0", "qat-Q4_0", -0.010_43, 0.000_62),
    ("polish", "base-Q4_0", "qat-Q4_0", 0.000_3, 0.000_81),
];

/// The whole run.
pub fn document() -> RunDocument {
    let (models, estimates) = (MODELS.map(model).to_vec(), estimates());
    let answers = answers(&models, &estimates, &VerdictSettings::at_level(0.95));
    RunDocument {
        schema_version: SCHEMA_VERSION,
        run: header(),
        machine: MachineRecord {
            os: "Debian GNU/Linux 13".to_owned(),
            cpu: "AMD EPYC 9B14".to_owned(),
            cores: 2,
            memory_bytes: 8 << 30,
            devices: Vec::new(),
        },
        engine: EngineRecord {
            crate_version: "llama-cpp-sys-2 0.1.161".to_owned(),
            tree_sha256: "5e1f".repeat(16),
            system_info: "CPU : SSE3 = 1 | SSSE3 = 1 | AVX = 1 | AVX2 = 1 | F16C = 1 | FMA = 1 | \
                          AVX512 = 1 | LLAMAFILE = 1 | REPACK = 1 |"
                .to_owned(),
        },
        models,
        texts: vec![text("english", 30_720, 60), text("polish", 24_576, 48)],
        estimates,
        distributions: PAIRS.map(distribution).into(),
        claims: vec![Claim {
            statement: "On english, qat-Q4_0 is nearer to base-bf16 than base-Q4_0 is.".to_owned(),
            estimates: vec![28, 37],
        }],
        worst_tokens: worst_tokens(),
        attempts: Vec::new(),
        flips: Vec::new(),
        margins: Margins::default(),
        answers,
        findings: findings(),
        steps: steps(),
    }
}

/// A plain row with the interval `value ± half`.
pub fn estimate(metric: &str, candidate: &str, scope: &str, value: f64, half: f64) -> Estimate {
    Estimate {
        instrument: Instrument::Fidelity,
        metric: metric.to_owned(),
        candidate: candidate.to_owned(),
        reference: None,
        versus: None,
        scope: scope.to_owned(),
        setting: BTreeMap::from([("n_ctx".to_owned(), "512".to_owned())]),
        value: Some(value),
        lo: Some(value - half),
        hi: Some(value + half),
        level: Some(0.95),
        n: if scope == "english" { 60 } else { 48 },
        unit: Unit::Nats,
    }
}

/// One token per candidate that has figures; what a model knows can be anything, so one is hostile.
fn worst_tokens() -> Vec<WorstToken> {
    let likely = |text: &str, probability| LikelyToken { text: text.to_owned(), probability };
    let token = |candidate: &str, kld, context: &str, target: &str, guess: &str| WorstToken {
        candidate: candidate.to_owned(),
        reference: "base-bf16".to_owned(),
        scope: "english".to_owned(),
        setting: BTreeMap::from([("n_ctx".to_owned(), "512".to_owned())]),
        window: 7,
        token: TokenInContext {
            position: 300,
            context: context.to_owned(),
            target: target.to_owned(),
            kld,
            nll_reference: Some(0.41),
            nll_candidate: Some(1.32),
            top_reference: vec![likely(target, 0.663), likely(" a", 0.121)],
            top_candidate: vec![likely(guess, 0.312), likely(target, 0.267)],
        },
    };
    vec![
        token("base-Q8_0", Some(0.004_99), "said Father Brown, “and", " the", " a"),
        token("base-Q4_0", None, "one\ntwo \u{1b}[2J\u{202e}three", " four", "\u{9b}5A|*`<b>"),
        token("base-Q4_0", Some(0.239), "a", "\n\n", "<0xC5>"),
    ]
}

fn header() -> RunHeader {
    RunHeader {
        id: "20261123-192005-a3f".to_owned(),
        karat_version: "0.1.0".to_owned(),
        command: "karat fidelity --reference lab/base-bf16.gguf --reference lab/qat-bf16.gguf \
                  --text lab/english.txt --text lab/polish.txt base-Q8_0.gguf base-Q4_0.gguf \
                  qat-Q4_0.gguf"
            .to_owned(),
        started: "2026-11-23T19:20:05Z".to_owned(),
        finished: Some("2026-11-23T19:22:19Z".to_owned()),
        outcome: Outcome::Failed,
        seed: 42,
        level: 0.95,
    }
}

fn model(
    (name, role, bytes, bits_per_weight, kind): (&str, ModelRole, u64, f64, &str),
) -> ModelRecord {
    let types = [(kind, 29), ("F32", 25)];
    ModelRecord {
        name: name.to_owned(),
        role,
        path: format!("lab/{name}.gguf"),
        sha256: format!("{:064x}", bytes ^ u64::from(name.starts_with('q'))),
        bytes,
        architecture: "gemma4".to_owned(),
        tensor_types: types.map(|(name, count)| (name.to_owned(), count)).into(),
        bits_per_weight,
        proxy_reference: false,
        lineage: Vec::new(),
        template_sha256: None,
        served: None,
        recommended_sampling: None,
    }
}

fn text(name: &str, tokens: u64, windows: u64) -> TextRecord {
    TextRecord {
        name: name.to_owned(),
        path: format!("lab/{name}.txt"),
        chat: false,
        sha256: format!("{tokens:064x}"),
        tokens,
        windows,
        stopped_early: false,
        language: None,
    }
}

fn estimates() -> Vec<Estimate> {
    let perplexity = |(scope, name, value): (&str, &str, f64)| Estimate {
        unit: Unit::Perplexity,
        ..estimate("ppl", name, scope, value, value * 0.022)
    };
    let mut rows: Vec<Estimate> = PPL.map(perplexity).into();
    for (scope, reference, candidate, kld, same_top, ln_ratio) in PAIRS {
        let against = |row: Estimate| Estimate { reference: Some(reference.to_owned()), ..row };
        let row = |metric, value, half| against(estimate(metric, candidate, scope, value, half));
        let bare =
            |metric, value| Estimate { lo: None, hi: None, level: None, ..row(metric, value, 0.0) };
        let share = |row| Estimate { unit: Unit::Fraction, ..row };
        rows.extend([
            row("ln_ppl_ratio", ln_ratio, 0.000_2 + kld * 0.09),
            row("kld_mean", kld, kld * 0.041),
            row("kld_median", kld * 0.43, kld * 0.02),
            row("kld_p99", kld * 9.1, kld * 0.6),
            row("kld_p99_9", kld * 23.7, kld * 3.1),
            bare("kld_max", kld * 88.3),
            Estimate { unit: Unit::Ratio, ..bare("kld_design_effect", 1.3 + kld * 20.0) },
            share(row("same_top_p", same_top, 0.004_6)),
            share(row("delta_p_rms", kld.sqrt() * 0.21, 0.000_7)),
        ]);
    }
    for (scope, candidate, versus, value, half) in DIFFERENCES {
        rows.push(Estimate {
            reference: Some("base-bf16".to_owned()),
            versus: Some(versus.to_owned()),
            ..estimate("kld_mean_diff", candidate, scope, value, half)
        });
    }
    rows
}

/// Tokens spread as ln KLD were normal: median and 99th percentile are those of the rows.
fn distribution(
    (scope, reference, candidate, kld, ..): (&str, &str, &str, f64, f64, f64),
) -> Distribution {
    let (median, sd) = ((kld * 0.43).ln(), (9.1_f64 / 0.43).ln() / 2.326_3);
    let n_tokens: u64 = if scope == "english" { 60 * 255 } else { 48 * 255 };
    let zero = n_tokens / 200;
    let density = |bin: u32| {
        let center = 1e-9_f64.ln() + (f64::from(bin) + 0.5) / 10.0 * std::f64::consts::LN_10;
        (-0.5 * ((center - median) / sd).powi(2)).exp()
    };
    let total: f64 = (0..110).map(density).sum();
    let share = |bin| (density(bin) / total * (n_tokens - zero) as f64).floor() as u64;
    let counts: Vec<u64> = (0..110).map(share).collect();
    let below = n_tokens - zero - counts.iter().sum::<u64>();
    Distribution {
        instrument: Instrument::Fidelity,
        metric: "kld".to_owned(),
        candidate: candidate.to_owned(),
        reference: Some(reference.to_owned()),
        scope: scope.to_owned(),
        setting: BTreeMap::from([("n_ctx".to_owned(), "512".to_owned())]),
        unit: Unit::Nats,
        n: n_tokens,
        zero,
        below,
        above: 0,
        lowest: 1e-9,
        bins_per_decade: 10,
        counts,
    }
}

fn findings() -> Vec<Finding> {
    let finding = |severity, message: &str| Finding { severity, message: message.to_owned() };
    vec![
        finding(
            Severity::Note,
            "qat-Q4_0 is the stock conversion of qat-bf16: the published file and a naive one are \
             the same file by construction, so that one of the five distances is missing.",
        ),
        finding(Severity::Warning, "qat-Q4_0 has another chat template than base-bf16."),
    ]
}

fn steps() -> Vec<StepRecord> {
    let step = |id: &str, title: &str, outcome| StepRecord {
        id: id.to_owned(),
        title: title.to_owned(),
        outcome,
        seconds: 61.4,
        peak_memory_bytes: Some(412 << 20),
        error: None,
        engine_log: Vec::new(),
    };
    vec![
        step("aa", "score 3 candidates on english", Outcome::Done),
        step("bb", "score base-Q8_0 and qat-Q4_0 on polish", Outcome::Done),
        StepRecord {
            seconds: 12.3,
            error: Some("the worker was killed by signal 6 (abort)".to_owned()),
            engine_log: vec![
                "llama_model_load: loaded meta data with 38 key-value pairs".to_owned(),
                "ggml.c:1587: GGML_ASSERT(ggml_nelements(a) == ne0*ne1) failed".to_owned(),
            ],
            ..step("cc", "score base-Q4_0 on polish", Outcome::Failed)
        },
    ]
}
