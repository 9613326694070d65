//! Any server that speaks OpenAI's chat completions: llama-server, LM Studio, vLLM and others. Owns the
//! exchange of one question; what each server is like is `server`'s matter.

mod body;
mod chunk;
mod server;
mod sse;

use std::collections::BTreeMap;

use super::answer::{Answer, End, Listener, divide, most_bytes};
use super::counter::Counter;
use super::http::{Http, Lines, Patience, failure};
use super::markup::Markup;
use super::thought_tally::ThoughtTally;
use super::{ChatRequest, Generate, Ready, Served, Terms};
use crate::generation::{
    Counted, FailureKind, FinishReason, Generation, GenerationFailure, RawExchange, Timings,
    TokenCounts, ToolCall,
};
use crate::record::Finding;
use crate::settings::ApiKey;

use self::chunk::{CallPiece, Chunk, ServerTimings, Usage};
use self::server::{Kind, Server};
use self::sse::Event;

/// One model on one server.
pub struct OpenAi {
    http: Http,
    /// The same server without `/v1`: some answer questions about themselves there.
    root: Http,
    model: String,
    /// What is known of the server once it was asked.
    server: Option<Server>,
    tally: ThoughtTally,
    counter: Counter,
}

/// What a stream has said besides text.
#[derive(Default)]
struct Said {
    finish: Option<String>,
    usage: Option<Usage>,
    timings: Option<ServerTimings>,
    calls: BTreeMap<u64, ToolCall>,
    is_done: bool,
}

impl OpenAi {
    /// The model of that name at `base` (the address that ends in `/v1`). Nothing is sent yet.
    pub fn new(base: &str, model: &str, key: Option<ApiKey>, patience: Patience) -> Self {
        Self {
            root: server::root(base, key.clone(), patience),
            http: Http::new(base, key, patience),
            model: model.to_owned(),
            server: None,
            tally: ThoughtTally::default(),
            counter: Counter::default(),
        }
    }

    /// Reads a stream to its end. False where the listener had heard enough.
    fn listen(
        lines: &mut Lines,
        answer: &mut Answer<'_>,
        said: &mut Said,
        most: usize,
    ) -> Result<bool, GenerationFailure> {
        loop {
            let event = match sse::next(lines) {
                Ok(event) => event,
                // The answer is whole; only its counts would have come after it.
                Err(failure) if said.finish.is_some() && is_silence(&failure) => return Ok(true),
                Err(failure) => return Err(failure),
            };
            let data = match event {
                None => return Ok(true),
                Some(Event::Done) => {
                    said.is_done = true;
                    return Ok(true);
                }
                Some(Event::Data(data)) => data,
            };
            if !said.take(Chunk::parse(&data)?, answer) {
                return Ok(false);
            }
            if answer.n_bytes() > most {
                let message =
                    format!("the server sent more than {most} bytes of text for one answer");
                return Err(failure(FailureKind::Endless, message));
            }
        }
    }

    /// The server's own counters. Visible and thinking apart only where it counts thinking.
    fn tokens(&mut self, said: &Said, finish: &FinishReason, max_tokens: u32) -> TokenCounts {
        let timings = said.timings.as_ref();
        let usage = said.usage.as_ref();
        let total = usage
            .and_then(|usage| usage.completion_tokens)
            .or_else(|| timings.and_then(|timings| timings.predicted_n));
        let total = self.counter.credible(total, max_tokens);
        // llama-server counts the token that ends the turn (seen in build 0c1e57098, by the side of the
        // embedded engine).
        let is_llama = self.server.as_ref().map(Server::kind) == Some(Kind::LlamaServer);
        let has_end = matches!(finish, FinishReason::Stop | FinishReason::ToolCalls);
        let total = total.map(|total| total.saturating_sub(u64::from(is_llama && has_end)));
        let prompt = usage
            .and_then(|usage| usage.prompt_tokens)
            .or_else(|| timings.and_then(ServerTimings::n_prompt));
        let thought = usage.and_then(|usage| Some((usage.reasoning_tokens()?, total?)));
        let (visible, thinking) = match thought {
            // A server that does not count thinking apart says 0.
            Some((thought, total)) if thought <= total && thought > 0 => {
                let exact = |tokens| Some(Counted { tokens, exact: true });
                (exact(total - thought), exact(thought))
            }
            _ => (None, None),
        };
        TokenCounts { prompt, total, visible, thinking }
    }
}

impl Generate for OpenAi {
    fn get_ready(&mut self, terms: &Terms) -> Result<Ready, GenerationFailure> {
        let server = Server::ask(&self.http, &self.root, &self.model)?;
        let ready = server.ready(&self.model, terms)?;
        self.server = Some(server);
        self.tally.restart(&terms.thinking);
        self.counter = Counter::default();
        Ok(ready)
    }

