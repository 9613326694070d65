//! The embedded engine behind [`Generate`]: the model file's own chat template, token ids that are
//! seen, so that counts are exact. Runs in workers only.

mod chat_model;
pub mod recommended;

use std::path::Path;

use karat_gguf::Gguf;
use karat_llama::{EngineError, Finish, Sampling as EngineSampling, Threads, Token};

use super::answer::utf8::Utf8Stream;
use super::answer::{Answer, End, Listener};
use super::embedded::{Embedded, EmbeddedParams};
use super::thought_tally::ThoughtTally;
use super::{BackendError, ChatRequest, Generate, Ready, Sampling, Terms, ThinkingSplitter};
use crate::generation::{
    Counted, FailureKind, FinishReason, Generation, GenerationFailure, RawExchange, Timings,
    TokenCounts,
};
use crate::record::{Finding, Severity};

use self::chat_model::ChatModel;

/// One model on the embedded engine that answers conversations.
pub struct EmbeddedGenerate {
    engine: Embedded,
    chat: ChatModel,
    recommended: Result<recommended::Recommended, String>,
    tally: ThoughtTally,
}

/// What the engine wrote.
struct Written {
    /// Cancelled until it is known better.
    finish: FinishReason,
    /// Where in the text each token began.
    starts: Vec<usize>,
    raw: String,
}

impl EmbeddedGenerate {
    /// Loads a model as the runners do. `alive` is called while it loads and, on the processor, while
    /// it computes.
    pub fn load(
        path: &Path,
        params: &EmbeddedParams,
        threads: &Threads,
        alive: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, BackendError> {
        let gguf = Gguf::open(path)?;
        let engine = Embedded::load(path, params, threads, alive)?;
        let chat = ChatModel::new(&gguf, path, engine.vocab())?;
        let recommended = recommended::read(gguf.metadata())
            .map_err(|what| format!("`{}` {what}", path.display()));
        Ok(Self { engine, chat, recommended, tally: ThoughtTally::default() })
    }

    /// The model's vocabulary and all else of the engine.
    pub fn engine(&self) -> &Embedded {
        &self.engine
    }

    fn sampling(&self, asked: Sampling) -> Result<EngineSampling, GenerationFailure> {
        let (values, seed) = match asked {
            Sampling::Greedy => return Ok(EngineSampling::Greedy),
            Sampling::Values { values, seed } => (values, seed),
            Sampling::Recommended { seed } => {
                (self.recommended.as_ref().map_err(|why| not_as_asked(why.clone()))?.values, seed)
            }
        };
        let temperature = values.temperature.unwrap_or(1.0);
        // To the engine a temperature of 0 is a division by it.
        if temperature <= 0.0 {
            return Ok(EngineSampling::Greedy);
        }
        Ok(EngineSampling::Random {
            temperature,
            top_k: values.top_k.unwrap_or(0),
            top_p: values.top_p.unwrap_or(1.0),
            min_p: values.min_p.unwrap_or(0.0),
            seed,
        })
    }

    /// Has the engine write; pieces go to `answer`.
    fn write(
        &mut self,
        prompt: &[Token],
        request: &ChatRequest,
        sampling: EngineSampling,
        answer: &mut Answer<'_>,
        written: &mut Written,
    ) -> Result<(), EngineError> {
        let mut utf8 = Utf8Stream::default();
        let Written { finish, starts, raw } = written;
        let max_tokens = request.max_tokens as usize;
        let context = self.engine.context();
        let generated = karat_llama::generate(context, prompt, max_tokens, sampling, |_, bytes| {
            starts.push(raw.len());
            answer.count(starts.len());
            let text = utf8.push(bytes);
            raw.push_str(&text);
            if text.is_empty() {
                answer.note();
            }
            answer.push(&text)
        });
        let rest = utf8.finish();
        raw.push_str(rest);
        answer.push(rest);
        answer.close();
        *finish = match generated?.finish {
            Finish::End => FinishReason::Stop,
            Finish::Length => FinishReason::Length,
            Finish::Stopped => FinishReason::Cancelled,
        };
        Ok(())
    }
}

impl Generate for EmbeddedGenerate {
    fn get_ready(&mut self, terms: &Terms) -> Result<Ready, GenerationFailure> {
        let n_ctx = self.engine.n_ctx();
        if n_ctx != terms.n_ctx {
            return Err(not_as_asked(format!(
                "the model was loaded with a context of {n_ctx} tokens, {} were asked for",
                terms.n_ctx
            )));
        }
        self.sampling(terms.sampling)?;
        let identity = karat_llama::identity();
        let mut ready = Ready {
            engine: Some(format!(
                "llama.cpp of {}; {}",
                identity.crate_version, identity.system_info
            )),
            n_ctx: Some(n_ctx),
            template: Some(self.chat.template_source().map_err(not_as_asked)?.to_owned()),
            ..Ready::default()
        };
        if let Some(told) = self.chat.check_thinking(&terms.thinking).map_err(not_as_asked)? {
            ready.tell(Severity::Warning, told);
        }
        if let (Sampling::Recommended { .. }, Ok(recommended)) = (terms.sampling, &self.recommended)
            && !recommended.ignored.is_empty()
        {
            let keys = recommended.ignored.join(", ");
            ready.tell(
                Severity::Warning,
                format!("the file recommends more than karat samples with; left out: {keys}"),
            );
        }
        self.tally.restart(&terms.thinking);
        Ok(ready)
    }

