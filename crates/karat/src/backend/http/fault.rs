//! What went wrong with a request, in the project's own kinds and words. Owns the wording; sends
//! nothing.

use std::io::ErrorKind;

use serde_json::Value;
use ureq::Error;

use crate::generation::{FailureKind, GenerationFailure};

/// Longest piece of a server's words in a message, in characters.
const LONGEST_EXCERPT: usize = 300;

/// A failure without an answer.
pub fn failure(kind: FailureKind, message: String) -> GenerationFailure {
    GenerationFailure { kind, message, partial: None }
}

/// The beginning of what a server said, on one line.
pub fn excerpt(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(LONGEST_EXCERPT).collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST_EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Whether nobody took the connection, so that nothing was sent.
pub fn is_refused_connection(error: &Error) -> bool {
    match error {
        Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        Error::ConnectionFailed => true,
        _ => false,
    }
}

/// A request that failed on its way. `has_reply`: a reply with the status of success had begun.
pub fn of(error: &Error, base: &str, has_reply: bool) -> GenerationFailure {
    let ended = |kind: ErrorKind| {
        matches!(
            kind,
            ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::UnexpectedEof
                | ErrorKind::BrokenPipe
        )
    };
    match error {
        Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) | Error::HostNotFound => {
            failure(
                FailureKind::Unreachable,
                format!("nobody answers at {base} ({error}): is the server running there?"),
            )
        }
        Error::Timeout(ureq::Timeout::Global) => failure(
            FailureKind::TimedOut,
            format!("{base} took longer than an answer may take in all"),
        ),
        Error::Timeout(_) => failure(
            FailureKind::TimedOut,
            format!(
                "{base} sent nothing for too long {}",
                if has_reply { "in the middle of a reply" } else { "after it was asked" }
            ),
        ),
        Error::Io(io) if has_reply && ended(io.kind()) => failure(
            FailureKind::BrokenStream,
            format!("{base} broke off in the middle of a reply ({io})"),
        ),
        Error::Io(io) if ended(io.kind()) => failure(
            FailureKind::HungUp,
            format!("{base} closed the connection without a reply ({io})"),
        ),
        Error::Io(_) | Error::ConnectionFailed if !has_reply => failure(
            FailureKind::Unreachable,
            format!("cannot reach {base} ({error}): is the server running there?"),
        ),
        Error::Io(_) => failure(FailureKind::BrokenStream, format!("{base}: {error}")),
        _ => failure(FailureKind::InvalidReply, format!("{base} does not speak HTTP: {error}")),
    }
}

/// A reply whose status is none of success.
pub fn refusal(url: &str, status: u16, body: &str) -> GenerationFailure {
    let said = words(body);
    let is_about_the_model = said.to_lowercase().contains("model");
    match status {
        404 if is_about_the_model => {
            failure(FailureKind::NoSuchModel, format!("{url} does not know the model: {said}"))
        }
        404 | 405 => failure(
            FailureKind::Refused,
            format!("{url} is no address of such a server (status {status}): {said}"),
        ),
        401 | 403 => failure(
            FailureKind::Refused,
            format!("{url} wants a key, or another one (status {status}): set KARAT_API_KEY"),
        ),
        300..=399 => failure(
            FailureKind::Refused,
            format!("{url} sends on to another address (status {status}); name that one"),
        ),
        _ => failure(FailureKind::Refused, format!("{url} refused with status {status}: {said}")),
    }
}

/// What a server says in an error: its message, where it has one.
pub fn words(body: &str) -> String {
    let json: Option<Value> = serde_json::from_str(body).ok();
    let message = json.as_ref().and_then(|json| {
        let error = json.get("error").unwrap_or(json);
        let text = error.get("message").unwrap_or(error).as_str();
        text.or_else(|| json.get("message")?.as_str())
    });
    excerpt(message.unwrap_or(body))
}