    fn generate(
        &mut self,
        request: &ChatRequest,
        listen: Listener<'_>,
    ) -> Result<Generation, GenerationFailure> {
        let kind = self.server.as_ref().map(Server::kind).unwrap_or_default();
        let markup = match self.server.as_ref().and_then(Server::template) {
            // The server reads the calls of tools itself.
            Some(template) => Markup::of(template, |_| false, false),
            None => Markup::unknown(),
        };
        let body = body::write(&self.model, request, kind)?;
        let mut answer = Answer::begin(&markup, None, listen);
        let sent = self.http.stream("/chat/completions", &body, &mut || answer.restart());
        let mut lines = match sent {
            Ok(lines) => lines,
            Err(failure) => {
                return Err(
                    answer.fail(failure, RawExchange { request: body, ..RawExchange::default() })
                );
            }
        };
        let mut said = Said::default();
        let most = most_bytes(request.max_tokens);
        let heard = Self::listen(&mut lines, &mut answer, &mut said, most);
        answer.close();
        let raw = RawExchange { request: body, response: lines.into_kept() };
        for call in std::mem::take(&mut said.calls).into_values() {
            answer.call(call);
        }
        let finish = match heard {
            Ok(true) => said.finish(&answer, self.http.base()),
            Ok(false) => Ok(FinishReason::Cancelled),
            Err(failure) => Err(failure),
        };
        let finish = match finish {
            Ok(finish) => finish,
            Err(failure) => return Err(answer.fail(failure, raw)),
        };
        let tokens = self.tokens(&said, &finish, request.max_tokens);
        let timings = said.timings.map_or_else(Timings::default, |timings| timings.seconds());
        let mut generation = answer.end(End { finish, tokens, timings, raw });
        // After the clock has stopped.
        if generation.tokens.thinking.is_none() {
            divide(&mut generation, |text| self.count_tokens(text).ok().flatten());
        }
        self.tally.observe(&generation);
        Ok(generation)
    }

    fn finish(&mut self) -> Result<Vec<Finding>, GenerationFailure> {
        let mut findings = self.tally.findings();
        findings.extend(self.counter.finding());
        Ok(findings)
    }
}

impl Served for OpenAi {
    fn identify(&mut self) -> Result<Option<String>, GenerationFailure> {
        let server = Server::ask(&self.http, &self.root, &self.model)?;
        let said = server.identity();
        self.server = Some(server);
        Ok(said)
    }

    fn bytes(&self) -> Option<u64> {
        self.server.as_ref().and_then(Server::bytes)
    }

    fn count_tokens(&self, text: &str) -> Result<Option<u64>, GenerationFailure> {
        let Some(server) = &self.server else { return Ok(None) };
        server.count_tokens(&self.root, text)
    }
}

impl Said {
    /// Takes a chunk. Whether to go on.
    fn take(&mut self, chunk: Chunk, answer: &mut Answer<'_>) -> bool {
        self.usage = chunk.usage.or(self.usage.take());
        self.timings = chunk.timings.or(self.timings.take());
        let mut goes_on = true;
        // One answer was asked for; a server that sends several has the first one counted.
        let Some(choice) = chunk.choices.into_iter().flatten().find(|choice| choice.index == 0)
        else {
            return true;
        };
        let delta = choice.delta.unwrap_or_default();
        if let Some(thought) = delta.thought() {
            goes_on &= answer.push_thinking(thought);
        }
        if let Some(content) = &delta.content {
            goes_on &= answer.push(content);
        }
        for (position, piece) in delta.tool_calls.iter().flatten().enumerate() {
            goes_on &= self.take_call(position as u64, piece, answer);
        }
        self.finish = choice.finish_reason.or(self.finish.take());
        goes_on
    }

    fn take_call(&mut self, position: u64, piece: &CallPiece, answer: &mut Answer<'_>) -> bool {
        let index = piece.index.unwrap_or(position);
        let nothing = ToolCall { name: String::new(), arguments: String::new() };
        let call = self.calls.entry(index).or_insert(nothing);
        let Some(function) = &piece.function else { return true };
        call.name.push_str(function.name.as_deref().unwrap_or_default());
        let arguments = function.arguments.as_deref().unwrap_or_default();
        call.arguments.push_str(arguments);
        answer.push_call(arguments)
    }

    /// Why the answer ended, or why what came is none.
    fn finish(
        &mut self,
        answer: &Answer<'_>,
        base: &str,
    ) -> Result<FinishReason, GenerationFailure> {
        let has_text = answer.n_bytes() > 0 || answer.has_calls();
        match self.finish.take() {
            Some(reason) => Ok(match reason.as_str() {
                "stop" => FinishReason::Stop,
                "length" => FinishReason::Length,
                "tool_calls" | "function_call" => FinishReason::ToolCalls,
                _ => FinishReason::Other(reason),
            }),
            None if self.is_done && has_text => {
                Ok(FinishReason::Other("no finish_reason".to_owned()))
            }
            None if self.is_done => Err(failure(
                FailureKind::InvalidReply,
                format!("{base} ended its stream without an answer: no chunk had a choice"),
            )),
            None => Err(failure(
                FailureKind::BrokenStream,
                format!("{base} ended its stream in the middle of an answer"),
            )),
        }
    }
}

/// Whether a failure is that nothing more came.
fn is_silence(failure: &GenerationFailure) -> bool {
    matches!(failure.kind, FailureKind::TimedOut | FailureKind::BrokenStream)
}
