//! The child's side: gives up its rights, reads one request, runs it, answers in lines.

use std::fs::File;
use std::io::{self, BufRead, Write};
use std::thread;

use super::confine::confine;
use super::interpreter;
use super::protocol::{Line, Request};

/// Exit code of a child that could not give up its rights.
pub(crate) const NOT_CONFINED: u8 = 97;

/// Stack of the thread that runs programs. The interpreter watches it and raises `RecursionError`
/// before it ends; only what is used is ever taken.
const STACK_BYTES: usize = 256 << 20;

/// What the child does: reads a request from standard input, runs it, writes what came of it to
/// standard output. Returns the exit code of the process, which has to end with it.
///
/// What the program prints goes to standard error, so that it cannot write answers.
pub fn child_main() -> u8 {
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(serve);
    match thread.map(thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => 0,
        Ok(Ok(Err(error))) => {
            // Standard error is what the parent reads; without it there is nobody to tell.
            let _ = writeln!(io::stderr(), "{error}");
            NOT_CONFINED
        }
        // A panic has said so itself.
        Ok(Err(_)) | Err(_) => 1,
    }
}

fn serve() -> Result<(), String> {
    let mut answers = answers()?;
    let mut line = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
    let head: Head =
        serde_json::from_slice(&line).map_err(|error| format!("no request: {error}"))?;
    confine(&head.limits)?;
    let request: Request =
        serde_json::from_slice(&line).map_err(|error| format!("no request: {error}"))?;
    let mut send = |line: &Line| {
        let mut bytes = serde_json::to_vec(line).unwrap_or_default();
        bytes.push(b'\n');
        // Without a parent there is nobody to answer.
        let _ = answers.write_all(&bytes);
    };
    let (ending, refused) = interpreter::run(&request, &mut send);
    send(&Line::End { ending, refused });
    Ok(())
}

/// Of a request, what is read before the rights are gone.
#[derive(serde::Deserialize)]
struct Head {
    limits: super::protocol::Limits,
}

/// Moves standard output out of the program's reach.
fn answers() -> Result<File, String> {
    use rustix::stdio;

    let out = rustix::io::dup(stdio::stdout()).map_err(|error| error.to_string())?;
    stdio::dup2_stdout(stdio::stderr()).map_err(|error| error.to_string())?;
    Ok(File::from(out))
}
