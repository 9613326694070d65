//! Server-sent events, as far as chat completions use them: data, and the word that ends them.
//!
//! Source: WHATWG HTML, section "Server-sent events"; names of events and ids are not used here.

use crate::backend::http::{Lines, excerpt, failure};
use crate::generation::{FailureKind, GenerationFailure};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A document.
    Data(String),
    /// `[DONE]`.
    Done,
}

/// The next event; `None` where the stream is over.
pub(super) fn next(lines: &mut Lines) -> Result<Option<Event>, GenerationFailure> {
    let mut data: Option<String> = None;
    while let Some(line) = lines.next()? {
        if line.is_empty() {
            if let Some(data) = data.take() {
                return Ok(Some(event(data)));
            }
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => match &mut data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => data = Some(value.to_owned()),
            },
            // llama-server sends its errors under this name.
            "error" => data = Some(format!("{{\"error\":{value}}}")),
            // A comment (to keep the connection open), or a field that says nothing here.
            "" | "event" | "id" | "retry" => (),
            _ => {
                let message = format!("the server sent no stream of events: {}", excerpt(&line));
                return Err(failure(FailureKind::InvalidReply, message));
            }
        }
    }
    // Some servers leave out the blank line at the end.
    Ok(data.map(event))
}

fn event(data: String) -> Event {
    if data.trim() == "[DONE]" { Event::Done } else { Event::Data(data) }
}
