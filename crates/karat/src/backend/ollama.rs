//! Ollama by its native API, which alone takes a context per request and tells thinking apart. Owns the
//! exchange of one question; who is resident is `residents`' matter.

mod body;
mod chunk;
mod residents;
mod show;

use super::answer::{Answer, End, Listener, divide, most_bytes};
use super::counter::Counter;
use super::http::{Http, Lines, Patience, failure};
use super::markup::Markup;
use super::thought_tally::ThoughtTally;
use super::{ChatRequest, Generate, Ready, Sampling, Served, Terms};
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
    /// Whether a process that is there already will do.
    takes_resident: bool,
    tally: ThoughtTally,
    counter: Counter,
    /// Bytes of the model, once it was identified.
    bytes: Option<u64>,
}

impl Ollama {
    /// The model of that name on the server at `base`, e.g. `http://127.0.0.1:11434`. Nothing is sent
    /// yet. A key is for servers behind a gateway.
    pub fn new(base: &str, model: &str, key: Option<ApiKey>, patience: Patience) -> Self {
        Self {
            http: Http::new(base, key, patience),
            model: model.to_owned(),
            n_ctx: None,
            takes_resident: true,
            tally: ThoughtTally::default(),
            counter: Counter::default(),
            bytes: None,
        }
    }

    fn version(&self) -> Result<Option<String>, GenerationFailure> {
        let version = self.http.get("/api/version")?;
        Ok(version["version"].as_str().map(|version| format!("Ollama {version}")))
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
        let version = self.version()?;
        let show = Show::ask(&self.http, &self.model)?;
        let unverified = show.check_thinking(&self.model, &terms.thinking)?;
        let mut ready = Ready {
            engine: version,
            quantization: show.quantization.clone(),
            template: show.template.clone(),
            ..Ready::default()
        };
        if let Some(message) = unverified {
            ready.tell(Severity::Warning, message);
        }
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
        self.counter = Counter::default();
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
        let tokens = TokenCounts {
            prompt: counters.prompt_eval_count,
            total: self.counter.credible(counters.eval_count, request.max_tokens),
            ..TokenCounts::default()
        };
        let mut generation = answer.end(End { finish, tokens, timings: counters.seconds(), raw });
        divide(&mut generation, |_| None);
        self.tally.observe(&generation);
        Ok(generation)
    }

    fn finish(&mut self) -> Result<Vec<Finding>, GenerationFailure> {
        let mut findings = self.tally.findings();
        findings.extend(self.counter.finding());
        if let Some(n_ctx) = self.n_ctx.take() {
            let told = Residents::of(&self.http).leave(&self.model, n_ctx)?;
            let warning = |message| Finding { severity: Severity::Warning, message };
            findings.extend(told.into_iter().map(warning));
        }
        Ok(findings)
    }
}

impl Served for Ollama {
    fn identify(&mut self) -> Result<Option<String>, GenerationFailure> {
        let tags = self.http.find("/api/tags")?.unwrap_or_default();
        let models = tags["models"].as_array().map(Vec::as_slice).unwrap_or_default();
        let entry = models.iter().find(|entry| residents::is_of(entry, &self.model));
        self.bytes = entry.and_then(|entry| entry["size"].as_u64());
        let Some(digest) = entry.and_then(|entry| entry["digest"].as_str()) else {
            return Ok(None);
        };
        let engine = self.version()?.unwrap_or_default();
        Ok((!digest.is_empty()).then(|| format!("digest {digest}, {engine}")))
    }

    fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// Ollama counts tokens of prompts that it answers, and of nothing else.
    fn count_tokens(&self, _text: &str) -> Result<Option<u64>, GenerationFailure> {
        Ok(None)
    }
}
