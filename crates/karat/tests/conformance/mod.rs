//! What every backend that generates text does alike: one suite, whatever is behind the trait.
#![allow(dead_code, reason = "not every test file uses every part")]

use karat::backend::{ChatRequest, Generate, Sampling, Terms, Thinking};
use karat::chat::Conversation;
use karat::generation::{Channel, Delta, FailureKind, FinishReason, Generation};

/// A question that the lab model answers in a word, after a thought of one line.
pub const QUESTION: &str = "There are 5 boxes with 5 balls in each box. How many balls are there in total? Answer with the \
     number alone on a line.";

pub fn terms(n_ctx: u32, thinking: Thinking) -> Terms {
    Terms { n_ctx, thinking, sampling: Sampling::Greedy }
}

pub fn request(max_tokens: u32, terms: Terms) -> ChatRequest {
    ChatRequest { conversation: Conversation::of([("user", QUESTION)]), max_tokens, terms }
}

/// Holds a backend to everything; `n_ctx` is the context that it can give.
pub fn conforms(backend: &mut dyn Generate, n_ctx: u32) {
    let too_much = terms(n_ctx * 1024, Thinking::On);
    assert_eq!(backend.get_ready(&too_much).unwrap_err().kind, FailureKind::NotAsAsked);

    let on = terms(n_ctx, Thinking::On);
    assert_eq!(backend.get_ready(&on).unwrap().n_ctx, Some(n_ctx));
    let whole = a_whole_answer(backend, &on);
    let again = backend.generate(&request(200, on.clone()), &mut |_| true).unwrap();
    assert_eq!((&again.visible, &again.thinking), (&whole.visible, &whole.thinking), "greedy");
    a_cut_answer(backend, &on);
    a_cancelled_answer(backend, &on);
    assert_eq!(backend.finish().unwrap(), [], "every answer thought as it was asked to");

    let off = terms(n_ctx, Thinking::Off);
    backend.get_ready(&off).unwrap();
    let plain = backend.generate(&request(200, off), &mut |_| true).unwrap();
    assert_eq!((plain.thinking.as_str(), &plain.finish), ("", &FinishReason::Stop));
    assert!(!plain.visible.trim().is_empty());
    assert_eq!(plain.timings.ttft_s, plain.timings.ttfo_s, "nothing came before what is visible");
    assert_eq!(backend.finish().unwrap(), []);
}

fn text_of(deltas: &[Delta], channel: Channel) -> String {
    let of_it = deltas.iter().filter(|delta| delta.channel == channel);
    of_it.map(|delta| delta.text.as_str()).collect()
}

fn a_whole_answer(backend: &mut dyn Generate, on: &Terms) -> Generation {
    let mut heard = Vec::new();
    let mut listen = |delta: &Delta| {
        heard.push(delta.clone());
        true
    };
    let answer = backend.generate(&request(200, on.clone()), &mut listen).unwrap();
    assert_eq!(answer.deltas, heard);
    assert!(heard.len() > 2, "it comes in pieces");
    assert_eq!(answer.visible, text_of(&heard, Channel::Visible));
    assert_eq!(answer.thinking, text_of(&heard, Channel::Thinking).trim_end());
    assert!(!answer.visible.trim().is_empty() && !answer.thinking.is_empty());
    for mark in ["channel", "<think>", "</think>"] {
        assert!(!answer.visible.contains(mark) && !answer.thinking.contains(mark), "{answer:?}");
    }
    assert_eq!(answer.finish, FinishReason::Stop);
    assert!(heard.is_sorted_by(|one, next| one.at_s <= next.at_s));
    let (ttft, ttfo) = (answer.timings.ttft_s.unwrap(), answer.timings.ttfo_s.unwrap());
    assert!(0.0 < ttft && ttft < ttfo && ttfo <= answer.timings.total_s, "{:?}", answer.timings);
    let tokens = answer.tokens;
    let (visible, thinking) = (tokens.visible.unwrap(), tokens.thinking.unwrap());
    assert_eq!(Some(visible.tokens + thinking.tokens), tokens.total);
    assert!(visible.tokens > 0 && thinking.tokens > visible.tokens && tokens.prompt.unwrap() > 0);
    assert!(answer.raw.request.contains("5 boxes"));
    assert!(!answer.raw.response.is_empty());
    answer
}

/// Cut off within the thought: the budget is spent and nothing is visible.
fn a_cut_answer(backend: &mut dyn Generate, on: &Terms) {
    let answer = backend.generate(&request(6, on.clone()), &mut |_| true).unwrap();
    assert_eq!((answer.visible.as_str(), &answer.finish), ("", &FinishReason::Length));
    assert!(!answer.thinking.is_empty());
    assert_eq!((answer.tokens.total, answer.timings.ttfo_s), (Some(6), None));
    assert_eq!(answer.tokens.thinking.map(|counted| counted.tokens), Some(6));
}

fn a_cancelled_answer(backend: &mut dyn Generate, on: &Terms) {
    let mut n_heard = 0;
    let mut listen = |_: &Delta| {
        n_heard += 1;
        false
    };
    let answer = backend.generate(&request(200, on.clone()), &mut listen).unwrap();
    assert_eq!((n_heard, answer.finish), (1, FinishReason::Cancelled));
}
