//! One answer to the control prompt: ready, warmed up, asked, and left as it was found. Owns what is
//! sent; never judges.

use crate::backend::Generate;
use crate::chat::Conversation;
use crate::generation::{
    ChatRequest, FailureKind, Generation, GenerationFailure, Ready, Terms, Thinking,
};
use crate::plan::{ControlPlan, ControlSample};
use crate::record::Severity;

/// The built-in control prompt and its name: an answer of some length that leaves no build a choice.
pub const COUNTING: (&str, &str) = (
    "count to 120",
    "Count from 1 to 120. Write every number in digits, separated by one comma and one space, all on \
     one line, and write nothing else.",
);
/// Another prompt than the control's, so that no cache knows the beginning of the real one.
const WARM_UP: &str = "Say hello.";
const WARM_UP_TOKENS: u32 = 8;

/// Asks once. Whatever happens, the server is left without what was loaded for it.
pub fn ask(
    backend: &mut dyn Generate,
    plan: &ControlPlan,
) -> Result<ControlSample, GenerationFailure> {
    let answered = answer(backend, plan);
    let left = backend.finish();
    let (mut ready, thinking, answer) = answered?;
    match left {
        Ok(findings) => ready.findings.extend(findings),
        Err(failure) => ready.tell(Severity::Warning, failure.message),
    }
    // Long, and of no use to a figure.
    ready.template = None;
    Ok(ControlSample { ready, thinking, answer })
}

fn answer(
    backend: &mut dyn Generate,
    plan: &ControlPlan,
) -> Result<(Ready, Thinking, Generation), GenerationFailure> {
    let (ready, terms) = get_ready(backend, plan)?;
    let request = request(&plan.prompt.text, plan.max_tokens, &terms)?;
    let answer = backend.generate(&request, &mut |_| true)?;
    Ok((ready, terms.thinking, answer))
}

/// Ready and warm without thinking; where that is refused, as the server does unasked.
fn get_ready(
    backend: &mut dyn Generate,
    plan: &ControlPlan,
) -> Result<(Ready, Terms), GenerationFailure> {
    let mut warm = |thinking: Thinking| {
        let terms = plan.terms(thinking);
        let ready = backend.get_ready(&terms)?;
        let hello = request(WARM_UP, WARM_UP_TOKENS.min(plan.max_tokens), &terms)?;
        backend.generate(&hello, &mut |_| true)?;
        Ok((ready, terms))
    };
    let refused = match warm(Thinking::Off) {
        Err(GenerationFailure {
            kind: FailureKind::NotAsAsked | FailureKind::Refused,
            message,
            ..
        }) => message,
        done => return done,
    };
    let (mut ready, terms) = warm(Thinking::Default)?;
    ready.tell(
        Severity::Note,
        format!("thinking could not be switched off ({refused}); its tokens are counted apart"),
    );
    Ok((ready, terms))
}

fn request(text: &str, max_tokens: u32, terms: &Terms) -> Result<ChatRequest, GenerationFailure> {
    let line = serde_json::json!({ "messages": [{ "role": "user", "content": text }] });
    let conversation =
        Conversation::parse(&line.to_string()).map_err(|error| GenerationFailure {
            kind: FailureKind::Refused,
            message: format!("the control prompt is no message: {error}"),
            partial: None,
        })?;
    Ok(ChatRequest { conversation, max_tokens, terms: terms.clone() })
}
