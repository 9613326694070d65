//! Instances of a family: values drawn from a seed, and everything that follows from them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::draw::Draw;
use super::expression::{Engine, Values};
use super::family::{Family, Language, json, json_table};
use super::score::{self, Scorer};
use super::{Reply, Score, TaskError, bounded, generate};
use crate::digest::sha256_hex;

/// Raised when a scorer judges the same answer otherwise than before, so that stored replies are judged
/// anew.
const SCORING_VERSION: u32 = 2;
/// Draws for one more different instance before a family is taken to have no more.
const TRIES: usize = 200;

/// A message of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system` or `user`.
    pub role: String,
    /// Its text.
    pub content: String,
}

/// One task, ready to ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Its family, e.g. `exact_arithmetic`.
    pub family: String,
    /// `family/language/number`.
    pub id: String,
    /// Language, e.g. `pl`.
    pub language: String,
    /// What is asked.
    pub messages: Vec<Message>,
    /// Tools that may be called, in the form of OpenAI's chat completions.
    pub tools: Vec<Value>,
    /// Most tokens of the answer, thinking included.
    pub max_tokens: u32,
    /// How it is scored: a table with a `kind`, everything worked out.
    pub scorer: Value,
}

impl Instance {
    /// What a model is asked, as a hash: equal where prompt, tools and limit are, however it is judged.
    pub fn question_digest(&self) -> String {
        let Self { messages, tools, max_tokens, .. } = self;
        sha256_hex(serde_json::json!([messages, tools, max_tokens]).to_string())
    }

    /// How answers are judged, as a hash.
    pub fn scorer_digest(&self) -> String {
        sha256_hex(serde_json::json!([SCORING_VERSION, self.scorer]).to_string())
    }

    /// Its scorer.
    pub fn scorer(&self) -> Result<Box<dyn Scorer>, String> {
        score::scorer(&self.scorer)
    }

    /// Judges what came back: the score, and for a starved attempt whether the right answer stands in its
    /// thinking.
    pub fn score(&self, reply: &Reply, means: score::Means<'_>) -> (Score, Option<bool>) {
        match self.scorer() {
            Ok(scorer) => score::score(&*scorer, reply, means),
            Err(why) => (score::impossible(why), None),
        }
    }
}

/// How instances are drawn.
#[derive(Clone, Copy)]
pub struct Drawing<'a> {
    /// The seed.
    pub seed: u64,
    /// Counts a text's tokens, as the model under test does.
    pub count_tokens: &'a dyn Fn(&str) -> usize,
    /// Values that take the place of drawn ones wherever a family has a value of that name, e.g.
    /// `log_tokens` or `depth`.
    pub fixed: &'a Values,
}

impl Family {
    /// The first `n` instances of a language, all different. Instance 0 is the one that the file fixes
    /// under `first`, where it does.
    pub fn instances(
        &self,
        language: &str,
        n: usize,
        drawing: Drawing<'_>,
    ) -> Result<Vec<Instance>, TaskError> {
        let maker = Maker::new(self, language, drawing)?;
        let mut seen = BTreeSet::new();
        let mut instances: Vec<Instance> = Vec::with_capacity(n);
        for number in 0..n {
            let mut fresh = None;
            for attempt in 0..TRIES {
                let instance = maker.make(number, attempt)?;
                if seen.insert(sha256_hex(prompt(&instance))) {
                    fresh = Some(instance);
                    break;
                }
            }
            match fresh {
                Some(instance) => instances.push(instance),
                None => {
                    return Err(TaskError::TooFew {
                        file: self.file_name(),
                        language: language.to_owned(),
                        got: number,
                        want: n,
                    });
                }
            }
        }
        Ok(instances)
    }
}

fn prompt(instance: &Instance) -> String {
    instance.messages.iter().map(|message| message.content.as_str()).collect::<Vec<_>>().join("\n")
}

/// What instances of one language share.
struct Maker<'a> {
    family: &'a Family,
    code: &'a str,
    language: &'a Language,
    drawing: Drawing<'a>,
    engine: Engine,
    /// Items in the order in which numbers get them.
    order: Vec<usize>,
}

impl<'a> Maker<'a> {
    fn new(family: &'a Family, code: &'a str, drawing: Drawing<'a>) -> Result<Self, TaskError> {
        let language = family.file.languages.get(code).ok_or_else(|| TaskError::Instance {
            file: family.file_name(),
            key: "language".to_owned(),
            language: code.to_owned(),
            why: format!("there is no such language; there are {}", family.languages.join(", ")),
        })?;
        let seed = drawing.seed.to_string();
        let order =
            Draw::of(&["items", &seed, &family.name, code]).order(items(family, language).len());
        Ok(Self { family, code, language, drawing, engine: Engine::default(), order })
    }

