//! The parent's side: starts a worker, listens, and turns every way it can end into a value.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use super::protocol::{Job, Message, PROTOCOL, Request};
use crate::visible::visible_start;

/// Engine log lines kept for a failure report.
const LOG_LINES: usize = 12;
/// Most characters of a failed assertion that a failure repeats.
const MOST_ASSERTION_CHARS: usize = 200;
/// How the engine's failed assertions begin, after file and line.
const ASSERTION: &str = "GGML_ASSERT";

/// Starts workers.
#[derive(Clone, Debug)]
pub struct Supervisor {
    /// This program's own file.
    pub program: PathBuf,
    /// A worker that says nothing for this long hangs and is killed.
    pub silence: Duration,
}

/// Why a worker failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// It said so itself.
    Reported {
        /// One line.
        error: String,
        /// The input is at fault.
        bad_input: bool,
    },
    /// A signal ended it.
    Killed {
        /// Its number.
        signal: i32,
    },
    /// It ended without a last message.
    Exited {
        /// Exit code.
        code: Option<i32>,
    },
    /// It hung.
    Silent {
        /// For how long nothing was heard.
        silence: Duration,
    },
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported { error, .. } => f.write_str(error),
            Self::Killed { signal: 9 } => {
                f.write_str("worker was killed (signal 9); out of memory is the usual reason")
            }
            Self::Killed { signal: 6 } => f.write_str("engine aborted (signal 6)"),
            Self::Killed { signal } => write!(f, "worker was ended by signal {signal}"),
            Self::Exited { code: Some(code) } => {
                write!(f, "worker ended without a result (exit code {code})")
            }
            Self::Exited { code: None } => f.write_str("worker ended without a result"),
            Self::Silent { silence } => {
                let seconds = silence.as_secs_f64();
                write!(f, "worker hung: nothing heard for {seconds} s (--worker-timeout)")
            }
        }
    }
}

/// A worker that did not finish its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub kind: FailureKind,
    /// The model the engine was busy with.
    pub model: Option<usize>,
    /// The last lines of the engine's log and of standard error.
    pub log: Vec<String>,
}

impl fmt::Display for Failure {
    /// Why, and the engine's assertion where one ended it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        match (&self.kind, self.assertion()) {
            (FailureKind::Killed { .. }, Some(assertion)) => write!(f, ": {assertion}"),
            _ => Ok(()),
        }
    }
}

impl Failure {
    /// The last failed assertion, after the name of its file without the folders.
    fn assertion(&self) -> Option<String> {
        let line = self.log.iter().rev().find(|line| line.contains(ASSERTION))?;
        let at = line.find(ASSERTION)?;
        let begin = line[..at].rfind(['/', '\\']).map_or(0, |slash| slash + 1);
        Some(visible_start(&line[begin..], MOST_ASSERTION_CHARS))
    }
}

/// Why a job has no result. The caller's own errors pass through as `E`.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError<E> {
    /// The worker failed.
    #[error("{0}")]
    Failed(Failure),
    /// It could not be started.
    #[error("cannot start a worker process: {0}")]
    Spawn(io::Error),
    /// The caller could not use a message; the worker was stopped.
    #[error("{0}")]
    Caller(E),
}

