//! Messages in the form that a template takes. Owns the few liberties that are taken with what the
//! user wrote; each is one that llama-server takes as well.

use minijinja::value::{Value, ValueKind};

use super::needs::{Arguments, Content, Needs};

/// Names under which templates look for what a model thought.
const THOUGHTS: [&str; 3] = ["reasoning_content", "reasoning", "thinking"];

/// A message for a template with these needs:
/// - content that is a list of text parts becomes text where the template takes only that, its parts
///   on lines of their own, and the other way round;
/// - absent or null content becomes empty text;
/// - arguments of tool calls that are JSON inside a string become what they say;
/// - thoughts are there under each name that templates look for.
pub(super) fn adapt(message: &Value, needs: Needs) -> Value {
    let mut pairs = pairs(message);
    set(&mut pairs, "content", content(&attr(message, "content"), needs.content));
    let calls = attr(message, "tool_calls");
    if calls.kind() == ValueKind::Seq && needs.arguments == Arguments::Objects {
        let calls: Vec<Value> = items(&calls).iter().map(with_object_arguments).collect();
        set(&mut pairs, "tool_calls", Value::from(calls));
    }
    if let Some(thoughts) = thoughts(message) {
        for name in THOUGHTS {
            set(&mut pairs, name, Value::from(thoughts.as_str()));
        }
    }
    Value::from_pairs(pairs)
}

/// Content as one text.
pub(super) fn text(message: &Value) -> String {
    let content = attr(message, "content");
    if content.kind() == ValueKind::Seq {
        joined(&content)
    } else {
        content.as_str().unwrap_or_default().to_owned()
    }
}

/// What a model thought, where the message says it.
pub(super) fn thoughts(message: &Value) -> Option<String> {
    let given = |name| attr(message, name).as_str().map(str::to_owned);
    THOUGHTS.into_iter().find_map(given).filter(|thoughts| !thoughts.trim().is_empty())
}

/// The message with other content.
pub(super) fn with_content(message: &Value, content: &str) -> Value {
    let mut pairs = pairs(message);
    set(&mut pairs, "content", Value::from(content));
    Value::from_pairs(pairs)
}

fn content(content: &Value, needs: Content) -> Value {
    match (content.kind(), needs) {
        (ValueKind::Seq, Content::Text) => Value::from(joined(content)),
        (ValueKind::String, Content::Parts) => {
            let part =
                Value::from_pairs([("type", Value::from("text")), ("text", content.clone())]);
            Value::from(vec![part])
        }
        (ValueKind::Seq | ValueKind::String, _) => content.clone(),
        _ => Value::from(""),
    }
}

fn joined(parts: &Value) -> String {
    let texts: Vec<String> =
        items(parts).iter().map(|part| attr(part, "text").to_string()).collect();
    texts.join("\n")
}

fn with_object_arguments(call: &Value) -> Value {
    let function = attr(call, "function");
    let arguments = attr(&function, "arguments");
    let parsed = arguments.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    match parsed {
        Some(object) if object.kind() == ValueKind::Map => {
            let (mut call, mut function) = (pairs(call), pairs(&function));
            set(&mut function, "arguments", object);
            set(&mut call, "function", Value::from_pairs(function));
            Value::from_pairs(call)
        }
        _ => call.clone(),
    }
}

fn attr(value: &Value, name: &str) -> Value {
    value.get_attr(name).unwrap_or_default()
}

fn items(value: &Value) -> Vec<Value> {
    value.try_iter().map(Iterator::collect).unwrap_or_default()
}

fn pairs(map: &Value) -> Vec<(String, Value)> {
    let keys = items(map);
    let named = keys.iter().filter_map(|key| key.as_str());
    named.map(|key| (key.to_owned(), attr(map, key))).collect()
}

fn set(pairs: &mut Vec<(String, Value)>, key: &str, value: Value) {
    match pairs.iter_mut().find(|(name, _)| name == key) {
        Some((_, old)) => *old = value,
        None => pairs.push((key.to_owned(), value)),
    }
}
