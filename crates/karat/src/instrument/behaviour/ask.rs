//! One question to a model, whatever runs it. Owns when an answer is cut off for going round in
//! circles; never scores.

use crate::backend::Generate;
use crate::backend::runaway::{Runaway, RunawayLimits};
use crate::chat::Conversation;
use crate::generation::{
    ChatRequest, Delta, FailureKind, FinishReason, GenerationFailure, Sampling, Terms,
};
use crate::task::{Instance, Reply};

/// Tokens of the answer that warms a model up.
const WARM_UP_TOKENS: u32 = 8;

/// The terms of one question: where answers are drawn, each has a seed of its own, so that a repeat is
/// another draw.
pub fn terms_of(terms: &Terms, instance: &Instance, repeat: u32) -> Terms {
    // FNV-1a: all that is wanted is that they differ, everywhere alike.
    let mixed = |seed: u32| {
        let bytes = instance.id.bytes().chain(repeat.to_le_bytes()).chain(seed.to_le_bytes());
        bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    };
    let sampling = match terms.sampling {
        Sampling::Greedy => Sampling::Greedy,
        Sampling::Recommended { seed } => Sampling::Recommended { seed: mixed(seed) },
        Sampling::Values { values, seed } => Sampling::Values { values, seed: mixed(seed) },
    };
    Terms { sampling, ..terms.clone() }
}

/// Asks, and says whether the answer went round in circles until it was cut off: there and then, or
/// where `to_the_end`, by its limit of tokens. `alive` is called at every piece.
pub fn ask(
    backend: &mut dyn Generate,
    instance: &Instance,
    terms: &Terms,
    to_the_end: bool,
    alive: &dyn Fn(),
) -> (Reply, bool) {
    let request = match request(instance, terms) {
        Ok(request) => request,
        Err(failure) => return (Reply::Failure(Box::new(failure)), false),
    };
    let mut runaway = Runaway::new(RunawayLimits::default());
    let mut looped = false;
    let reply = backend.generate(&request, &mut |delta: &Delta| {
        alive();
        looped |= runaway.observe(&delta.text).is_some();
        to_the_end || !looped
    });
    let reply = match reply {
        Ok(generation) => {
            // One that found its way out ended by itself.
            looped &= matches!(generation.finish, FinishReason::Cancelled | FinishReason::Length);
            Reply::Answer(Box::new(generation))
        }
        Err(failure) => Reply::Failure(Box::new(failure)),
    };
    (reply, looped)
}

/// A few tokens that nobody scores: the first answer after loading is slower than the others.
pub fn warm_up(backend: &mut dyn Generate, instance: &Instance, terms: &Terms) {
    if let Ok(request) = request(instance, terms) {
        let request = ChatRequest { max_tokens: WARM_UP_TOKENS.min(request.max_tokens), ..request };
        // What fails here fails again where it is recorded.
        let _ = backend.generate(&request, &mut |_| true);
    }
}

fn request(instance: &Instance, terms: &Terms) -> Result<ChatRequest, GenerationFailure> {
    let line = serde_json::json!({ "messages": instance.messages, "tools": instance.tools });
    let conversation =
        Conversation::parse(&line.to_string()).map_err(|error| GenerationFailure {
            kind: FailureKind::InvalidReply,
            message: format!("the messages of {} are no conversation: {error}", instance.id),
            partial: None,
        })?;
    Ok(ChatRequest { conversation, max_tokens: instance.max_tokens, terms: terms.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generation::Thinking;

    fn instance(id: &str) -> Instance {
        Instance {
            family: "f".to_owned(),
            id: id.to_owned(),
            language: "en".to_owned(),
            messages: Vec::new(),
            tools: Vec::new(),
            max_tokens: 1,
            scorer: serde_json::Value::Null,
        }
    }

    #[test]
    fn every_drawn_answer_has_a_seed_of_its_own_and_always_the_same() {
        let terms = |sampling| Terms { n_ctx: 8, thinking: Thinking::Default, sampling };
        let drawn = terms(Sampling::Recommended { seed: 7 });
        let of = |id, repeat| terms_of(&drawn, &instance(id), repeat);
        assert_eq!(of("f/en/0", 0), of("f/en/0", 0));
        assert_ne!(of("f/en/0", 0), of("f/en/0", 1));
        assert_ne!(of("f/en/0", 0), of("f/en/1", 0));
        let greedy = terms(Sampling::Greedy);
        assert_eq!(terms_of(&greedy, &instance("f/en/0"), 3), greedy);
    }
}
