//! `json`: one JSON object with exactly the keys and values that were asked for, and nothing around it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{Answer, Check, Checked, Means, Score, Scorer, check, failed, held, shown, whole};
use crate::task::Outcome;

/// `expected`: the object; key order does not matter. Whole numbers have to be whole numbers, text text.
/// Right, but in a code fence or among words: partial.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Json {
    expected: Map<String, Value>,
}

impl Checked for Json {
    fn checked(&self) -> Result<(), String> {
        if self.expected.is_empty() { Err("`expected` has no keys".to_owned()) } else { Ok(()) }
    }
}

/// An object's pairs as they stand, so that a key that comes twice is seen.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Pairs;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

/// The object in an answer, and what stands around it.
fn object(text: &str) -> Result<(Pairs, Option<&'static str>), String> {
    let text = text.trim();
    let bare = match serde_json::from_str(text) {
        Ok(pairs) => return Ok((pairs, None)),
        Err(error) => error,
    };
    let (Some(start), Some(end)) = (text.find('{'), text.rfind('}')) else {
        return Err(format!("there is none: {bare}"));
    };
    let inner = text.get(start..=end).unwrap_or_default();
    let pairs = serde_json::from_str(inner).map_err(|error| format!("there is none: {error}"))?;
    let before = text[..start].trim();
    let after = text[end + 1..].trim();
    let is_fence =
        before.starts_with("```") && !before.contains(char::is_whitespace) && after == "```";
    Ok((pairs, Some(if is_fence { "is a code fence" } else { "are words" })))
}

impl Json {
    fn content(&self, pairs: &[(String, Value)]) -> Vec<Check> {
        let value = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        let mut checks: Vec<Check> = self
            .expected
            .iter()
            .map(|(key, want)| {
                let name = format!("`{key}` to be {want}");
                match value(key) {
                    None => failed(name, "the key is missing"),
                    Some(got) if same(want, got) => held(name),
                    Some(got) => failed(name, format!("it is {}", shown(&got.to_string()))),
                }
            })
            .collect();
        let other = pairs.iter().find(|(key, _)| !self.expected.contains_key(key));
        checks.push(check("no other key", other.is_none(), || {
            format!("it has {}", shown(other.map_or("", |(key, _)| key)))
        }));
        let twice = pairs
            .iter()
            .enumerate()
            .find(|(at, (key, _))| pairs.iter().take(*at).any(|(earlier, _)| earlier == key));
        checks.push(check("each key once", twice.is_none(), || {
            format!("{} stands there twice", shown(twice.map_or("", |(_, (key, _))| key)))
        }));
        checks
    }
}

/// Equal in type and value: a whole number is no fraction, whatever its value.
pub(super) fn same(want: &Value, got: &Value) -> bool {
    match (want, got) {
        (Value::Number(want), Value::Number(got)) => {
            let is_whole = |number: &serde_json::Number| number.is_i64() || number.is_u64();
            if is_whole(want) { want == got } else { want.as_f64() == got.as_f64() }
        }
        (Value::Array(want), Value::Array(got)) => {
            want.len() == got.len() && want.iter().zip(got).all(|(want, got)| same(want, got))
        }
        (Value::Object(want), Value::Object(got)) => {
            let is_same =
                |(key, want): (&String, &Value)| got.get(key).is_some_and(|got| same(want, got));
            want.len() == got.len() && want.iter().all(is_same)
        }
        _ => want == got,
    }
}

impl Scorer for Json {
    fn judge(&self, answer: &Answer, _: Means<'_>) -> Score {
        const BARE: &str = "nothing around the object";
        let (Pairs(pairs), around) = match object(&answer.visible) {
            Ok(found) => found,
            Err(why) => {
                return whole(Outcome::Fail, vec![failed("a JSON object", why)]);
            }
        };
        let mut checks = vec![held("a JSON object")];
        checks.extend(self.content(&pairs));
        let is_right = checks.iter().all(|check| check.held);
        checks.push(match around {
            None => held(BARE),
            Some(what) => failed(BARE, format!("there {what} around it")),
        });
        let outcome = match (is_right, around) {
            (true, None) => Outcome::Pass,
            (true, Some(_)) => Outcome::Partial,
            (false, _) => Outcome::Fail,
        };
        whole(outcome, checks)
    }

    fn stands_in(&self, text: &str) -> Option<bool> {
        // Thinking may hold several drafts: each opening brace may begin one.
        let is_right = |(start, _): (usize, &str)| {
            let mut values =
                serde_json::Deserializer::from_str(&text[start..]).into_iter::<Pairs>();
            matches!(values.next(), Some(Ok(Pairs(pairs))) if self.content(&pairs).iter().all(|check| check.held))
        };
        Some(text.match_indices('{').take(1000).any(is_right))
    }

    fn reference(&self) -> Option<Answer> {
        Some(Answer::text(Value::Object(self.expected.clone()).to_string()))
    }
}
