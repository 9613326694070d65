//! The sample run with rows of every instrument that has a plot, and one whose every string is hostile.
//! Figures are made up, in the range of a small model's.

#![allow(dead_code, reason = "each test file that includes this uses a part of it")]

use std::collections::BTreeMap;

use karat::record::{
    Claim, Estimate, Finding, Flip, FlipSide, Instrument, Lineage, ModelRecord, RunDocument,
    Severity, TaskOutcome, Unit,
};

use crate::report_sample::{document, estimate};

/// Build, pp and tg rates in tokens per second with half their intervals, weights in bytes.
const BUILDS: [(&str, [f64; 4], f64); 4] = [
    ("base-bf16", [812.0, 9.0, 96.2, 1.1], 9.58e6),
    ("base-Q8_0", [931.0, 12.0, 141.7, 1.9], 5.22e6),
    ("base-Q4_0", [988.0, 10.0, 187.4, 2.2], 3.43e6),
    ("qat-Q4_0", [985.0, 13.0, 188.1, 2.6], 3.43e6),
];
/// What a hostile name is made of: markup, quotes, bidirectional and control characters.
pub const HOSTILE: &str = "</title><script>window.pwned=1</script>\"'><img src=x \
                           onerror=window.pwned=1>\u{202e}fdp\u{1b}[2J${7*7}";

/// The sample run, with speed, memory and positions.
pub fn with_every_instrument() -> RunDocument {
    let mut doc = document();
    for model in &mut doc.models {
        model.lineage = match model.name.as_str() {
            "qat-Q4_0" => vec![Lineage::Qat],
            "base-Q4_0" => vec![Lineage::Twin],
            _ => Vec::new(),
        };
    }
    doc.estimates.extend(speed());
    doc.estimates.extend(memory());
    doc.estimates.extend(positions());
    doc.estimates.extend(tasks());
    doc
}

/// The same with every string a stranger can choose made hostile, and long besides.
pub fn hostile() -> RunDocument {
    let mut doc = with_every_instrument();
    let spoil = |text: &mut String| text.push_str(HOSTILE);
    for model in &mut doc.models {
        let ModelRecord { name, path, architecture, tensor_types, .. } = model;
        [name, path, architecture].into_iter().for_each(spoil);
        tensor_types.insert(HOSTILE.to_owned(), 3);
    }
    doc.texts.iter_mut().for_each(|text| spoil(&mut text.name));
    for row in &mut doc.estimates {
        spoil(&mut row.candidate);
        spoil(&mut row.scope);
        row.reference.as_mut().map(spoil);
        row.versus.as_mut().map(spoil);
        row.setting.insert(HOSTILE.to_owned(), HOSTILE.to_owned());
    }
    for spread in &mut doc.distributions {
        spoil(&mut spread.candidate);
        spoil(&mut spread.scope);
        spread.reference.as_mut().map(spoil);
        spread.setting.insert(HOSTILE.to_owned(), HOSTILE.to_owned());
    }
    for worst in &mut doc.worst_tokens {
        [&mut worst.candidate, &mut worst.reference, &mut worst.scope].into_iter().for_each(spoil);
        [&mut worst.token.context, &mut worst.token.target].into_iter().for_each(spoil);
        let likely = worst.token.top_reference.iter_mut().chain(&mut worst.token.top_candidate);
        likely.for_each(|token| spoil(&mut token.text));
        worst.setting.insert(HOSTILE.to_owned(), HOSTILE.to_owned());
    }
    for answer in &mut doc.answers {
        spoil(&mut answer.sentence);
        answer.besides.push(HOSTILE.to_owned());
    }
    doc.flips.push(hostile_flip());
    doc.claims.push(Claim { statement: HOSTILE.to_owned(), estimates: Vec::new() });
    doc.findings.push(Finding { severity: Severity::Warning, message: HOSTILE.repeat(9) });
    for step in &mut doc.steps {
        spoil(&mut step.title);
        step.error.as_mut().map(spoil);
        step.engine_log.push(HOSTILE.to_owned());
    }
    let (run, machine, engine) = (&mut doc.run, &mut doc.machine, &mut doc.engine);
    [&mut run.id, &mut run.command, &mut machine.cpu, &mut machine.os].into_iter().for_each(spoil);
    [&mut engine.crate_version, &mut engine.system_info].into_iter().for_each(spoil);
    doc.run.command.push_str(&"wide".repeat(200));
    doc
}