    fn make(&self, number: usize, attempt: usize) -> Result<Instance, TaskError> {
        let (values, item) = self.values(number, attempt)?;
        let file = &self.family.file;
        let text = |key: &str, template: &str| {
            self.engine.text(template, &values).map_err(|why| self.wrong(key, why))
        };
        let mut messages = Vec::new();
        if let Some(system) = &self.language.system {
            let content = text("system", system)?;
            messages.push(Message { role: "system".to_owned(), content });
        }
        let content = text("prompt", self.language.prompt.trim())?;
        messages.push(Message { role: "user".to_owned(), content });
        let tools = file
            .tools
            .iter()
            .map(|tool| self.engine.value(&Value::Object(json_table(tool)), &values))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|why| self.wrong("tools", why))?;
        let scorer = self.scorer(&values, item.as_ref())?;
        Ok(Instance {
            family: self.family.name.clone(),
            id: format!("{}/{}/{number}", self.family.name, self.code),
            language: self.code.to_owned(),
            messages,
            tools,
            max_tokens: self.family.max_tokens,
            scorer,
        })
    }

    fn scorer(&self, values: &Values, item: Option<&Values>) -> Result<Value, TaskError> {
        let mut table = self.family.file.scorer.clone();
        table.extend(self.language.scorer.clone());
        let spec = self
            .engine
            .value(&Value::Object(json_table(&table)), values)
            .map_err(|why| self.wrong("scorer", why))?;
        score::scorer(&spec).map_err(|why| {
            let item =
                item.and_then(|item| item.get("name")).map(|name| format!(" with item {name}"));
            self.wrong("scorer", format!("{why}{}", item.unwrap_or_default()))
        })?;
        Ok(spec)
    }

    /// All values of an instance, and the item that it has.
    fn values(&self, number: usize, attempt: usize) -> Result<(Values, Option<Values>), TaskError> {
        let file = &self.family.file;
        let first = (number == 0 && attempt == 0).then_some(&file.first);
        let mut values = Values::new();
        values.insert("language".to_owned(), Value::from(self.code));
        let (seed, number_word, attempt_word) =
            (self.drawing.seed.to_string(), number.to_string(), attempt.to_string());
        let mut draw =
            Draw::of(&["values", &seed, &self.family.name, self.code, &number_word, &attempt_word]);
        // The item's texts may name values, and values may name what the item brings.
        let items = items(self.family, self.language);
        let item = if items.is_empty() {
            None
        } else {
            let drawn = self.order[(number + attempt) % self.order.len()];
            let index = first.and_then(|first| first.item).unwrap_or(drawn);
            let item = items.get(index).ok_or_else(|| {
                self.wrong("first.item", format!("there is no item {index}, only {}", items.len()))
            })?;
            let item = json_table(item);
            values.insert("item".to_owned(), Value::Object(item.clone()));
            Some(item)
        };
        let of_language = first.and_then(|first| first.language.get(self.code));
        let fixed = |name: &str| {
            let in_file = of_language
                .and_then(|table| table.get(name))
                .or_else(|| first.and_then(|first| first.values.get(name)))
                .map(json);
            self.drawing.fixed.get(name).cloned().or(in_file)
        };
        let mut taken = 0;
        for (name, spec) in declared(&file.values, &self.language.values) {
            let spec = fixed(name).unwrap_or_else(|| json(spec));
            let value = self
                .value(&spec, &values, &mut draw)
                .and_then(|value| {
                    taken = bounded::room_after(taken, &value)?;
                    Ok(value)
                })
                .map_err(|why| self.wrong(&format!("values.{name}"), why))?;
            values.insert(name.to_owned(), value);
        }
        if let Some(item) = &item {
            let rendered = self
                .engine
                .value(&Value::Object(item.clone()), &values)
                .map_err(|why| self.wrong("items", why))?;
            values.insert("item".to_owned(), rendered);
        }
        Ok((values, item))
    }

    fn value(&self, spec: &Value, values: &Values, draw: &mut Draw) -> Result<Value, String> {
        let spec = self.engine.value(spec, values)?;
        if spec.get("kind").is_none() {
            return Ok(spec);
        }
        let count_tokens = self.drawing.count_tokens;
        generate::generate(&spec, &mut generate::Means { draw, language: self.code, count_tokens })
    }

    fn wrong(&self, key: &str, why: String) -> TaskError {
        TaskError::Instance {
            file: self.family.file_name(),
            key: key.to_owned(),
            language: self.code.to_owned(),
            why,
        }
    }
}

/// Items of a language: its own, else the family's.
fn items<'a>(family: &'a Family, language: &'a Language) -> &'a [toml::Table] {
    if language.items.is_empty() { &family.file.items } else { &language.items }
}

/// The family's values in order, a language's in the place of those of the same name; a language's other
/// values come first, so that the family's may name them.
fn declared<'a>(
    common: &'a toml::Table,
    own: &'a toml::Table,
) -> impl Iterator<Item = (&'a str, &'a toml::Value)> {
    let before = own.iter().filter(|(name, _)| !common.contains_key(name.as_str()));
    let rest = common.iter().map(|(name, value)| (name, own.get(name.as_str()).unwrap_or(value)));
    before.chain(rest).map(|(name, value)| (name.as_str(), value))
}
