//! A real llama-server, from a wheel, around the lab model. It ends with the test: when it is dropped,
//! and with the test's process too, because then its standard input ends.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// What the server calls the model.
pub const NAME: &str = "lab";

/// A running server.
pub struct LlamaServer {
    /// E.g. `http://127.0.0.1:40000`.
    pub base: String,
    process: Child,
}

impl LlamaServer {
    /// Starts it and waits until it listens.
    pub fn start(model: &Path, n_ctx: u32) -> Self {
        let python = std::env::var_os("KARAT_SERVER_PYTHON")
            .expect("KARAT_SERVER_PYTHON names no Python with the wheel; `./x test` makes one");
        let log = tempfile::tempfile().unwrap();
        let mut process = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/llama_server/serve.py"))
            .arg(model)
            .args([NAME, &n_ctx.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().to_owned();
        let server = Self { base, process };
        assert!(server.base.starts_with("http://"), "no server: {line}{}", whole(log));
        server
    }

    /// Leaves it alone, as a test that dies does; whether it ends by itself.
    pub fn ends_when_left_alone(mut self) -> bool {
        drop(self.process.stdin.take());
        (0..100).any(|_| {
            thread::sleep(Duration::from_millis(100));
            self.process.try_wait().unwrap().is_some()
        })
    }

    /// Where it speaks OpenAI's chat completions.
    pub fn v1(&self) -> String {
        format!("{}/v1", self.base)
    }

    /// The model as karat's users name it.
    pub fn model(&self) -> String {
        format!("{}#{NAME}", self.v1())
    }
}

impl Drop for LlamaServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn whole(mut log: File) -> String {
    let mut text = String::new();
    log.rewind().unwrap();
    log.read_to_string(&mut text).unwrap();
    text
}
