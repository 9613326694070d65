//! A conversation as a user's file has it. Owns what counts as one; knows no template.

use minijinja::value::{Value, ValueKind, merge_maps};
use serde::{Deserialize, Serialize};

/// A line that is no conversation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// Not JSON.
    #[error("no JSON: {0}")]
    Json(String),
    /// JSON of another kind, or without messages.
    #[error(
        "no conversation: expected an object with a list `messages`, e.g. {{\"messages\": [...]}}"
    )]
    NoMessages,
    /// A message without a role.
    #[error("message {0} has no `role`, e.g. \"user\"")]
    NoRole(usize),
    /// Content of a kind that no template takes.
    #[error("message {0}: `content` is neither text, nor a list of text parts, nor null")]
    Content(usize),
    /// An image, a sound and the like.
    #[error("message {message} has a part of type `{kind}`; only text can be scored")]
    Part {
        /// Which message, from 1.
        message: usize,
        /// Its type.
        kind: String,
    },
    /// Another key has an impossible value.
    #[error("`{key}` is no {expected}")]
    Key {
        /// The key.
        key: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

/// Messages and what else a chat template is told. As JSON it is the object that
/// [`Conversation::parse`] reads, keys in their order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Line")]
pub struct Conversation {
    pub(super) messages: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tools: Option<Value>,
    #[serde(rename = "chat_template_kwargs", skip_serializing_if = "is_empty")]
    pub(super) kwargs: Value,
}

/// What is read of a line; other keys do not matter.
#[derive(Deserialize)]
struct Line {
    messages: Option<Value>,
    tools: Option<Value>,
    chat_template_kwargs: Option<Value>,
}

impl Conversation {
    /// Reads one JSON object: `messages` (each with `role` and `content`, and whatever else the
    /// template reads), and optionally `tools` and `chat_template_kwargs` (e.g. `enable_thinking`), in
    /// the form of OpenAI's chat completions. Keys keep their order, because templates print them.
    pub fn parse(line: &str) -> Result<Self, ConversationError> {
        if !line.trim_start().starts_with('{') {
            // A list would be read as the fields in order.
            return Err(match serde_json::from_str::<serde::de::IgnoredAny>(line) {
                Ok(_) => ConversationError::NoMessages,
                Err(error) => not_json(&error),
            });
        }
        let line: Line = serde_json::from_str(line).map_err(|error| not_json(&error))?;
        line.try_into()
    }

    /// Plain messages: role and text of each.
    pub fn of<'a>(messages: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let message = |(role, content)| Value::from_pairs([("role", role), ("content", content)]);
        Self {
            messages: messages.into_iter().map(message).collect(),
            tools: None,
            kwargs: no_kwargs(),
        }
    }

    /// The same, with one more variable told to the template, or one of another value.
    #[must_use]
    pub fn with_kwarg(self, name: &str, value: impl Into<Value>) -> Self {
        let told = Value::from_pairs([(name, value.into())]);
        Self { kwargs: merge_maps([told, self.kwargs]), ..self }
    }

    /// Its messages.
    pub fn messages(&self) -> impl Serialize + '_ {
        &self.messages
    }

    /// The tools it declares.
    pub fn tools(&self) -> Option<impl Serialize + '_> {
        self.tools.as_ref()
    }

    /// What else the template is told, where that is anything.
    pub fn kwargs(&self) -> Option<impl Serialize + '_> {
        (!is_empty(&self.kwargs)).then_some(&self.kwargs)
    }

    /// Whether it declares tools.
    pub fn has_tools(&self) -> bool {
        self.tools.is_some()
    }

    /// Messages.
    pub fn n_messages(&self) -> usize {
        self.messages.len()
    }
}

impl TryFrom<Line> for Conversation {
    type Error = ConversationError;

    fn try_from(line: Line) -> Result<Self, ConversationError> {
        let messages = line.messages.ok_or(ConversationError::NoMessages)?;
        if messages.kind() != ValueKind::Seq || messages.len() == Some(0) {
            return Err(ConversationError::NoMessages);
        }
        let messages: Vec<Value> =
            messages.try_iter().map_err(|_| ConversationError::NoMessages)?.collect();
        for (index, message) in messages.iter().enumerate() {
            check_message(index + 1, message)?;
        }
        let tools = present(line.tools);
        if tools.as_ref().is_some_and(|tools| tools.kind() != ValueKind::Seq) {
            return Err(ConversationError::Key { key: "tools", expected: "list" });
        }
        let kwargs = present(line.chat_template_kwargs).unwrap_or_else(no_kwargs);
        if kwargs.kind() != ValueKind::Map {
            return Err(ConversationError::Key { key: "chat_template_kwargs", expected: "object" });
        }
        Ok(Self { messages, tools: tools.filter(|tools| tools.len() != Some(0)), kwargs })
    }
}

/// A map of nothing.
fn no_kwargs() -> Value {
    Value::from_pairs([("", ""); 0])
}

fn is_empty(kwargs: &Value) -> bool {
    kwargs.len() == Some(0)
}

/// What is there and not null.
fn present(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_none() && !value.is_undefined())
}

fn not_json(error: &serde_json::Error) -> ConversationError {
    // The line is known to the reader of the file; within it, the column says where.
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    ConversationError::Json(format!("{reason} at column {}", error.column()))
}

fn check_message(number: usize, message: &Value) -> Result<(), ConversationError> {
    if message.kind() != ValueKind::Map {
        return Err(ConversationError::NoRole(number));
    }
    let get = |key: &str| message.get_attr(key).unwrap_or_default();
    if get("role").as_str().is_none_or(str::is_empty) {
        return Err(ConversationError::NoRole(number));
    }
    let content = get("content");
    match content.kind() {
        ValueKind::String | ValueKind::None | ValueKind::Undefined => Ok(()),
        ValueKind::Seq => content
            .try_iter()
            .map_err(|_| ConversationError::Content(number))?
            .try_for_each(|part| check_part(number, &part)),
        _ => Err(ConversationError::Content(number)),
    }
}

fn check_part(message: usize, part: &Value) -> Result<(), ConversationError> {
    let get = |key: &str| part.get_attr(key).unwrap_or_default();
    match get("type").as_str() {
        Some("text") if get("text").as_str().is_some() => Ok(()),
        Some("text") | None => Err(ConversationError::Content(message)),
        Some(kind) => Err(ConversationError::Part { message, kind: kind.to_owned() }),
    }
}
