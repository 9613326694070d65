//! Requests to servers: one at a time, blocking, bounded in time and size. Owns the client, what counts
//! as which failure, and when a request is sent again: only where no answer can have begun. Knows no
//! protocol above HTTP.

mod fault;
mod lines;
mod patient;

use std::thread;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Method, Request};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body};

use crate::clock::Stopwatch;
use crate::generation::{FailureKind, GenerationFailure};
use crate::settings::ApiKey;

pub(super) use self::fault::{excerpt, failure};
pub(super) use self::lines::Lines;
use self::patient::{Pacer, PatientConnector};

/// Largest reply that is no stream.
const MOST_REPLY_BYTES: u64 = 16 << 20;
/// What is read of a reply that tells of an error.
const MOST_ERROR_BYTES: u64 = 64 << 10;

/// How long a server is waited for, and how much it may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the first byte of an answer: loading and reading the prompt happen in it.
    pub first_byte: Duration,
    /// Between two bytes of an answer.
    pub idle: Duration,
    /// For all of an answer.
    pub total: Duration,
    /// For a server that is not there yet, or says that it is still loading.
    pub loading: Duration,
    /// Of that, for one that nobody listens at.
    pub absent: Duration,
    /// Between two tries to reach it.
    pub retry_pause: Duration,
    /// Longest line of a stream, in bytes.
    pub line_bytes: usize,
    /// Longest stream, in bytes.
    pub stream_bytes: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_mins(10),
            idle: Duration::from_mins(2),
            total: Duration::from_hours(1),
            loading: Duration::from_mins(5),
            absent: Duration::from_mins(5),
            retry_pause: Duration::from_secs(1),
            line_bytes: 4 << 20,
            stream_bytes: 256 << 20,
        }
    }
}

/// A server at one address.
pub(super) struct Http {
    agent: Agent,
    pacer: Pacer,
    /// Without a slash at its end.
    base: String,
    key: Option<ApiKey>,
    patience: Patience,
}

/// A reply with the status of success, and its body to read.
pub(super) type Reply = ureq::http::Response<Body>;

impl Http {
    /// For the server at `base`. Nothing is sent yet.
    ///
    /// There is no proxy and no redirect: a time measured through another server is none of this
    /// one's, and a key goes where the user said. Connections are not used again, because one that the
    /// server has closed meanwhile fails after the request was sent, and then nobody knows whether it
    /// was read.
    pub fn new(base: &str, key: Option<ApiKey>, patience: Patience) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .max_idle_connections(0)
            .timeout_connect(Some(patience.connect))
            .timeout_global(Some(patience.total))
            .user_agent(concat!("karat/", env!("CARGO_PKG_VERSION")))
            .build();
        let pacer = Pacer::new(patience.first_byte);
        let connector = PatientConnector::new(DefaultConnector::default(), pacer.clone());
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        Self { agent, pacer, base: base.trim_end_matches('/').to_owned(), key, patience }
    }

    /// The address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What it was told to bear.
    pub fn patience(&self) -> &Patience {
        &self.patience
    }

    /// A JSON document at `path`, asked for without a body.
    pub fn get(&self, path: &str) -> Result<Value, GenerationFailure> {
        let reply = self.send(&Method::GET, path, "", &mut || ())?;
        self.json(path, self.success(path, reply)?)
    }

    /// The same; `None` where the server has no such page.
    pub fn find(&self, path: &str) -> Result<Option<Value>, GenerationFailure> {
        let reply = self.send(&Method::GET, path, "", &mut || ())?;
        if matches!(reply.status().as_u16(), 404 | 405 | 501) {
            return Ok(None);
        }
        self.json(path, self.success(path, reply)?).map(Some)
    }

    /// A JSON document in reply to `body`.
    pub fn post(&self, path: &str, body: &str) -> Result<Value, GenerationFailure> {
        let reply = self.send(&Method::POST, path, body, &mut || ())?;
        self.json(path, self.success(path, reply)?)
    }

    /// A stream in reply to `body`, line by line. `sending` is called each time it is sent.
    pub fn stream(
        &self,
        path: &str,
        body: &str,
        sending: &mut dyn FnMut(),
    ) -> Result<Lines, GenerationFailure> {
        let reply = self.send(&Method::POST, path, body, sending)?;
        let reply = self.success(path, reply)?;
        Ok(Lines::new(reply, self.pacer.clone(), self.patience, &self.base))
    }

    fn json(&self, path: &str, mut reply: Reply) -> Result<Value, GenerationFailure> {
        let bytes = reply.body_mut().with_config().limit(MOST_REPLY_BYTES).read_to_vec();
        let bytes = bytes.map_err(|error| fault::of(&error, &self.base, true))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let text = excerpt(&String::from_utf8_lossy(&bytes));
            let message = format!("{}{path} gave no JSON ({error}): {text}", self.base);
            failure(FailureKind::InvalidReply, message)
        })
    }

    /// Sends a request until it is taken: a refused connection and a 503 mean that nothing was read, so
    /// asking again cannot change an answer.
    fn send(
        &self,
        method: &Method,
        path: &str,
        body: &str,
        sending: &mut dyn FnMut(),
    ) -> Result<Reply, GenerationFailure> {
        let waiting = Stopwatch::start();
        loop {
            sending();
            let reply = self.send_once(method, path, body);
            let Patience { loading, absent, retry_pause, .. } = self.patience;
            let longest = match &reply {
                Ok(reply) if reply.status().as_u16() == 503 => loading,
                Err(error) if fault::is_refused_connection(error) => loading.min(absent),
                _ => Duration::ZERO,
            };
            if waiting.elapsed() + retry_pause >= longest {
                return reply.map_err(|error| fault::of(&error, &self.base, false));
            }
            thread::sleep(retry_pause);
        }
    }

    fn send_once(&self, method: &Method, path: &str, body: &str) -> Result<Reply, ureq::Error> {
        self.pacer.set(self.patience.first_byte);
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {}", key.reveal()));
        }
        if method == Method::GET {
            return self.agent.run(request.body(())?);
        }
        self.agent.run(request.header("content-type", "application/json").body(body.to_owned())?)
    }

    /// A reply whose status is that of success.
    fn success(&self, path: &str, mut reply: Reply) -> Result<Reply, GenerationFailure> {
        let status = reply.status();
        if status.is_success() {
            return Ok(reply);
        }
        let body = reply.body_mut().with_config().limit(MOST_ERROR_BYTES).read_to_vec();
        let body = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
        Err(fault::refusal(&format!("{}{path}", self.base), status.as_u16(), &body))
    }
}
