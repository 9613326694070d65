//! The parent's side: starts the child, watches its time and its output, and says how it ended.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::protocol::{Ending, Line, Report, Request};

/// How often the child is looked after.
const GLANCE: Duration = Duration::from_millis(2);

/// Longest answer of a child, in bytes. Arguments and results of tasks are small.
const LONGEST_ANSWER: u64 = 8 << 20;

/// What Rust's allocator says last.
const NO_MEMORY: &str = "memory allocation of";

/// Why a program could not be run at all. Whatever a program does is a [`Report`].
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The child did not start.
    #[error("the sandbox's process `{program}` does not start: {source}")]
    Start {
        /// What was started.
        program: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The child could not give up its rights, so it did not read the program.
    #[error("the sandbox could not be closed, so nothing was run: {0}")]
    Open(String),
}

/// How to start a child: a program that calls [`crate::child_main`].
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

impl Sandbox {
    /// Runs a program to its end, or to that of its limits. Blocks.
    pub fn run(&self, request: &Request) -> Result<Report, SandboxError> {
        let started = Instant::now();
        let mut child = self.start()?;
        let overflow = Arc::new(AtomicBool::new(false));
        let answer =
            child.stdout.take().map(|pipe| drain(pipe, LONGEST_ANSWER, Arc::clone(&overflow)));
        let output = child
            .stderr
            .take()
            .map(|pipe| drain(pipe, request.limits.output_bytes, Arc::clone(&overflow)));
        if let Some(mut stdin) = child.stdin.take() {
            let mut line = serde_json::to_vec(request).unwrap_or_default();
            line.push(b'\n');
            // A child that is gone already says so by its end.
            let _ = stdin.write_all(&line);
        }
        let limit = Duration::from_secs_f64(request.limits.wall_s.max(0.0));
        let stopped = watch(&mut child, started, limit, &overflow);
        let collect = |drained: Option<JoinHandle<Vec<u8>>>| {
            drained.and_then(|thread| thread.join().ok()).unwrap_or_default()
        };
        let (answer, output) = (collect(answer), collect(output));
        let output = String::from_utf8_lossy(&output).into_owned();
        report(&answer, output, stopped, overflow.load(Ordering::Relaxed))
    }

    fn start(&self) -> Result<Child, SandboxError> {
        Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .current_dir(if cfg!(unix) { "/" } else { "." })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| SandboxError::Start { program: self.program.clone(), source })
    }
}

/// Why a child ended.
enum Stopped {
    ByItself(ExitStatus),
    OutOfTime,
    Overflow,
}

fn watch(child: &mut Child, started: Instant, limit: Duration, overflow: &AtomicBool) -> Stopped {
    let reason = loop {
        match child.try_wait() {
            Ok(Some(status)) => return Stopped::ByItself(status),
            Ok(None) if overflow.load(Ordering::Relaxed) => break Stopped::Overflow,
            Ok(None) if started.elapsed() < limit => thread::sleep(GLANCE),
            Ok(None) | Err(_) => break Stopped::OutOfTime,
        }
    };
    // Neither fails but for a child that has ended.
    let _ = child.kill();
    let _ = child.wait();
    reason
}

/// Reads a pipe to its end in a thread, up to `limit` bytes; `overflow` becomes true if there is more.
fn drain(
    mut pipe: impl Read + Send + 'static,
    limit: u64,
    overflow: Arc<AtomicBool>,
) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.by_ref().take(limit).read_to_end(&mut bytes);
        if matches!(pipe.read(&mut [0]), Ok(1..)) {
            overflow.store(true, Ordering::Relaxed);
            // So that the child does not wait for a reader until it is killed.
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        bytes
    })
}

fn report(
    answer: &[u8],
    output: String,
    stopped: Stopped,
    overflow: bool,
) -> Result<Report, SandboxError> {
    let (mut results, mut arguments) = (Vec::new(), Vec::new());
    let mut end = None;
    let mut is_reading = false;
    for line in answer.split(|byte| *byte == b'\n') {
        match serde_json::from_slice(line) {
            Ok(Line::Ready) => is_reading = true,
            Ok(Line::Read) => is_reading = false,
            Ok(Line::Case { result, arguments: left }) => {
                results.push(result);
                arguments.push(left);
            }
            Ok(Line::End { ending, refused }) => end = Some((ending, refused)),
            // The last line may be cut off.
            Err(_) => {}
        }
    }
    if let (Stopped::ByItself(status), None) = (&stopped, &end)
        && status.code() == Some(i32::from(crate::child::NOT_CONFINED))
    {
        return Err(SandboxError::Open(output.trim().to_owned()));
    }
    let (ending, refused) = match (stopped, end) {
        _ if overflow => (Ending::TooMuchOutput, Vec::new()),
        (_, Some(end)) => end,
        (Stopped::Overflow, None) => (Ending::TooMuchOutput, Vec::new()),
        (Stopped::OutOfTime, None) => (Ending::TimeOut, Vec::new()),
        (Stopped::ByItself(status), None) => match died(status, &output) {
            Ending::Crashed(how) if is_reading => (Ending::Unreadable(how), Vec::new()),
            ending => (ending, Vec::new()),
        },
    };
    Ok(Report { results, arguments, ending, output, refused })
}

/// How a child died that said nothing.
fn died(status: ExitStatus, output: &str) -> Ending {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;

        use rustix::process::Signal;

        if status.signal() == Some(Signal::XCPU.as_raw()) {
            return Ending::TimeOut;
        }
    }
    let last = output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if output.lines().any(|line| line.starts_with(NO_MEMORY)) {
        return Ending::OutOfMemory;
    }
    let last: String = last.chars().take(200).collect();
    Ending::Crashed(if last.is_empty() { status.to_string() } else { format!("{status}; {last}") })
}
