//! Chat templates: what karat renders is what llama-server and transformers render.
//! Fixtures by `bench/peer/chat.py`, with versions in the file.

#![expect(clippy::unwrap_used, reason = "helpers of tests may unwrap too")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use karat::chat::{ChatTemplate, Conversation, SpecialTexts};
use serde::Deserialize;

/// Where llama-server says something else than transformers and karat do.
const SERVER_DIFFERS: &[(&str, &str, &str)] = &[
    ("lab", "text_parts", "the server joins parts with a newline before it asks the template"),
    ("openai-gpt-oss-120b", "ends_with_answer", "the server writes <|end|> for <|return|>"),
    ("openai-gpt-oss-120b", "thoughts_at_the_end", "the server writes <|end|> for <|return|>"),
    ("openai-gpt-oss-120b", "thoughts_inside_content", "the server writes <|end|> for <|return|>"),
    ("openai-gpt-oss-120b", "tool_answer", "the server writes <|end|> for <|return|>"),
];

/// Where transformers says something else than llama-server and karat do: it hands lists of parts
/// to templates that know only text, which then fail or drop them.
const TRANSFORMERS_DIFFERS: &str = "text_parts";

#[derive(Deserialize)]
struct Fixture {
    date: String,
    rendered: BTreeMap<String, BTreeMap<String, Answers>>,
}

#[derive(Deserialize)]
struct Answers {
    llama_server: serde_json::Value,
    transformers: serde_json::Value,
}

/// What decides how a line is rendered, besides what karat reads of it.
#[derive(Deserialize)]
struct Case {
    name: String,
    add_generation_prompt: Option<bool>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/chat")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn fixture() -> Fixture {
    serde_json::from_str(&read("rendered.json")).unwrap()
}

fn template(name: &str, fixture: &Fixture) -> ChatTemplate {
    let tokens = SpecialTexts { bos: "<bos>".to_owned(), eos: "<eos>".to_owned() };
    let date: jiff::civil::Date = fixture.date.parse().unwrap();
    let source = read(&format!("templates/{name}.jinja"));
    ChatTemplate::new(&source, tokens, date.at(0, 0, 0, 0)).unwrap()
}

/// Calls `check` with each template, case, answers of the other tools, and karat's text.
fn for_each(mut check: impl FnMut(&str, &str, &Answers, &str)) {
    let fixture = fixture();
    assert_eq!(fixture.rendered.len(), 15);
    for (name, answers) in &fixture.rendered {
        let template = template(name, &fixture);
        for line in read("conversations.jsonl").lines() {
            let case: Case = serde_json::from_str(line).unwrap();
            let conversation = Conversation::parse(line).unwrap();
            let prompt = case.add_generation_prompt.unwrap_or(true);
            let text = template.render(&conversation, prompt).unwrap();
            check(name, &case.name, &answers[&case.name], &text);
        }
    }
}

#[test]
fn renders_as_llama_server_does() {
    let mut differing = Vec::new();
    for_each(|name, case, answers, text| {
        // The server strips the token that the vocabulary adds by itself.
        let text = text.strip_prefix("<bos>").unwrap_or(text);
        if answers.llama_server != text {
            differing.push((name.to_owned(), case.to_owned()));
        }
    });
    let expected: Vec<_> = SERVER_DIFFERS
        .iter()
        .map(|(name, case, _why)| ((*name).to_owned(), (*case).to_owned()))
        .collect();
    assert_eq!(differing, expected);
}

#[test]
fn renders_as_transformers_does() {
    for_each(|name, case, answers, text| {
        if case != TRANSFORMERS_DIFFERS {
            assert_eq!(answers.transformers, text, "{name}, {case}");
        }
    });
}

#[track_caller]
fn check_hostile(source: &str, expected: &str) {
    let now = jiff::civil::date(2024, 7, 26).at(0, 0, 0, 0);
    let line = r#"{"messages": [{"role": "user", "content": "x"}]}"#;
    let conversation = Conversation::parse(line).unwrap();
    let rendered = ChatTemplate::new(source, SpecialTexts::default(), now)
        .and_then(|template| template.render(&conversation, true));
    let message = rendered.unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
    assert!(!message.contains('\n'), "{message}");
}

#[test]
fn a_template_that_never_ends_is_refused() {
    let endless = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}";
    check_hostile(endless, "too much computing");
    check_hostile("{% macro f() %}{{ f() }}{% endmacro %}\n{{ f() }}", "recursion");
}

#[test]
fn a_template_that_wants_much_memory_is_refused() {
    let doubled = "{% set ns = namespace(a='x') %}\
        {% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}{{ ns.a }}";
    check_hostile(doubled, "too much computing");
    check_hostile("{{ 'x' * 99999999999 }}", "line 1");
    let nested = "{% set ns = namespace(a=[]) %}{% for i in range(9999) %}{% for j in range(9999) %}\
        {% set ns.a = [ns.a] %}{% endfor %}{% endfor %}";
    check_hostile(nested, "too much computing");
}

#[test]
fn a_broken_template_is_named_by_its_line() {
    check_hostile("a\nb\n{% if %}", "line 3");
    check_hostile("a\n{{ messages[5].x }}", "line 2");
    check_hostile("a\n{{ 'x'.nope() }}", "line 2: unknown method");
    check_hostile("{{ '{:999999999}'.format(1) }}", "unknown method");
    check_hostile("{{ strftime_now('%') }}", "strftime_now");
    check_hostile("{% include '/etc/passwd' %}", "unknown statement include");
}

#[test]
fn a_refusal_is_quoted_in_one_line() {
    check_hostile(
        "\n{{ raise_exception('only\nusers') }}",
        "refuses the conversation: only users (template line 2)",
    );
}

#[track_caller]
fn check_line(line: &str, expected: &str) {
    assert_eq!(Conversation::parse(line).unwrap_err().to_string(), expected);
}

#[test]
fn lines_that_are_no_conversations_say_why() {
    let none =
        "no conversation: expected an object with a list `messages`, e.g. {\"messages\": [...]}";
    check_line("[1]", none);
    check_line("{\"text\": \"x\"}", none);
    check_line("{\"messages\": []}", none);
    check_line("{\"messages\": [}", "no JSON: expected value at column 15");
    check_line("{\"messages\": [{\"content\": \"x\"}]}", "message 1 has no `role`, e.g. \"user\"");
    check_line(
        "{\"messages\": [{\"role\": \"user\", \"content\": 3}]}",
        "message 1: `content` is neither text, nor a list of text parts, nor null",
    );
    check_line(
        "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]}",
        "message 1 has a part of type `image_url`; only text can be scored",
    );
    check_line(
        "{\"messages\": [{\"role\": \"user\", \"content\": \"\"}], \"chat_template_kwargs\": 1}",
        "`chat_template_kwargs` is no object",
    );
}
