//! Tasks drawn for models on servers, where no vocabulary is at hand: how long texts are says the server,
//! as far as it can. Owns what it is asked for that, and how the counting is told.

use std::cell::Cell;
use std::ops::RangeInclusive;

use super::draw::draw;
use crate::backend::{ChatRequest, Served, Terms};
use crate::chat::Conversation;
use crate::generation::GenerationFailure;
use crate::record::{Finding, Severity};
use crate::settings::SuiteSpec;
use crate::task::{Instance, TaskError};

/// Bytes of a token where nobody says it: about what logs have, whose digits are often tokens of their
/// own. English text has twice as many, so that its prompts are taken for longer than they are.
const BYTES_PER_TOKEN: f64 = 2.0;
/// Prompts below this length, in bytes, are not worth a question: no task depends on theirs.
const WORTH_ASKING: usize = 1024;
/// Longest piece of a prompt that a server is asked to read, in bytes.
const PIECE: usize = 4096;
/// Bytes of a token; where a counter says something else, it counts something else.
const CREDIBLE: RangeInclusive<f64> = 1.0..=8.0;

/// Instances with the tokens of their messages, and how those were counted.
pub struct Drawn {
    /// The tasks.
    pub instances: Vec<(Instance, u64)>,
    /// How long a text is taken to be, and why.
    pub counting: Finding,
}

/// Draws the tasks of a suite with the lengths that they have for the model of `backend`, which was
/// identified. llama-server counts every text. Another server is asked for a single token after pieces
/// of the longest prompt, and what its own counter says of them holds for every text. `terms`: on which
/// it is asked; `None` to ask no model anything.
pub fn draw_served(
    spec: &SuiteSpec,
    backend: &mut dyn Served,
    terms: Option<&Terms>,
) -> Result<Drawn, TaskError> {
    if let Some(instances) = draw_counted(spec, backend)? {
        let counting = note("lengths of prompts are counted with the server's /tokenize".to_owned());
        return Ok(Drawn { instances, counting });
    }
    let estimated = draw_at(spec, BYTES_PER_TOKEN)?;
    let contents = estimated.iter().flat_map(|(instance, _)| &instance.messages);
    let longest = contents.map(|message| message.content.as_str()).max_by_key(|text| text.len());
    let longest = longest.unwrap_or_default();
    let why = match terms {
        _ if longest.len() < WORTH_ASKING => "none of them is long".to_owned(),
        None => "no model is asked for a plan alone".to_owned(),
        Some(terms) => match bytes_per_token(backend, longest, terms) {
            Ok(ratio) => {
                let counting = note(format!(
                    "lengths of prompts are worked out at {ratio:.2} bytes a token, which is what the \
                     server's own counter made of a piece of a log"
                ));
                return Ok(Drawn { instances: draw_at(spec, ratio)?, counting });
            }
            Err(failure) => failure,
        },
    };
    Ok(Drawn { instances: estimated, counting: estimate(&why) })
}

/// The same without a server to ask. `why`: there is none.
pub fn draw_estimated(spec: &SuiteSpec, why: &str) -> Result<Drawn, TaskError> {
    Ok(Drawn { instances: draw_at(spec, BYTES_PER_TOKEN)?, counting: estimate(why) })
}

fn draw_at(spec: &SuiteSpec, ratio: f64) -> Result<Vec<(Instance, u64)>, TaskError> {
    draw(spec, &|text| (text.len() as f64 / ratio).ceil() as usize)
}

/// With every text counted by the server; `None` where it does not count, or stops doing so.
fn draw_counted(
    spec: &SuiteSpec,
    backend: &dyn Served,
) -> Result<Option<Vec<(Instance, u64)>>, TaskError> {
    let counts = Cell::new(true);
    let count = |text: &str| {
        let tokens = if counts.get() { backend.count_tokens(text).ok().flatten() } else { None };
        counts.set(tokens.is_some());
        tokens.map_or(text.len(), |tokens| tokens as usize)
    };
    // One that does not count is not worth the drawing.
    count("");
    if !counts.get() {
        return Ok(None);
    }
    let drawn = draw(spec, &count)?;
    Ok(counts.get().then_some(drawn))
}

/// Bytes of a token of such a text by the server's counter of prompts, or why there are none.
///
/// Two pieces are read and their difference taken, so that what a template puts around them does not
/// count. They have no beginning in common, so that a cache of prompts has nothing to leave out.
fn bytes_per_token(
    backend: &mut dyn Served,
    text: &str,
    terms: &Terms,
) -> Result<f64, String> {
    // No more bytes than half the context has tokens fit into it, whatever the vocabulary.
    let n = PIECE.min(terms.n_ctx as usize / 2).min(text.len() / 2);
    let end = text.floor_char_boundary(n);
    let (long, rest) = text.split_at(end);
    let short = &rest[..rest.floor_char_boundary(end / 8)];
    let counted = (|| {
        backend.get_ready(terms)?;
        let counted = [short, long].map(|piece| prompt_tokens(backend, piece, terms));
        backend.finish()?;
        let [short, long] = counted;
        Ok((short?, long?))
    })();
    let (Some(of_short), Some(of_long)) = counted.map_err(|f: GenerationFailure| f.message)? else {
        return Err("the server does not tell the tokens of a prompt".to_owned());
    };
    let ratio = (long.len() - short.len()) as f64 / of_long.saturating_sub(of_short) as f64;
    if CREDIBLE.contains(&ratio) {
        Ok(ratio)
    } else {
        Err(format!(
            "the server counts {of_short} and {of_long} tokens in prompts of {} and {} bytes",
            short.len(),
            long.len()
        ))
    }
}

fn prompt_tokens(
    backend: &mut dyn Served,
    text: &str,
    terms: &Terms,
) -> Result<Option<u64>, GenerationFailure> {
    let conversation = Conversation::of([("user", text)]);
    let request = ChatRequest { conversation, max_tokens: 1, terms: terms.clone() };
    Ok(backend.generate(&request, &mut |_| true)?.tokens.prompt)
}

fn estimate(why: &str) -> Finding {
    note(format!("lengths of prompts are estimated at {BYTES_PER_TOKEN} bytes a token: {why}"))
}

fn note(message: String) -> Finding {
    Finding { severity: Severity::Note, message }
}
