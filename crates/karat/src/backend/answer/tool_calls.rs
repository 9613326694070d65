//! Calls of tools as models write them, read. Owns the notations; knows no tool and checks no
//! argument. What it cannot read is no call.

use minijinja::value::Value;
use serde::Deserialize;

use crate::generation::ToolCall;

/// How deep arguments may nest before they are no arguments.
const DEEPEST: usize = 64;

/// The calls in a text that stood between a model's marks for them; `None` where it is none of the
/// known notations.
pub(super) fn read(text: &str) -> Option<Vec<ToolCall>> {
    let text = text.trim();
    json(text)
        .or_else(|| call_colon(text))
        .or_else(|| message_head(text))
        .or_else(|| args_tag(text))
}

/// An answer that is nothing but a call, as Llama 3 writes them.
pub(super) fn read_bare(text: &str) -> Option<Vec<ToolCall>> {
    json(text.trim()).filter(|_| text.contains("\"parameters\""))
}

/// `{"name": ..., "arguments": {...}}`, or a list of such (Hermes, Qwen, Mistral, Llama 3).
fn json(text: &str) -> Option<Vec<ToolCall>> {
    #[derive(Deserialize)]
    struct Call {
        name: String,
        #[serde(alias = "parameters")]
        arguments: Value,
    }
    let calls: Vec<Call> = match text.as_bytes().first()? {
        b'[' => serde_json::from_str(text).ok()?,
        b'{' => vec![serde_json::from_str(text).ok()?],
        _ => return None,
    };
    let read = |call: Call| {
        let arguments = match call.arguments.as_str() {
            // Written twice: JSON inside a string of JSON.
            Some(text) => text.to_owned(),
            None => serde_json::to_string(&call.arguments).ok()?,
        };
        named(&call.name, arguments)
    };
    calls.into_iter().map(read).collect::<Option<Vec<_>>>().filter(|calls| !calls.is_empty())
}

/// `call:NAME{key:<|"|>text<|"|>,other:1}` (Gemma 4).
fn call_colon(text: &str) -> Option<Vec<ToolCall>> {
    let (name, rest) = text.strip_prefix("call:")?.split_once('{')?;
    let arguments = format!("{{{rest}");
    let arguments = quoted(&arguments).unwrap_or(arguments);
    Some(vec![named(name.trim(), arguments)?])
}

/// Gemma's arguments as JSON: keys without quotes get them, and `<|"|>` is a quote. `None` where no
/// JSON comes out.
fn quoted(text: &str) -> Option<String> {
    const QUOTE: &str = "<|\"|>";
    let mut json = String::with_capacity(text.len());
    // Every second part is a string.
    for (index, part) in text.split(QUOTE).enumerate() {
        if index % 2 == 1 {
            json.push_str(&serde_json::to_string(part).ok()?);
            continue;
        }
        let mut word = String::new();
        let mut in_string = false;
        for c in part.chars() {
            if c == '"' {
                in_string = !in_string;
            }
            let is_word = !in_string && (c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+'));
            if is_word {
                word.push(c);
                continue;
            }
            if c == ':' && !in_string && !word.is_empty() {
                json.push_str(&serde_json::to_string(&word).ok()?);
            } else {
                json.push_str(&word);
            }
            word.clear();
            json.push(c);
        }
        json.push_str(&word);
    }
    let nests = json.matches(['{', '[']).count();
    (nests <= DEEPEST && serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok())
        .then_some(json)
}

/// `functions.NAME <|constrain|>json<|message|>{...}` (gpt-oss).
fn message_head(text: &str) -> Option<Vec<ToolCall>> {
    let (head, arguments) = text.split_once("<|message|>")?;
    let name = head.split([' ', '<']).next()?;
    Some(vec![named(name.strip_prefix("functions.")?, arguments.trim().to_owned())?])
}

/// `NAME[ARGS]{...}` (Mistral since 2025).
fn args_tag(text: &str) -> Option<Vec<ToolCall>> {
    let (name, arguments) = text.split_once("[ARGS]")?;
    Some(vec![named(name.trim(), arguments.trim().to_owned())?])
}

fn named(name: &str, arguments: String) -> Option<ToolCall> {
    let is_name = !name.is_empty() && !name.contains(char::is_whitespace);
    is_name.then(|| ToolCall { name: name.to_owned(), arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, calls: &[(&str, &str)]) {
        let call = |&(name, arguments): &(&str, &str)| ToolCall {
            name: name.to_owned(),
            arguments: arguments.to_owned(),
        };
        let want = Some(calls.iter().map(call).collect()).filter(|_| !calls.is_empty());
        assert_eq!(read(text), want);
    }

    #[test]
    fn json_keeps_the_order_of_its_keys() {
        let text = "\n{\"name\": \"f\", \"arguments\": {\"z\": 1, \"a\": \"b\"}}\n";
        check(text, &[("f", "{\"z\":1,\"a\":\"b\"}")]);
        check("{\"name\": \"f\", \"parameters\": {}}", &[("f", "{}")]);
    }

    #[test]
    fn a_list_is_several_calls() {
        let text = r#"[{"name":"f","arguments":{}},{"name":"g","arguments":"{\"x\":1}"}]"#;
        check(text, &[("f", "{}"), ("g", "{\"x\":1}")]);
    }

    #[test]
    fn gemma_quotes_with_a_mark_of_its_own() {
        let text = "call:set{city:<|\"|>A \"b\" {c}<|\"|>,n:-1.5,on:true,list:[<|\"|>x<|\"|>]}";
        let json = r#"{"city":"A \"b\" {c}","n":-1.5,"on":true,"list":["x"]}"#;
        check(text, &[("set", json)]);
        check("call:f{\"a\": 1}", &[("f", "{\"a\": 1}")]);
    }

    #[test]
    fn arguments_that_are_no_json_stay_as_they_are() {
        check("call:f{a:<|\"|>x}", &[("f", "{a:<|\"|>x}")]);
    }

    #[test]
    fn other_notations_name_the_tool_in_a_head() {
        check("functions.f <|constrain|>json<|message|>{\"a\":1}", &[("f", "{\"a\":1}")]);
        check("f[ARGS]{\"a\":1}", &[("f", "{\"a\":1}")]);
    }

    #[test]
    fn what_is_no_call_is_none() {
        check("", &[]);
        check("[]", &[]);
        check("{\"name\": \"f\"}", &[]);
        check("I would call f now.", &[]);
    }

    #[test]
    fn a_bare_object_is_a_call_only_in_llamas_words() {
        assert!(read_bare("{\"name\": \"f\", \"parameters\": {}}").is_some());
        assert!(read_bare("{\"name\": \"f\", \"arguments\": {}}").is_none());
    }
}
