//! Attempts made by hand: a small builder, and models to go with them.

#![allow(dead_code, reason = "each test crate that has this module uses a part of it")]

use std::collections::BTreeMap;

use karat::generation::{
    Channel, Counted, Delta, FailureKind, FinishReason, Generation, GenerationFailure, RawExchange,
    Timings, TokenCounts,
};
use karat::instrument::behaviour::Asked;
use karat::record::{Lineage, ModelRecord, ModelRole};
use karat::task::{Attempt, Check, Outcome, Reply, Score};

/// What every sample is asked.
pub fn asked() -> Asked {
    let setting = BTreeMap::from([("sampling".to_owned(), "greedy".to_owned())]);
    Asked { seed: 1, level: 0.95, budgets: Vec::new(), n_planned: 0, setting }
}

/// A model of a run.
pub fn model(name: &str, role: ModelRole, gigabytes: f64, lineage: &[Lineage]) -> ModelRecord {
    ModelRecord {
        name: name.to_owned(),
        role,
        path: format!("{name}.gguf"),
        sha256: name.to_owned(),
        bytes: (gigabytes * 1e9) as u64,
        architecture: "gemma4".to_owned(),
        tensor_types: BTreeMap::new(),
        bits_per_weight: gigabytes * 8.0 / 12.0,
        proxy_reference: false,
        lineage: lineage.to_vec(),
        template_sha256: None,
        served: None,
        recommended_sampling: None,
    }
}

/// An attempt with this outcome: 100 tokens in 4 seconds, 40 of them thinking.
pub fn attempt(family: &str, index: usize, outcome: Outcome) -> Attempt {
    let visible = match outcome {
        Outcome::Starved => "",
        _ => "the answer",
    };
    let points = match outcome {
        Outcome::Pass => 1.0,
        Outcome::Partial => 0.5,
        _ => 0.0,
    };
    let held = outcome == Outcome::Pass;
    let why = if held { String::new() } else { "17 instead of 18".to_owned() };
    Attempt {
        family: family.to_owned(),
        instance: format!("{family}/{index}"),
        language: "en".to_owned(),
        repeat: 0,
        max_tokens: 8192,
        reply: Reply::Answer(Box::new(generation(visible, (60, 40), 4.0))),
        score: Score {
            outcome,
            points,
            checks: vec![Check { name: "value".to_owned(), held, why }],
        },
        answer_in_thinking: None,
        looped: false,
        at_budgets: BTreeMap::new(),
    }
}

/// An answer of so many visible and thinking tokens that came evenly over the time.
pub fn generation(visible: &str, (shown, thought): (u64, u64), seconds: f64) -> Generation {
    let counted = |tokens| Some(Counted { tokens, exact: true });
    let total = shown + thought;
    let delta = |token: u64| Delta {
        at_s: seconds * (token + 1) as f64 / total as f64,
        channel: if token < thought { Channel::Thinking } else { Channel::Visible },
        text: "word ".to_owned(),
        n_tokens: Some(token + 1),
    };
    Generation {
        visible: visible.to_owned(),
        thinking: "word ".repeat(thought as usize),
        tool_calls: Vec::new(),
        tokens: TokenCounts {
            prompt: Some(30),
            total: Some(total),
            visible: counted(shown),
            thinking: counted(thought),
        },
        timings: Timings {
            ttft_s: Some(0.2),
            ttfo_s: (shown > 0).then(|| seconds * thought as f64 / total as f64),
            total_s: seconds,
            ..Timings::default()
        },
        finish: FinishReason::Stop,
        deltas: (0..total).map(delta).collect(),
        raw: RawExchange::default(),
    }
}

/// The same attempt with an answer of this cost.
pub fn with_cost(mut attempt: Attempt, tokens: (u64, u64), seconds: f64) -> Attempt {
    let visible = match &attempt.reply {
        Reply::Answer(answer) => answer.visible.clone(),
        Reply::Failure(_) => String::new(),
    };
    attempt.reply = Reply::Answer(Box::new(generation(&visible, tokens, seconds)));
    attempt
}

/// An attempt that the server did not answer.
pub fn failure(family: &str, index: usize, message: &str) -> Attempt {
    let failure = GenerationFailure {
        kind: FailureKind::Unreachable,
        message: message.to_owned(),
        partial: None,
    };
    Attempt { reply: Reply::Failure(Box::new(failure)), ..attempt(family, index, Outcome::Error) }
}

/// `outcomes` of a family, one letter each: p pass, h partial (half), f fail, s starved, e error.
pub fn family(name: &str, outcomes: &str) -> Vec<Attempt> {
    let one = |(index, letter): (usize, char)| match letter {
        'p' => attempt(name, index, Outcome::Pass),
        'h' => attempt(name, index, Outcome::Partial),
        'f' => attempt(name, index, Outcome::Fail),
        's' => attempt(name, index, Outcome::Starved),
        'e' => failure(name, index, "nobody answers at http://localhost:11434"),
        other => panic!("no outcome `{other}`"),
    };
    outcomes.chars().enumerate().map(one).collect()
}
