//! What transformers adds to Jinja for chat templates: `raise_exception`, `strftime_now`, and its
//! own `tojson`; and where this template engine departs from Jinja in a way that templates notice.

use jiff::civil::DateTime;
use minijinja::value::{Kwargs, Rest, Value};
use minijinja::{Environment, Error, ErrorKind, State};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::error::Refusal;
use super::python_json;

/// Adds them. `now` is what the template takes for the present.
pub(super) fn add(env: &mut Environment<'_>, now: DateTime) {
    env.add_function("raise_exception", |message: Value| -> Result<Value, Error> {
        let message = message.as_str().unwrap_or("(no reason given)").to_owned();
        let error = Error::new(ErrorKind::InvalidOperation, "raise_exception");
        Err(error.with_source(Refusal(message)))
    });
    env.add_function("strftime_now", move |format: String| {
        jiff::fmt::strtime::format(&format, now).map_err(|error| {
            let detail = format!("strftime_now: {error}");
            Error::new(ErrorKind::InvalidOperation, detail)
        })
    });
    env.set_unknown_method_callback(|state, value, method, args| match method {
        // Widths that the template names make the engine panic, and no template in use calls it.
        "format" => Err(Error::from(ErrorKind::UnknownMethod)),
        _ => unknown_method_callback(state, value, method, args),
    });
    env.add_filter("tojson", to_json);
    // To Jinja, none is not iterable; templates rely on it for `tools`.
    env.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
}

/// `json.dumps(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False)`; arguments
/// may be given by position in the order of transformers' filter.
#[expect(clippy::needless_pass_by_value, reason = "filters take their arguments by value")]
fn to_json(
    state: &State<'_, '_>,
    value: Value,
    positional: Rest<Value>,
    named: Kwargs,
) -> Result<Value, Error> {
    let argument = |index: usize, name: &str| -> Result<Option<Value>, Error> {
        let given: Option<Value> = named.get(name)?;
        Ok(given.or_else(|| positional.get(index).cloned()).filter(|value| !value.is_none()))
    };
    let style = python_json::Style {
        ensure_ascii: argument(0, "ensure_ascii")?.is_some_and(|value| value.is_true()),
        indent: argument(1, "indent")?.map(|value| indent(&value)).transpose()?,
        separators: argument(2, "separators")?.map(|value| separators(&value)).transpose()?,
        sort_keys: argument(3, "sort_keys")?.is_some_and(|value| value.is_true()),
    };
    named.assert_all_used()?;
    Ok(Value::from_safe_string(python_json::dumps(state, &value, &style)?))
}

/// Spaces, or any string, in front of each level.
fn indent(value: &Value) -> Result<String, Error> {
    const WIDEST: usize = 64;
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let n = value.as_usize().filter(|&n| n <= WIDEST).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("tojson: indent={value} is no number of spaces"),
        )
    })?;
    Ok(" ".repeat(n))
}

/// What stands between items, and between a key and its value.
fn separators(value: &Value) -> Result<(String, String), Error> {
    let texts: Vec<String> =
        value.try_iter()?.filter_map(|item| item.as_str().map(str::to_owned)).collect();
    <[String; 2]>::try_from(texts).map(Into::into).map_err(|_| {
        Error::new(
            ErrorKind::InvalidOperation,
            "tojson: separators are two strings, e.g. (',', ':')",
        )
    })
}
