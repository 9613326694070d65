//! A streamed reply, line by line, bounded; what came is kept as it came. Owns the limits; reads no
//! line's meaning.

use std::io::Read as _;

use ureq::BodyReader;

use crate::generation::{FailureKind, GenerationFailure};

use super::patient::Pacer;
use super::{Patience, Reply, failure, fault};

/// Bytes of a reply that are kept.
const MOST_KEPT_BYTES: usize = 16 << 20;
const READ_BYTES: usize = 16 << 10;

/// The lines of a reply.
pub struct Lines {
    body: BodyReader<'static>,
    pacer: Pacer,
    patience: Patience,
    base: String,
    /// What has come and is no whole line yet.
    pending: Vec<u8>,
    /// Bytes at the beginning of `pending` without an end of line.
    searched: usize,
    n_bytes: usize,
    kept: Vec<u8>,
    is_over: bool,
}

impl Lines {
    pub fn new(reply: Reply, pacer: Pacer, patience: Patience, base: &str) -> Self {
        let body = reply.into_body().into_with_config().limit(u64::MAX).reader();
        Self {
            body,
            pacer,
            patience,
            base: base.to_owned(),
            pending: Vec::new(),
            searched: 0,
            n_bytes: 0,
            kept: Vec::new(),
            is_over: false,
        }
    }

    /// The next line without its end; `None` where the reply is over. Bytes that are no UTF-8 become
    /// U+FFFD.
    pub fn next(&mut self) -> Result<Option<String>, GenerationFailure> {
        loop {
            let end = self.pending[self.searched..].iter().position(|&byte| byte == b'\n');
            if let Some(end) = end {
                let line: Vec<u8> = self.pending.drain(..=self.searched + end).collect();
                self.searched = 0;
                return Ok(Some(text(&line)));
            }
            self.searched = self.pending.len();
            if self.searched > self.patience.line_bytes {
                return Err(self.endless("a line", self.patience.line_bytes));
            }
            if self.is_over {
                let rest = std::mem::take(&mut self.pending);
                self.searched = 0;
                return Ok((!rest.is_empty()).then(|| text(&rest)));
            }
            self.read()?;
        }
    }

    /// What came, up to where it was read or to where it is kept.
    pub fn into_kept(self) -> String {
        let mut text = String::from_utf8_lossy(&self.kept).into_owned();
        if self.n_bytes > self.kept.len() {
            let n_more = self.n_bytes - self.kept.len();
            text.extend(["\n[", &n_more.to_string(), " bytes more]"]);
        }
        text
    }

    fn read(&mut self) -> Result<(), GenerationFailure> {
        let mut buffer = [0; READ_BYTES];
        let n = match self.body.read(&mut buffer) {
            Ok(n) => n,
            Err(error) => return Err(fault::of(&error.into(), &self.base, true)),
        };
        self.is_over = n == 0;
        self.pacer.set(self.patience.idle);
        self.n_bytes += n;
        let room = MOST_KEPT_BYTES - self.kept.len();
        self.kept.extend_from_slice(&buffer[..n.min(room)]);
        self.pending.extend_from_slice(&buffer[..n]);
        if self.n_bytes > self.patience.stream_bytes {
            return Err(self.endless("a reply", self.patience.stream_bytes));
        }
        Ok(())
    }

    fn endless(&self, what: &str, most: usize) -> GenerationFailure {
        let message = format!("{} sent {what} of more than {most} bytes", self.base);
        failure(FailureKind::Endless, message)
    }
}

fn text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
}
