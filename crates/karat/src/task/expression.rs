//! Templates in task files: text with `{{ ... }}` in it, and values worked out from other values.
//! Bounded in work, because task files come from anywhere.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value as JinjaValue, ValueKind};
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};
use serde_json::{Map, Value};

use super::{bounded, dates, exact};

/// Work that one text may take; the longest of the bundled families takes some hundreds.
const FUEL: u64 = 200_000;

/// Named values, in the order in which they were made.
pub type Values = Map<String, Value>;

/// Renders templates.
pub struct Engine(Environment<'static>);

impl Default for Engine {
    fn default() -> Self {
        let mut env = Environment::new();
        env.set_auto_escape_callback(|_| AutoEscape::None);
        env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        env.set_fuel(Some(FUEL));
        env.set_recursion_limit(50);
        // Tags on lines of their own leave no empty lines. The default syntax is always valid.
        if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            env.set_syntax(syntax);
        }
        env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        env.add_function("pick", pick);
        env.add_filter("python", |value: JinjaValue| python(&value));
        exact::add(&mut env);
        dates::add(&mut env);
        Self(env)
    }
}

impl Engine {
    /// A template's text.
    pub fn text(&self, template: &str, values: &Values) -> Result<String, String> {
        self.0.render_str(template, Serde(values)).map_err(|error| line(&error))
    }

    /// What a value of a file stands for: texts in it are templates, at any depth. A text that is one
    /// `{{ expression }}` and nothing else becomes the value of the expression, with its type.
    pub fn value(&self, value: &Value, values: &Values) -> Result<Value, String> {
        match value {
            Value::String(template) => match expression(template) {
                Some(expression) => {
                    let value = self
                        .0
                        .compile_expression(expression)
                        .and_then(|compiled| compiled.eval(Serde(values)))
                        .map_err(|error| line(&error))?;
                    if value.is_undefined() {
                        return Err(format!("`{expression}` has no value"));
                    }
                    bounded::size(&value)?;
                    serde_json::to_value(&value).map_err(|error| format!("`{expression}`: {error}"))
                }
                None if template.contains('{') => self.text(template, values).map(Value::String),
                None => Ok(value.clone()),
            },
            Value::Array(items) => items
                .iter()
                .map(|item| self.value(item, values))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Value::Object(pairs) => {
                let pair =
                    |(key, value): (&String, &Value)| Ok((key.clone(), self.value(value, values)?));
                pairs.iter().map(pair).collect::<Result<_, String>>().map(Value::Object)
            }
            _ => Ok(value.clone()),
        }
    }
}

/// The pairs of a map with these keys.
fn pick(map: &JinjaValue, keys: &JinjaValue) -> Result<JinjaValue, Error> {
    let pair = |key: JinjaValue| Ok((key.to_string(), map.get_item(&key)?));
    let pairs: Vec<(String, JinjaValue)> =
        keys.try_iter()?.map(pair).collect::<Result<_, Error>>()?;
    Ok(JinjaValue::from_pairs(pairs))
}

/// A value as Python writes it.
fn python(value: &JinjaValue) -> Result<String, Error> {
    let all = |value: &JinjaValue| -> Result<Vec<String>, Error> {
        value.try_iter()?.map(|item| python(&item)).collect()
    };
    Ok(match value.kind() {
        ValueKind::None | ValueKind::Undefined => "None".to_owned(),
        ValueKind::Bool => if value.is_true() { "True" } else { "False" }.to_owned(),
        ValueKind::String => format!("{:?}", value.as_str().unwrap_or_default()),
        ValueKind::Seq => format!("[{}]", all(value)?.join(", ")),
        ValueKind::Map => {
            let keys: Vec<JinjaValue> = value.try_iter()?.collect();
            let pair = |key: &JinjaValue| {
                Ok(format!("{}: {}", python(key)?, python(&value.get_item(key)?)?))
            };
            format!("{{{}}}", keys.iter().map(pair).collect::<Result<Vec<_>, Error>>()?.join(", "))
        }
        _ => value.to_string(),
    })
}

/// The expression that a template consists of.
fn expression(template: &str) -> Option<&str> {
    let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("}}")).then(|| inner.trim())
}

fn line(error: &Error) -> String {
    let mut text = error.kind().to_string();
    if let Some(detail) = error.detail() {
        text = format!("{text}: {detail}");
    }
    match error.line() {
        Some(line) if line > 1 => format!("{text} (line {line} of the text)"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(template: &str, want: Value) {
        let values = json!({"qty": 3, "price": "0.10", "names": ["b", "a"], "day": "2024-02-28"});
        let values = values.as_object().unwrap();
        assert_eq!(Engine::default().value(&json!(template), values), Ok(want), "{template}");
    }

    #[track_caller]
    fn check_refused(template: &str, want: &str) {
        let error = Engine::default().value(&json!(template), &Values::new()).unwrap_err();
        assert!(error.contains(want), "{error}");
    }

    #[test]
    fn an_expression_keeps_its_type() {
        check("{{ qty + 1 }}", json!(4));
        check("{{ names | sort }}", json!(["a", "b"]));
        check("{{ qty }} and {{ price }}", json!("3 and 0.10"));
        check("plain", json!("plain"));
    }

    #[test]
    fn decimals_are_exact() {
        check("{{ mul(qty, price) }}", json!("0.3"));
        check("{{ add(price, 0.2, 1) }}", json!("1.3"));
        check("{{ sub(price, 1) }}", json!("-0.9"));
        check("{{ div(1, 8) }}", json!("0.125"));
        check("{{ quotient(2, 3, 2) }}", json!("0.67"));
        check("{{ total([price, price, price]) }}", json!("0.3"));
        check("{{ mul(qty, 2.5) | places(2) }}", json!("7.50"));
    }

    #[test]
    fn dates_are_the_calendars() {
        check("{{ date_add(day, 2) }}", json!("2024-03-01"));
        check("{{ days_between(day, '2025-02-28') }}", json!(366));
        check("{{ weekday(day) }}", json!(3));
    }

    #[test]
    fn what_has_no_exact_result_is_refused() {
        check_refused("{{ div(1, 3) }}", "no exact result");
        check_refused("{{ add('x', 1) }}", "`x` is no decimal number");
        check_refused("{{ date_add('2024-02-30', 1) }}", "no date");
    }

    #[test]
    fn unknown_names_and_endless_work_are_refused() {
        check_refused("{{ nothing + 1 }}", "undefined");
        check_refused(
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
            "fuel",
        );
    }
}
