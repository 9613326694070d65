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
        let counting =
            note("lengths of prompts are counted with the server's /tokenize".to_owned());
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
fn bytes_per_token(backend: &mut dyn Served, text: &str, terms: &Terms) -> Result<f64, String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Generate, Listener, Ready, Sampling, Thinking};
    use crate::generation::{
        FailureKind, FinishReason, Generation, RawExchange, Timings, TokenCounts,
    };
    use crate::settings::SuiteName;

    /// A server whose counters say what they are told to.
    #[derive(Default)]
    struct Fake {
        /// Tokens of a text without an answer; none where it does not count, or does so no more.
        counts: Option<fn(&str) -> Option<u64>>,
        /// Tokens of a prompt, as told with an answer.
        prompt: Option<fn(&str) -> Option<u64>>,
        asked: Vec<String>,
        is_ready: bool,
    }

    fn failure(message: &str) -> GenerationFailure {
        let message = message.to_owned();
        GenerationFailure { kind: FailureKind::NotAsAsked, message, partial: None }
    }

    impl Generate for Fake {
        fn get_ready(&mut self, _terms: &Terms) -> Result<Ready, GenerationFailure> {
            if self.prompt.is_none() {
                return Err(failure("not this one"));
            }
            self.is_ready = true;
            Ok(Ready::default())
        }

        fn generate(
            &mut self,
            request: &ChatRequest,
            _listen: Listener<'_>,
        ) -> Result<Generation, GenerationFailure> {
            assert!(self.is_ready && request.max_tokens == 1);
            let messages = serde_json::to_value(request.conversation.messages()).unwrap();
            let text = messages[0]["content"].as_str().unwrap().to_owned();
            let prompt = self.prompt.and_then(|count| count(&text));
            self.asked.push(text);
            Ok(Generation {
                visible: String::new(),
                thinking: String::new(),
                tool_calls: Vec::new(),
                tokens: TokenCounts { prompt, ..TokenCounts::default() },
                timings: Timings::default(),
                finish: FinishReason::Length,
                deltas: Vec::new(),
                raw: RawExchange::default(),
            })
        }

        fn finish(&mut self) -> Result<Vec<Finding>, GenerationFailure> {
            self.is_ready = false;
            Ok(Vec::new())
        }
    }

    impl Served for Fake {
        fn identify(&mut self) -> Result<Option<String>, GenerationFailure> {
            Ok(None)
        }

        fn bytes(&self) -> Option<u64> {
            None
        }

        fn count_tokens(&self, text: &str) -> Result<Option<u64>, GenerationFailure> {
            Ok(self.counts.and_then(|count| count(text)))
        }
    }

    fn spec(family: &str) -> SuiteSpec {
        SuiteSpec {
            name: SuiteName::Quick,
            folder: None,
            only: vec![family.to_owned()],
            fixed: [("log_tokens".to_owned(), 3000.into())].into(),
            max_tokens: None,
            seed: 0,
        }
    }

    const LOG: &str = "long_context_recall";

    fn terms(n_ctx: u32) -> Terms {
        Terms { n_ctx, thinking: Thinking::Default, sampling: Sampling::Greedy }
    }

    /// What is asked, how many bytes the only prompt has, and its tokens; `words` must be told.
    #[track_caller]
    fn check(mut fake: Fake, family: &str, n_ctx: u32, words: &str) -> (Vec<String>, usize, u64) {
        let drawn = draw_served(&spec(family), &mut fake, Some(&terms(n_ctx))).unwrap();
        assert!(drawn.counting.message.contains(words), "{}", drawn.counting.message);
        assert!(!fake.is_ready, "what was loaded is let go");
        let [(instance, tokens)] = drawn.instances.as_slice() else { panic!("one task") };
        (fake.asked, instance.messages[0].content.len(), *tokens)
    }

    #[test]
    fn a_server_that_counts_is_asked_nothing_else() {
        let words = |text: &str| Some(text.split_whitespace().count() as u64);
        let fake = Fake { counts: Some(words), ..Fake::default() };
        let (asked, bytes, tokens) = check(fake, LOG, 32_768, "/tokenize");
        assert!(asked.is_empty());
        // The log and the question after it, and no line less than fits.
        assert!((2_990..3_030).contains(&tokens), "{tokens}");
        assert!(bytes > 10_000, "{bytes}");
    }

    #[test]
    fn what_a_template_adds_does_not_count() {
        let fake =
            Fake { prompt: Some(|text| Some(500 + text.len() as u64 / 4)), ..Fake::default() };
        let (asked, bytes, tokens) = check(fake, LOG, 32_768, "worked out at 4.00 bytes a token");
        let [short, long] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!(short.len(), long.len() / 8);
        assert!(!long.starts_with(short.as_str()), "a cache has nothing to leave out");
        assert!(long.starts_with("2026-03-14T"), "{long}");
        assert!((11_900..12_200).contains(&bytes), "{bytes}");
        assert!(tokens.abs_diff(bytes as u64 / 4) < 5, "{tokens} of {bytes}");
    }

    #[test]
    fn pieces_fit_the_context_in_any_vocabulary() {
        let fake = Fake { prompt: Some(|text| Some(text.len() as u64)), ..Fake::default() };
        let (asked, ..) = check(fake, LOG, 512, "worked out at 1.00 bytes a token");
        assert!(asked.iter().all(|piece| piece.len() <= 256));
    }

    #[test]
    fn a_server_that_stops_counting_is_asked_like_any_other() {
        let short_ones = |text: &str| (text.len() < 100).then_some(1);
        let prompt: fn(&str) -> Option<u64> = |text| Some(text.len() as u64 / 3);
        let fake = Fake { counts: Some(short_ones), prompt: Some(prompt), ..Fake::default() };
        let (asked, ..) = check(fake, LOG, 32_768, "worked out at 3.00 bytes a token");
        assert_eq!(asked.len(), 2);
    }

    #[test]
    fn where_nothing_can_be_found_out_two_bytes_are_assumed_and_why() {
        let estimated = |prompt: Option<fn(&str) -> Option<u64>>, words| {
            let fake = Fake { prompt, ..Fake::default() };
            let (_, bytes, tokens) = check(fake, LOG, 32_768, words);
            assert_eq!(tokens, bytes.div_ceil(2) as u64);
            assert!((5_900..6_200).contains(&bytes), "{bytes}");
        };
        estimated(None, "at 2 bytes a token: not this one");
        estimated(Some(|_| None), "does not tell the tokens of a prompt");
        estimated(Some(|_| Some(7)), "counts 7 and 7 tokens in prompts of");
        estimated(Some(|text| Some(u64::from(text.len() > 1000))), "counts 0 and 1 tokens");
    }

    #[test]
    fn short_prompts_are_not_worth_a_question() {
        let fake = Fake { prompt: Some(|_| None), ..Fake::default() };
        assert!(check(fake, "strict_json", 32_768, "none of them is long").0.is_empty());
        let mut fake = Fake { prompt: Some(|_| None), ..Fake::default() };
        let drawn = draw_served(&spec(LOG), &mut fake, None).unwrap();
        assert!(drawn.counting.message.contains("no model is asked for a plan alone"));
        assert!(fake.asked.is_empty());
    }
}
