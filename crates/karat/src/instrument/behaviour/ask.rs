//! One question to a model, whatever runs it. Owns when an answer is cut off for going round in
//! circles; never scores.

use crate::backend::Generate;
use crate::backend::runaway::{Runaway, RunawayLimits};
use crate::chat::Conversation;
use crate::generation::{ChatRequest, Delta, FailureKind, GenerationFailure, Terms};
use crate::task::{Instance, Reply};

/// Tokens of the answer that warms a model up.
const WARM_UP_TOKENS: u32 = 8;

/// Asks, and says whether the answer was cut off because it went round in circles. `alive` is called at
/// every piece.
pub fn ask(
    backend: &mut dyn Generate,
    instance: &Instance,
    terms: &Terms,
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
        !looped
    });
    let reply = match reply {
        Ok(generation) => Reply::Answer(Box::new(generation)),
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
