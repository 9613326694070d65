//! The worker's side of the pipe: reads the request, writes messages, dies with the parent.

use std::fs::File;
use std::io::{self, BufRead, Write};
use std::os::fd::OwnedFd;
use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

#[cfg(unix)]
use rustix::process::Signal;
use rustix::stdio;

use super::protocol::{Message, PROTOCOL, Request};
use crate::clock::Stopwatch;

/// Signs of life are sent at most this often.
const ALIVE_EVERY: Duration = Duration::from_millis(500);

/// How long a worker without a parent waits for its last wish.
const LAST_WISH: Duration = Duration::from_secs(2);

/// Why the worker cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The pipe broke.
    #[error("the worker's pipe broke: {0}")]
    Pipe(#[from] io::Error),
    /// The request is not one.
    #[error(
        "karat starts this process itself; what it read from standard input is no request ({0})"
    )]
    Request(#[from] serde_json::Error),
    /// Parent and worker are different versions.
    #[error(
        "karat was replaced while it ran (worker protocol {got}, this binary speaks {PROTOCOL}); run it again"
    )]
    Version {
        /// What the parent speaks.
        got: u32,
    },
}

/// A handle to write messages with. Clones share the pipe.
#[derive(Clone)]
pub struct Channel(Arc<Mutex<Pipe>>);

struct Pipe {
    out: File,
    since_alive: Stopwatch,
}

impl Channel {
    /// Takes over standard input and output of this process and reads the request.
    ///
    /// Standard output is moved out of the engine's reach first: what C++ prints goes to standard
    /// error and cannot garble a message.
    pub fn open() -> Result<(Self, Request), ChannelError> {
        let out: OwnedFd = rustix::io::dup(stdio::stdout()).map_err(io::Error::from)?;
        stdio::dup2_stdout(stdio::stderr()).map_err(io::Error::from)?;
        let channel = Self(Arc::new(Mutex::new(Pipe {
            out: File::from(out),
            since_alive: Stopwatch::start(),
        })));
        let mut line = Vec::new();
        io::stdin().lock().read_until(b'\n', &mut line)?;
        let request: Request = serde_json::from_slice(&line)?;
        if request.protocol != PROTOCOL {
            return Err(ChannelError::Version { got: request.protocol });
        }
        channel.send(&Message::Hello { protocol: PROTOCOL });
        Ok((channel, request))
    }

    /// Watches the parent from a thread of its own. When it ends, `last_wish` is done, and this
    /// process dies, whatever the engine is busy with.
    pub fn die_with_parent(last_wish: impl FnOnce() + Send + 'static) {
        thread::spawn(|| {
            // The parent writes nothing more: the next event is its end.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            last_wish();
            die();
        });
    }

    /// Sends one message. A broken pipe means the parent is gone: the process ends.
    pub fn send(&self, message: &Message) {
        let mut line = serde_json::to_vec(message)
            .unwrap_or_else(|error| format!("\"unwritable message: {error}\"").into_bytes());
        line.push(b'\n');
        let mut pipe = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pipe.since_alive = Stopwatch::start();
        let is_broken = pipe.out.write_all(&line).is_err();
        drop(pipe);
        if is_broken {
            // The parent is gone, which the watcher sees as well: its last wish comes first.
            thread::sleep(LAST_WISH);
            die();
        }
    }

    /// Sends a sign of life, unless something was sent just now. Cheap enough for inner loops.
    pub fn alive(&self) {
        let due = self.0.try_lock().is_ok_and(|pipe| pipe.since_alive.elapsed() >= ALIVE_EVERY);
        if due {
            self.send(&Message::Alive);
        }
    }
}

/// Ends this process at once. Exit handlers would run beside the engine's threads, which still use
/// what the handlers take down.
fn die() -> ! {
    #[cfg(unix)]
    {
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
    }
    process::exit(1)
}
