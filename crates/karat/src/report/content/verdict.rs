//! The three answers, as they are read aloud. Owns their place and tone; draws no conclusion.

use crate::record::{Answer, Instrument, Margins, Question, RunDocument, Verdict};
use crate::report::page::{Block, Item, Page, Tone};

/// The answers.
pub(super) fn answers(doc: &RunDocument) -> Page {
    if doc.answers.is_empty() {
        return Page::new();
    }
    vec![
        Block::Heading("The three answers".to_owned()),
        Block::Caption(margins(doc)),
        Block::Items(doc.answers.iter().map(answer).collect()),
    ]
}

/// From where on a loss matters, of what was measured.
fn margins(doc: &RunDocument) -> String {
    let has = |instrument| doc.estimates.iter().any(|row| row.instrument == instrument);
    let Margins { pass_rate, ln_ppl, kld } = doc.margins;
    let mut matters = Vec::new();
    if has(Instrument::Behaviour) {
        matters.push(format!("{} points of pass rate", given(100.0 * pass_rate)));
    }
    if has(Instrument::Fidelity) {
        matters.push(format!("{} of ln PPL, {} nats of KLD", given(ln_ppl), given(kld)));
    }
    format!("a loss matters from {}", matters.join(", "))
}

/// A margin as it was given, without the last bits of its binary fraction.
fn given(margin: f64) -> f64 {
    (1e6 * margin).round() / 1e6
}

/// What else there is to say about each pair.
pub(super) fn besides(doc: &RunDocument) -> Page {
    let besides: Vec<Item> = doc.answers.iter().filter_map(beside).collect();
    if besides.is_empty() {
        return Page::new();
    }
    vec![Block::Heading("Besides".to_owned()), Block::Items(besides)]
}

fn word(question: Question) -> &'static str {
    match question {
        Question::Recipe => "recipe",
        Question::Budget => "budget",
        Question::Ceiling => "ceiling",
    }
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Better | Verdict::NotWorse => Tone::Good,
        Verdict::Worse => Tone::Bad,
        Verdict::CannotTell => Tone::Open,
        Verdict::NotAsked => Tone::Faint,
    }
}

fn answer(answer: &Answer) -> Item {
    Item {
        label: word(answer.question),
        tone: tone(answer.verdict),
        text: answer.sentence.clone(),
        raw: Vec::new(),
    }
}

fn beside(answer: &Answer) -> Option<Item> {
    let pair = answer.candidate.as_ref().zip(answer.versus.as_ref())?;
    (!answer.besides.is_empty()).then(|| Item {
        label: word(answer.question),
        tone: Tone::Plain,
        text: format!("{} beside {}. {}", pair.0, pair.1, answer.besides.join(" ")),
        raw: Vec::new(),
    })
}
