//! A family of tasks: one TOML file, read and checked. Owns the file's form; draws nothing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::TaskError;

/// Most instances of one language that a file may ask for.
const MOST_INSTANCES: usize = 10_000;

/// A family of tasks.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its name, which is that of its file, e.g. `exact_arithmetic`.
    pub name: String,
    /// What a report calls it.
    pub title: String,
    /// Which damage shows here.
    pub probes: String,
    /// Most tokens of an answer, thinking included.
    pub max_tokens: u32,
    /// Languages, in the file's order.
    pub languages: Vec<String>,
    /// Instances of each language in a full suite.
    pub instances: usize,
    pub(super) file: File,
}

/// The file as it stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    name: String,
    title: String,
    probes: String,
    max_tokens: u32,
    instances: usize,
    #[serde(default)]
    pub values: toml::Table,
    #[serde(default)]
    pub items: Vec<toml::Table>,
    #[serde(default)]
    pub first: First,
    pub scorer: toml::Table,
    #[serde(default)]
    pub tools: Vec<toml::Table>,
    language: toml::Table,
    #[serde(skip)]
    pub languages: BTreeMap<String, Language>,
}

/// What instance 0 has instead of drawn values.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct First {
    /// Number of the item, from 0.
    pub item: Option<usize>,
    #[serde(default)]
    pub values: toml::Table,
    /// By language, before the ones above.
    #[serde(default)]
    pub language: BTreeMap<String, toml::Table>,
}

/// What a language brings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Language {
    pub prompt: String,
    pub system: Option<String>,
    #[serde(default)]
    pub values: toml::Table,
    #[serde(default)]
    pub items: Vec<toml::Table>,
    /// Keys of the scorer that are this language's.
    #[serde(default)]
    pub scorer: toml::Table,
}

impl Family {
    /// Reads a file's text. `file` is its name for messages, and has to be `NAME.toml`.
    pub fn parse(file: &str, text: &str) -> Result<Self, TaskError> {
        let wrong = |line, why: String| TaskError::File { file: file.to_owned(), line, why };
        let line_at = |span: Option<std::ops::Range<usize>>| {
            span.map(|span| {
                1 + text.as_bytes().iter().take(span.start).filter(|byte| **byte == b'\n').count()
            })
        };
        let mut parsed: File = toml::from_str(text)
            .map_err(|error| wrong(line_at(error.span()), one_line(error.message())))?;
        let mut languages = Vec::new();
        for (code, table) in &parsed.language {
            let language = table.clone().try_into().map_err(|error: toml::de::Error| {
                wrong(None, format!("language.{code}: {}", one_line(error.message())))
            })?;
            languages.push(code.clone());
            parsed.languages.insert(code.clone(), language);
        }
        let family = Self {
            name: parsed.name.clone(),
            title: parsed.title.clone(),
            probes: parsed.probes.clone(),
            max_tokens: parsed.max_tokens,
            languages,
            instances: parsed.instances,
            file: parsed,
        };
        family.check(file).map_err(|why| wrong(None, why))?;
        Ok(family)
    }

    fn check(&self, file: &str) -> Result<(), String> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        if !is_name(&self.name) {
            return Err(format!("`name` is `{}`; it takes small letters, digits and _", self.name));
        }
        if file != self.file_name() {
            return Err(format!(
                "`name` is `{}`, so the file has to be {}",
                self.name,
                self.file_name()
            ));
        }
        if self.languages.is_empty() {
            return Err("there is no language; add [language.en] with a `prompt`".to_owned());
        }
        if let Some(code) = self.languages.iter().find(|code| !is_name(code)) {
            return Err(format!("`language.{code}`: a language is e.g. en, pl or de"));
        }
        if self.max_tokens == 0 {
            return Err("`max_tokens` is 0; an answer takes at least 1".to_owned());
        }
        if self.instances == 0 || self.instances > MOST_INSTANCES {
            return Err(format!(
                "`instances` is {}; it has to be 1 to {MOST_INSTANCES}",
                self.instances
            ));
        }
        Ok(())
    }

    pub(super) fn file_name(&self) -> String {
        format!("{}.toml", self.name)
    }
}

/// A message of the TOML reader without its picture of the place.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A TOML value as JSON; dates become text.
pub(super) fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(value) => Value::from(*value),
        toml::Value::Datetime(date) => Value::from(date.to_string()),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(table) => Value::Object(json_table(table)),
    }
}

/// A TOML table as JSON.
pub(super) fn json_table(table: &toml::Table) -> Map<String, Value> {
    table.iter().map(|(key, value)| (key.clone(), json(value))).collect()
}
