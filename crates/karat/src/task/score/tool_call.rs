//! `tool_call`: one call of the right tool, its arguments valid by the tool's schema and with the
//! expected values.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::json::same;
use super::{Answer, Check, Checked, Means, Score, Scorer, check, failed, held, shown, whole};
use crate::generation::ToolCall;
use crate::task::Outcome;

/// `name`: the tool; `schema`: the JSON Schema of its arguments; `arguments`: values that have to be
/// there. What else the schema allows may stand beside them. The call written out in the text, as an
/// object with `name` and `arguments`, is partial, unless a wrong one stands there, too.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolCallScorer {
    name: String,
    schema: Value,
    arguments: Map<String, Value>,
}

impl Checked for ToolCallScorer {
    fn checked(&self) -> Result<(), String> {
        let validator = jsonschema::validator_for(&self.schema)
            .map_err(|error| format!("`schema`: {error}"))?;
        validator
            .validate(&Value::Object(self.arguments.clone()))
            .map_err(|error| format!("`arguments` do not fit `schema`: {error}"))
    }
}

/// Name of the check that there is a call.
const CALLED: &str = "a call of a tool";

fn is_right(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.held)
}

/// A call as models write it into text.
#[derive(Deserialize)]
struct Written {
    name: String,
    #[serde(alias = "parameters")]
    arguments: Value,
}

impl ToolCallScorer {
    fn call(&self, name: &str, arguments: &Value) -> Vec<Check> {
        let mut checks =
            vec![check(format!("a call of `{}`", self.name), name == self.name, || {
                format!("it calls {}", shown(name))
            })];
        let fits = match jsonschema::validator_for(&self.schema) {
            Ok(validator) => validator.validate(arguments).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        checks.push(match fits {
            Ok(()) => held("arguments that fit the schema"),
            Err(why) => failed("arguments that fit the schema", why),
        });
        checks.extend(self.arguments.iter().map(|(key, want)| {
            let name = format!("`{key}` to be {want}");
            match arguments.get(key) {
                None => failed(name, "it is missing"),
                Some(got) if same(want, got) => held(name),
                Some(got) => failed(name, format!("it is {}", shown(&got.to_string()))),
            }
        }));
        checks
    }

    fn called(&self, calls: &[ToolCall]) -> Score {
        let one =
            check("one call", calls.len() == 1, || format!("there are {} calls", calls.len()));
        let mut checks = vec![one];
        let Some(ToolCall { name, arguments }) = calls.first() else {
            return whole(Outcome::Fail, checks);
        };
        match serde_json::from_str(arguments) {
            Ok(arguments) => checks.extend(self.call(name, &arguments)),
            Err(error) => checks.push(failed("arguments in JSON", error.to_string())),
        }
        let outcome = if is_right(&checks) { Outcome::Pass } else { Outcome::Fail };
        whole(outcome, checks)
    }

    /// The calls in a text, each with its checks.
    fn written(&self, text: &str) -> impl Iterator<Item = Vec<Check>> {
        text.match_indices('{').take(1000).filter_map(|(start, _)| {
            let mut values =
                serde_json::Deserializer::from_str(&text[start..]).into_iter::<Written>();
            let written = values.next()?.ok()?;
            Some(self.call(&written.name, &written.arguments))
        })
    }
}

impl Scorer for ToolCallScorer {
    fn judge(&self, answer: &Answer, _: Means<'_>) -> Score {
        if !answer.tool_calls.is_empty() {
            return self.called(&answer.tool_calls);
        }
        let written: Vec<Vec<Check>> = self.written(&answer.visible).collect();
        if let Some(last) = written.last() {
            // A right call beside a wrong one is no decision.
            let wrong = written.iter().find(|checks| !is_right(checks));
            let mut checks = vec![failed(CALLED, "it stands in the text only")];
            checks.extend(wrong.unwrap_or(last).iter().cloned());
            return whole(if wrong.is_none() { Outcome::Partial } else { Outcome::Fail }, checks);
        }
        let why = format!("the answer is {}", shown(&answer.visible));
        whole(Outcome::Fail, vec![failed(CALLED, why)])
    }

    fn stands_in(&self, text: &str) -> Option<bool> {
        Some(self.written(text).any(|checks| is_right(&checks)))
    }

    fn reference(&self) -> Option<Answer> {
        let arguments = Value::Object(self.arguments.clone()).to_string();
        let call = ToolCall { name: self.name.clone(), arguments };
        Some(Answer { visible: String::new(), tool_calls: vec![call] })
    }
}