    fn generate(
        &mut self,
        request: &ChatRequest,
        listen: Listener<'_>,
    ) -> Result<Generation, GenerationFailure> {
        let sampling = self.sampling(request.terms.sampling)?;
        let prompt = self.chat.prompt(request).map_err(refused)?;
        let tokens = self
            .chat
            .tokenize(self.engine.vocab(), &prompt.text)
            .map_err(|error| failed(&error))?;
        let n_ctx = self.engine.n_ctx() as usize;
        if tokens.len() >= n_ctx {
            return Err(refused(format!(
                "the prompt has {} tokens, which leaves no room in a context of {n_ctx}",
                tokens.len()
            )));
        }
        let start = ThinkingSplitter::channel_after(&prompt.markup, &prompt.tail);
        let mut answer = Answer::begin(&prompt.markup, Some(start), listen);
        let mut written =
            Written { finish: FinishReason::Cancelled, starts: Vec::new(), raw: String::new() };
        let done = self.write(&tokens, request, sampling, &mut answer, &mut written);
        let generation = ended(answer, prompt.text, tokens.len(), written);
        if let Err(error) = done {
            return Err(GenerationFailure {
                partial: Some(Box::new(generation)),
                ..failed(&error)
            });
        }
        self.tally.observe(&generation);
        Ok(generation)
    }

    fn finish(&mut self) -> Result<Vec<Finding>, GenerationFailure> {
        Ok(self.tally.findings())
    }
}

/// The answer with its exact counts.
fn ended(answer: Answer<'_>, prompt: String, n_prompt: usize, written: Written) -> Generation {
    let total = written.starts.len() as u64;
    let thinking = answer.n_thinking(&written.starts) as u64;
    let exact = |tokens| Some(Counted { tokens, exact: true });
    answer.end(End {
        finish: written.finish,
        tokens: TokenCounts {
            prompt: Some(n_prompt as u64),
            total: Some(total),
            visible: exact(total - thinking),
            thinking: exact(thinking),
        },
        timings: Timings::default(),
        raw: RawExchange { request: prompt, response: written.raw },
    })
}

fn failure(kind: FailureKind, message: String) -> GenerationFailure {
    GenerationFailure { kind, message, partial: None }
}

fn not_as_asked(message: String) -> GenerationFailure {
    failure(FailureKind::NotAsAsked, message)
}

fn refused(message: String) -> GenerationFailure {
    failure(FailureKind::Refused, message)
}

fn failed(error: &EngineError) -> GenerationFailure {
    failure(FailureKind::Engine, error.to_string())
}
