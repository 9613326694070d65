//! What a template can take, found by rendering small conversations with it.

use minijinja::value::Value;

use super::error::TemplateError;

/// A word that no template contains.
const MARK: &str = "karatmark";

/// What a template can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needs {
    pub content: Content,
    pub arguments: Arguments,
}

/// Forms of a message's content that a template takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A string.
    Text,
    /// A list of parts.
    Parts,
    /// Either.
    Both,
}

/// Forms of a tool call's arguments that a template takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arguments {
    /// An object, as transformers wants it.
    Objects,
    /// JSON inside a string, as OpenAI sends it: the template fails on objects.
    Strings,
}

impl Needs {
    /// Asks a template. `render` renders a list of messages as they are.
    pub fn of(
        render: impl Fn(Vec<Value>) -> Result<String, TemplateError>,
    ) -> Result<Self, TemplateError> {
        let shown = |messages: Vec<Value>| match render(messages) {
            Ok(text) => Ok(Some(text).filter(|text| text.contains(MARK))),
            Err(error) if error.is_hopeless() => Err(error),
            Err(_) => Ok(None),
        };
        Ok(Self { content: content(&shown)?, arguments: arguments(&shown)? })
    }
}

/// The text of messages, where the template takes them and shows the mark.
trait Shown: Fn(Vec<Value>) -> Result<Option<String>, TemplateError> {}
impl<F: Fn(Vec<Value>) -> Result<Option<String>, TemplateError>> Shown for F {}

fn content(shown: &impl Shown) -> Result<Content, TemplateError> {
    let shown = |content: Value| shown(vec![message("user", content)]);
    let part = Value::from_pairs([("type", "text"), ("text", MARK)]);
    let (text, parts) = (shown(Value::from(MARK))?, shown(Value::from(vec![part]))?);
    Ok(match (text, parts) {
        // A template that knows only text prints the list as such.
        (Some(text), Some(parts)) if text == parts => Content::Both,
        (None, Some(_)) => Content::Parts,
        _ => Content::Text,
    })
}

fn arguments(shown: &impl Shown) -> Result<Arguments, TemplateError> {
    let shown = |arguments: Value| -> Result<bool, TemplateError> {
        let function = Value::from_pairs([("name", Value::from(MARK)), ("arguments", arguments)]);
        let call = Value::from_pairs([
            // Mistral's templates want nine letters or digits.
            ("id", Value::from("callkarat")),
            ("type", Value::from("function")),
            ("function", function),
        ]);
        let assistant = Value::from_pairs([
            ("role", Value::from("assistant")),
            ("content", Value::from("")),
            ("tool_calls", Value::from(vec![call])),
        ]);
        Ok(shown(vec![message("user", Value::from("?")), assistant])?.is_some())
    };
    let object = Value::from_pairs([("name", MARK)]);
    let text = Value::from(format!("{{\"name\": \"{MARK}\"}}"));
    Ok(if !shown(object)? && shown(text)? { Arguments::Strings } else { Arguments::Objects })
}

fn message(role: &str, content: Value) -> Value {
    Value::from_pairs([("role", Value::from(role)), ("content", content)])
}
