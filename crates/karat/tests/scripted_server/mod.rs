//! A server that plays a script: what to send, when to pause, when to go away. Owns sockets and the
//! little HTTP that a script needs; the scripts belong to the tests.
#![allow(dead_code, reason = "not every test file uses every part")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

/// What a connection does next. When the script is over, it closes.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends nothing for a while.
    Pause(Duration),
    /// Sends these bytes again and again until the other side goes away.
    Forever(Vec<u8>),
}

/// What was asked.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub head: String,
    pub body: String,
}

impl Request {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// A running server; it ends when it is dropped.
pub struct Server {
    /// E.g. `http://127.0.0.1:40000`.
    pub base: String,
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server that plays what `script` gives for each request.
    pub fn start(mut script: impl FnMut(&Request) -> Vec<Step> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let is_over = Arc::new(AtomicBool::new(false));
        let (kept, over) = (Arc::clone(&requests), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(mut stream) = stream else { continue };
                let Some(request) = read_request(&mut stream) else { continue };
                kept.lock().unwrap().push(request.clone());
                play(&mut stream, script(&request));
            }
        });
        let base = format!("http://{address}");
        Self { base, address, requests, is_over, thread: Some(thread) }
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The bodies that were sent to a path, as JSON.
    pub fn bodies(&self, path: &str) -> Vec<Value> {
        let requests = self.requests();
        requests.iter().filter(|request| request.path == path).map(Request::json).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let mut words = head.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    Some(Request { method, path, body: String::from_utf8(body).ok()?, head })
}

fn play(stream: &mut TcpStream, script: Vec<Step>) {
    for step in script {
        let gone = match step {
            Step::Send(bytes) => stream.write_all(&bytes).is_err(),
            Step::Pause(time) => {
                thread::sleep(time);
                false
            }
            Step::Forever(bytes) => {
                while stream.write_all(&bytes).is_ok() {}
                true
            }
        };
        if gone {
            return;
        }
    }
}

/// A whole reply.
pub fn reply(status: u16, body: impl AsRef<str>) -> Vec<Step> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    vec![Step::Send(head.into_bytes())]
}

/// The head of a stream that ends with the connection.
pub fn head() -> Step {
    Step::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_vec(),
    )
}

/// The head of a stream of marked pieces, each of which is [`piece`].
pub fn chunked_head() -> Step {
    Step::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec(),
    )
}

/// A piece of a stream that began with [`chunked_head`].
pub fn piece(text: &str) -> Step {
    Step::Send(format!("{:x}\r\n{text}\r\n", text.len()).into_bytes())
}

/// Text as it is.
pub fn send(text: impl Into<String>) -> Step {
    Step::Send(text.into().into_bytes())
}

/// A stream of texts that ends with the connection.
pub fn stream<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<Step> {
    std::iter::once(head()).chain(texts.into_iter().map(send)).collect()
}
