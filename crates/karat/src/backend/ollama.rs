//! Ollama by its native API, which alone takes a context per request and tells thinking apart. Owns the
//! exchange of one question; who is resident is `residents`' matter.

mod body;
mod chunk;
mod residents;
mod show;

use super::answer::{Answer, End, Listener, TokenCounter, most_bytes, shares};
use super::http::{Http, Lines, Patience, failure};
use super::markup::Markup;
use super::thought_tally::ThoughtTally;
use super::{ChatRequest, Generate, Ready, Sampling, Terms};
use crate::generation::{
    FailureKind, FinishReason, Generation, GenerationFailure, RawExchange, TokenCounts,
};
use crate::record::{Finding, Severity};
use crate::settings::ApiKey;

use self::chunk::{Chunk, Counters};
use self::residents::Residents;
use self::show::Show;

/// One model of Ollama's.
pub struct Ollama {
    http: Http,
    model: String,
    /// The context that was verified.
    n_ctx: Option<u32>,
    counter: Option<TokenCounter>,
    /// Whether a process that is there already will do.
    takes_resident: bool,
    tally: ThoughtTally,
}

impl Ollama {
    /// The model of that name on the server at `base`, e.g. `http://127.0.0.1:11434`. Nothing is sent
    /// yet. A key is for servers behind a gateway.
    pub fn new(base: &str, model: &str, key: Option<ApiKey>, patience: Patience) -> Self {
        Self {
            http: Http::new(base, key, patience),
            model: model.to_owned(),
            n_ctx: None,
            counter: None,
            takes_resident: true,
            tally: ThoughtTally::default(),
        }
    }

    /// The same with a vocabulary, by which visible and thinking tokens are told apart.
    #[must_use]
    pub fn with_counter(self, counter: TokenCounter) -> Self {
        Self { counter: Some(counter), ..self }
    }

    /// The same, loaded anew each time that it gets ready.
    #[must_use]
    pub fn afresh(self) -> Self {
        Self { takes_resident: false, ..self }
    }

    /// Reads a stream to its end: the final counters, or `None` where the listener had heard enough.
    fn listen(
        &self,
        lines: &mut Lines,
        answer: &mut Answer<'_>,
        most: usize,
    ) -> Result<Option<Counters>, GenerationFailure> {
        while let Some(line) = lines.next()? {
            if line.trim().is_empty() {
                continue;
            }
            let chunk = Chunk::parse(&line)?;
            let message = chunk.message.unwrap_or_default();
            let mut goes_on = answer.push_thinking(message.thinking.as_deref().unwrap_or_default());
            goes_on &= answer.push(message.content.as_deref().unwrap_or_default());
            for call in message.tool_calls.iter().flatten() {
                let call = call.read()?;
                goes_on &= answer.push_call(&call.arguments);
                answer.call(call);
            }
            if chunk.done {
                return Ok(Some(chunk.counters));
            }
            if !goes_on {
                return Ok(None);
            }
            if answer.n_bytes() > most {
                let message = format!("Ollama sent more than {most} bytes of text for one answer");
                return Err(failure(FailureKind::Endless, message));
            }
        }
        let message = format!("{} ended its stream in the middle of an answer", self.http.base());
        Err(failure(FailureKind::BrokenStream, message))
    }
}

impl Generate for Ollama {
    fn get_ready(&mut self, terms: &Terms) -> Result<Ready, GenerationFailure> {
        self.n_ctx = None;
        let version = self.http.get("/api/version")?;
        let show = Show::ask(&self.http, &self.model)?;
        show.check_thinking(&self.model, &terms.thinking)?;
        let mut ready = Ready {
            engine: version["version"].as_str().map(|version| format!("Ollama {version}")),
            quantization: show.quantization.clone(),
            template: show.template.clone(),
            ..Ready::default()
        };
        let residents = Residents::of(&self.http);
        let unloaded = if self.takes_resident {
            residents.make_room(&self.model, terms.n_ctx)?
        } else {
            residents.unload_all()?
        };
        if !unloaded.is_empty() {
            let names = unloaded.join(", ");
            ready.tell(Severity::Note, format!("Ollama was asked to unload {names}"));
        }
        let resident = residents.load(&self.model, terms.n_ctx)?;
        ready.n_ctx = resident.context_length;
        ready.resident_bytes = resident.size;
        ready.vram_bytes = resident.size_vram;
        if resident.context_length.is_none() {
            ready.tell(
                Severity::Warning,
                format!(
                    "this Ollama does not tell the context of a loaded model; {} tokens cannot be \
                     verified (newer versions do)",
                    terms.n_ctx
                ),
            );
        }
        ready.tell(
            Severity::Note,
            "Ollama renders its own template, not the GGUF's, and may answer from a cache of earlier \
             prompts, which no request can switch off",
        );
        if matches!(terms.sampling, Sampling::Recommended { .. }) {
            let told = show.parameters.as_deref().map_or("none".to_owned(), show::one_line);
            ready.tell(
                Severity::Note,
                format!("sampling is left to Ollama; parameters of the model: {told}"),
            );
        }
        self.n_ctx = Some(terms.n_ctx);
        self.tally.restart(&terms.thinking);
        Ok(ready)
    }

    fn generate(
        &mut self,
        request: &ChatRequest,
        listen: Listener<'_>,
    ) -> Result<Generation, GenerationFailure> {
        let body = body::write(&self.model, request)?;
        let mut answer = Answer::begin(&Markup::unknown(), None, listen);
        let sent = self.http.stream("/api/chat", &body, &mut || answer.restart());
        let mut lines = match sent {
            Ok(lines) => lines,
            Err(failure) => {
                return Err(
                    answer.fail(failure, RawExchange { request: body, ..RawExchange::default() })
                );
            }
        };
        let heard = self.listen(&mut lines, &mut answer, most_bytes(request.max_tokens));
        answer.close();
        let raw = RawExchange { request: body, response: lines.into_kept() };
        let counters = match heard {
            Ok(counters) => counters,
            Err(failure) => return Err(answer.fail(failure, raw)),
        };
        let finish = counters
            .as_ref()
            .map_or(FinishReason::Cancelled, |counters| counters.finish(request.max_tokens));
        let counters = counters.unwrap_or_default();
        let total = counters.eval_count;
        let (visible, thinking) =
            shares(total, answer.visible(), answer.thinking(), self.counter.as_ref());
        let tokens = TokenCounts { prompt: counters.prompt_eval_count, total, visible, thinking };
        let generation = answer.end(End { finish, tokens, timings: counters.seconds(), raw });
        self.tally.observe(&generation);
        Ok(generation)
    }

    fn finish(&mut self) -> Result<Vec<Finding>, GenerationFailure> {
        let mut findings = self.tally.findings();
        if let Some(n_ctx) = self.n_ctx.take() {
            let told = Residents::of(&self.http).leave(&self.model, n_ctx)?;
            let warning = |message| Finding { severity: Severity::Warning, message };
            findings.extend(told.into_iter().map(warning));
        }
        Ok(findings)
    }
}
