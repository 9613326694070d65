//! Why a chat template gave no text. Owns the wording and the order in which causes are looked for.

use std::fmt;

use minijinja::{Error, ErrorKind};

/// A chat template that gave no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The template is no template that karat can read.
    #[error("its chat template cannot be read: line {line}: {reason}")]
    Unreadable {
        /// Line of the template, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The template called `raise_exception`: it does not take such a conversation.
    #[error("the chat template refuses the conversation: {reason} (template line {line})")]
    Refused {
        /// Line of the template, from 1.
        line: usize,
        /// The template's own words.
        reason: String,
    },
    /// The template computes more than any real one does.
    #[error(
        "its chat template takes too much computing for one conversation (template line {line}); it \
         may never end"
    )]
    Exhausted {
        /// Line of the template that was reached, from 1.
        line: usize,
    },
    /// The template computes for longer than any real one does.
    #[error("its chat template takes too long for one conversation; it may never end")]
    Endless,
    /// The fault is not the template's.
    #[error("cannot render the chat template: {0}")]
    Engine(String),
    /// The template fails on this conversation.
    #[error("its chat template fails at line {line}: {reason}")]
    Failed {
        /// Line of the template, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
}

/// What `raise_exception` was called with; travels inside the engine's error.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl TemplateError {
    /// Whether another conversation would fare no better.
    pub(super) fn is_hopeless(&self) -> bool {
        matches!(
            self,
            Self::Unreadable { .. } | Self::Exhausted { .. } | Self::Endless | Self::Engine(_)
        )
    }
}

impl From<Error> for TemplateError {
    fn from(error: Error) -> Self {
        let line = error.line().unwrap_or(1);
        let mut causes: Vec<&(dyn std::error::Error + 'static)> = vec![&error];
        while let Some(cause) = causes.last().and_then(|last| last.source()) {
            causes.push(cause);
        }
        if let Some(refusal) = causes.iter().find_map(|cause| cause.downcast_ref::<Refusal>()) {
            return Self::Refused { line, reason: one_line(&refusal.0) };
        }
        let engine = |cause: &&(dyn std::error::Error + 'static)| {
            cause.downcast_ref::<Error>().map(Error::kind)
        };
        let kinds: Vec<ErrorKind> = causes.iter().filter_map(engine).collect();
        if kinds.contains(&ErrorKind::OutOfFuel) {
            return Self::Exhausted { line };
        }
        let reason = one_line(&match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        });
        match error.kind() {
            ErrorKind::SyntaxError => Self::Unreadable { line, reason },
            _ => Self::Failed { line, reason },
        }
    }
}

/// Text that a template or a file made up, fit for one line of a terminal.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