/// A running worker; killed when dropped, so that an early return leaves nothing behind.
struct Worker {
    child: Child,
    // Dropped with the worker: the pipe to it is open that long. Its end is the worker's sign to end,
    // also where this process ends first.
    _request: Sender<()>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail only where the child is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines heard. Log and standard error come through two pipes and have no common order.
#[derive(Default)]
struct Tail {
    log: VecDeque<String>,
    stderr: VecDeque<String>,
}

impl Tail {
    /// At most [`LOG_LINES`]: the log's, then those of standard error, where a failed assertion says
    /// what it is. Neither pushes the other out.
    fn lines(self) -> Vec<String> {
        let n_stderr = self.stderr.len().min(LOG_LINES / 2);
        let n_log = self.log.len().min(LOG_LINES - n_stderr);
        let n_stderr = self.stderr.len().min(LOG_LINES - n_log);
        let log = self.log.iter().skip(self.log.len() - n_log);
        log.chain(self.stderr.iter().skip(self.stderr.len() - n_stderr)).cloned().collect()
    }
}

enum Heard {
    Message(Message),
    Stderr(String),
}

impl Supervisor {
    /// Runs one job to its end and hands every message but the last to `on`. Returns the worker's
    /// peak resident size in bytes, where the system tells.
    pub fn run<E>(
        &self,
        job: &Job,
        mut on: impl FnMut(Message) -> Result<(), E>,
    ) -> Result<Option<u64>, WorkerError<E>> {
        let (mut worker, heard) = self.start(job).map_err(WorkerError::Spawn)?;
        let mut tail = Tail::default();
        let mut model = None;
        loop {
            let failed = |kind, model, tail: Tail| {
                WorkerError::Failed(Failure { kind, model, log: tail.lines() })
            };
            match heard.recv_timeout(self.silence) {
                Ok(Heard::Stderr(line)) => keep(&mut tail.stderr, line),
                Ok(Heard::Message(message)) => match message {
                    Message::Done { peak_memory_bytes } => return Ok(peak_memory_bytes),
                    Message::Failed { error, model: blamed, bad_input } => {
                        let kind = FailureKind::Reported { error, bad_input };
                        return Err(failed(kind, blamed, tail));
                    }
                    Message::Log { line } => {
                        keep(&mut tail.log, line.clone());
                        on(Message::Log { line }).map_err(WorkerError::Caller)?;
                    }
                    Message::Working { model: busy } => model = Some(busy),
                    Message::Hello { .. } | Message::Alive => {}
                    other => on(other).map_err(WorkerError::Caller)?,
                },
                Err(RecvTimeoutError::Timeout) => {
                    let kind = FailureKind::Silent { silence: self.silence };
                    return Err(failed(kind, model, tail));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = worker.child.wait().map_err(WorkerError::Spawn)?;
                    return Err(failed(ended(status), model, tail));
                }
            }
        }
    }

    fn start(&self, job: &Job) -> io::Result<(Worker, Receiver<Heard>)> {
        let mut command = Command::new(&self.program);
        // In a group of its own, so that Ctrl-C ends the parent alone, and the worker learns of it
        // from the pipe and can clean up.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .arg("worker")
            // An abort would otherwise start a debugger.
            .env("GGML_NO_BACKTRACE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("a pipe is missing");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let (sender, receiver) = mpsc::channel();
        let from_stderr = sender.clone();
        listen(stderr, move |line| from_stderr.send(Heard::Stderr(line)).is_ok());
        listen(stdout, move |line| match serde_json::from_str(&line) {
            Ok(message) => sender.send(Heard::Message(message)).is_ok(),
            Err(_) => sender.send(Heard::Stderr(line)).is_ok(),
        });
        let mut request = serde_json::to_vec(&Request { protocol: PROTOCOL, job: job.clone() })?;
        request.push(b'\n');
        Ok((Worker { child, _request: tell(stdin, request) }, receiver))
    }
}

/// Writes the request on a thread of its own, because a worker that hangs may never read it, and
/// keeps the pipe open until the sender is dropped.
fn tell(mut pipe: ChildStdin, request: Vec<u8>) -> Sender<()> {
    let (sender, until) = mpsc::channel();
    thread::spawn(move || {
        // A worker that died at once is found by its exit status, not by this write.
        let _ = pipe.write_all(&request);
        let _ = until.recv();
    });
    sender
}

/// Reads lines on a thread of its own until the pipe ends or nobody listens.
fn listen(pipe: impl Read + Send + 'static, hear: impl Fn(String) -> bool + Send + 'static) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { break };
            if !hear(String::from_utf8_lossy(&line).into_owned()) {
                break;
            }
        }
    });
}

fn keep(log: &mut VecDeque<String>, line: String) {
    if line.trim().is_empty() {
        return;
    }
    if log.len() == LOG_LINES {
        log.pop_front();
    }
    log.push_back(line);
}

#[cfg(unix)]
fn ended(status: ExitStatus) -> FailureKind {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => FailureKind::Killed { signal },
        None => FailureKind::Exited { code: status.code() },
    }
}

#[cfg(not(unix))]
fn ended(status: ExitStatus) -> FailureKind {
    FailureKind::Exited { code: status.code() }
}
