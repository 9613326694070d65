//! The engine's log: captured line by line, the last ones kept. Never prints.

use std::collections::VecDeque;
use std::ffi::{CStr, c_char, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use llama_cpp_sys_2 as sys;

/// Lines kept for a failure report.
const KEPT: usize = 64;

/// Severity the engine gave a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Details for the engine's developers.
    Debug,
    /// What it does.
    Info,
    /// Something odd.
    Warn,
    /// Something failed.
    Error,
}

type Sink = Box<dyn FnMut(LogLevel, &str) + Send>;

struct State {
    kept: VecDeque<(LogLevel, String)>,
    partial: String,
    level: LogLevel,
    sink: Option<Sink>,
}

static STATE: Mutex<State> = Mutex::new(State {
    kept: VecDeque::new(),
    partial: String::new(),
    level: LogLevel::Info,
    sink: None,
});

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends every complete engine log line to `sink` as well. One sink per process; the last one wins.
///
/// The sink runs on engine threads and must not call the engine.
pub fn capture_logs(sink: impl FnMut(LogLevel, &str) + Send + 'static) {
    state().sink = Some(Box::new(sink));
}

/// The last engine log lines of at least `level`, oldest first, at most `n`.
pub fn recent_logs(level: LogLevel, n: usize) -> Vec<String> {
    let state = state();
    let lines: Vec<&(LogLevel, String)> = state.kept.iter().filter(|(l, _)| *l >= level).collect();
    lines[lines.len().saturating_sub(n)..].iter().map(|(_, line)| line.clone()).collect()
}

/// The kept error lines as one line, for an error message.
pub(crate) fn reason() -> String {
    let lines = recent_logs(LogLevel::Error, 3);
    if lines.is_empty() { "it gave no reason".to_owned() } else { lines.join("; ") }
}

/// Forgets the kept lines, so that [`reason`] speaks of what comes next only.
pub(crate) fn clear() {
    state().kept.clear();
}

pub(crate) fn install() {
    // SAFETY: `receive` has the callback's signature and lives as long as the process.
    unsafe { sys::llama_log_set(Some(receive), std::ptr::null_mut()) };
}

unsafe extern "C" fn receive(level: sys::ggml_log_level, text: *const c_char, _: *mut c_void) {
    if text.is_null() {
        return;
    }
    // SAFETY: the engine passes a NUL-terminated string that lives for this call.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    let mut state = state();
    match level {
        sys::GGML_LOG_LEVEL_DEBUG => state.level = LogLevel::Debug,
        sys::GGML_LOG_LEVEL_INFO => state.level = LogLevel::Info,
        sys::GGML_LOG_LEVEL_WARN => state.level = LogLevel::Warn,
        sys::GGML_LOG_LEVEL_ERROR => state.level = LogLevel::Error,
        // "Continue the line before": the level stays.
        _ => {}
    }
    state.partial.push_str(&text);
    while let Some(end) = state.partial.find('\n') {
        let line: String = state.partial.drain(..=end).collect();
        keep(&mut state, line.trim_end());
    }
}

fn keep(state: &mut State, line: &str) {
    if line.is_empty() {
        return;
    }
    if state.kept.len() == KEPT {
        state.kept.pop_front();
    }
    state.kept.push_back((state.level, line.to_owned()));
    let level = state.level;
    if let Some(sink) = &mut state.sink {
        sink(level, line);
    }
}