/// A flip whose answers are what a model may write.
fn hostile_flip() -> Flip {
    let side = |outcome| FlipSide {
        name: HOSTILE.to_owned(),
        outcome,
        reason: HOSTILE.to_owned(),
        answer: HOSTILE.repeat(40),
    };
    Flip {
        family: HOSTILE.to_owned(),
        instance: HOSTILE.to_owned(),
        passes: side(TaskOutcome::Pass),
        other: side(TaskOutcome::Fail),
    }
}

fn setting<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn speed() -> Vec<Estimate> {
    let row = |metric, build, value: f64, half: f64, depth: &str| Estimate {
        instrument: Instrument::Speed,
        setting: setting([("depth", depth)]),
        unit: Unit::TokensPerSecond,
        n: 8,
        ..estimate(metric, build, "", value, half)
    };
    let mut rows = Vec::new();
    for (depth, slower) in [("0", 1.0), ("1024", 0.81)] {
        for (build, [pp, pp_half, tg, tg_half], _) in BUILDS {
            rows.push(row("pp_rate", build, pp * slower, pp_half, depth));
            rows.push(row("tg_rate", build, tg * slower, tg_half, depth));
        }
    }
    rows
}

fn memory() -> Vec<Estimate> {
    let mut rows = Vec::new();
    for kv in ["f16", "q8_0"] {
        for (build, _, weights) in BUILDS {
            for basis in ["predicted", "measured"] {
                let kv_bytes = if kv == "f16" { 1.57e6 } else { 0.84e6 };
                for (metric, bytes) in [
                    ("weights_bytes", weights),
                    ("kv_bytes", kv_bytes),
                    ("compute_bytes", 1.1e6),
                    ("output_bytes", 2.6e5),
                ] {
                    rows.push(Estimate {
                        instrument: Instrument::Memory,
                        setting: setting([("n_ctx", "2048"), ("kv", kv), ("basis", basis)]),
                        unit: Unit::Bytes,
                        n: 1,
                        lo: None,
                        hi: None,
                        level: None,
                        ..estimate(metric, build, "", bytes, 0.0)
                    });
                }
            }
        }
    }
    rows
}

fn positions() -> Vec<Estimate> {
    let mut rows = Vec::new();
    for (build, kld) in [("base-Q8_0", 0.000_59), ("base-Q4_0", 0.018_6), ("qat-Q4_0", 0.006_5)] {
        for (i, at) in ["256..319", "320..383", "384..447", "448..510"].iter().enumerate() {
            let value = kld * (1.0 + 0.06 * i as f64);
            rows.push(Estimate {
                reference: Some("base-bf16".to_owned()),
                setting: setting([("n_ctx", "512"), ("position", at)]),
                ..estimate("kld_mean", build, "english", value, value * 0.09)
            });
        }
    }
    rows
}

/// Twelve tasks of two families in two languages, and three token budgets.
fn tasks() -> Vec<Estimate> {
    let row = |build, scope, passed: f64, n, budget: Option<&str>| Estimate {
        instrument: Instrument::Behaviour,
        setting: budget.map(|budget| setting([("budget", budget)])).unwrap_or_default(),
        unit: Unit::Fraction,
        n,
        ..estimate("pass_rate", build, scope, passed, 0.2)
    };
    let mut rows = Vec::new();
    for (place, (build, ..)) in BUILDS.into_iter().enumerate() {
        let fewer = 0.08 * place as f64;
        for (scope, passed, n) in [
            ("all", 0.75, 12),
            ("strict_json", 0.83, 6),
            ("exact_arithmetic", 0.67, 6),
            ("language:en", 0.75, 8),
            ("language:pl", 0.75, 4),
        ] {
            rows.push(row(build, scope, passed - fewer, n, None));
        }
        for (budget, passed) in [("512", 0.4), ("2048", 0.6), ("8192", 0.75)] {
            rows.push(row(build, "all", passed - fewer, 12, Some(budget)));
        }
    }
    rows
}
