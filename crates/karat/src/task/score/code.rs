//! `code`: a Python function, by what it returns when it is run.

use karat_sandbox::{CaseResult, Data, Ending, Limits, Report, Request};
use serde::Deserialize;
use serde_json::Value;

use super::fold::has_form;
use super::{Answer, Check, Checked, HALF, Means, Score, Scorer, failed, held, shown, whole};
use crate::task::Outcome;

/// Two floats are one where they are this near, relative to the larger, so that the order of additions
/// does not matter.
const NEAR: f64 = 1e-9;

/// `function`: its name; `cases`: arguments and what the function has to return for them, those that the
/// prompt shows marked `visible`; `keeps_arguments`: whether the function must leave its arguments as they
/// were; `solution`: source that has to pass. Passes where every case does; partial where at least half of
/// the cases do, the visible ones among them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    function: String,
    cases: Vec<Case>,
    #[serde(default)]
    keeps_arguments: bool,
    solution: String,
    #[serde(default = "seconds")]
    seconds: f64,
}

fn seconds() -> f64 {
    Limits::default().wall_s
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    args: Vec<Value>,
    /// Missing stands for `None`, which TOML has no word for.
    #[serde(default)]
    returns: Value,
    /// Class of the exception that it has to raise instead.
    raises: Option<String>,
    #[serde(default)]
    visible: bool,
}

impl Checked for Code {
    fn checked(&self) -> Result<(), String> {
        if self.cases.is_empty() {
            return Err("`cases` is empty".to_owned());
        }
        if !(self.seconds > 0.0 && self.seconds <= 300.0) {
            return Err(format!(
                "`seconds` is {}; it has to be above 0 and at most 300",
                self.seconds
            ));
        }
        Ok(())
    }
}

/// Code of an answer: of the fenced blocks the last that defines the function, else the last; without a
/// block, all of it.
fn source<'a>(answer: &'a str, function: &str) -> &'a str {
    let mut blocks: Vec<&str> = Vec::new();
    let mut rest = answer;
    while let Some((_, after)) = rest.split_once("```") {
        // The word after the fence names the language.
        let body = after.split_once('\n').map_or("", |(_, body)| body);
        let Some((block, after)) = body.split_once("```") else {
            blocks.push(body);
            break;
        };
        blocks.push(block);
        rest = after;
    }
    let definition = format!("def {function}");
    let defines = |block: &&&str| has_form(block, &definition);
    blocks.iter().rev().find(defines).or(blocks.last()).copied().unwrap_or(answer)
}

impl Code {
    fn run(&self, source: &str, means: Means<'_>) -> Result<Report, String> {
        let request = Request {
            source: source.to_owned(),
            function: self.function.clone(),
            calls: self.cases.iter().map(|case| case.args.clone()).collect(),
            limits: Limits { wall_s: self.seconds, ..Limits::default() },
        };
        means.sandbox.run(&request).map_err(|error| error.to_string())
    }

    fn score(&self, report: &Report) -> Score {
        let results: Vec<Check> = self
            .cases
            .iter()
            .enumerate()
            .map(|(index, case)| {
                let check = case.check(report.results.get(index), &report.ending);
                let left = report.arguments.get(index).filter(|_| self.keeps_arguments);
                match left.and_then(|left| case.changed(left)) {
                    Some(why) if check.held => failed(check.name, why),
                    _ => check,
                }
            })
            .collect();
        if let Ending::Gap(why) | Ending::Crashed(why) = &report.ending {
            let mut checks = vec![failed("code that can be run here", why.clone())];
            checks.extend(results);
            return whole(Outcome::Error, checks);
        }
        let n_held = results.iter().filter(|check| check.held).count();
        let visible_held =
            self.cases.iter().zip(&results).all(|(case, check)| check.held || !case.visible);
        let outcome = if n_held == results.len() {
            Outcome::Pass
        } else if visible_held && 2 * n_held >= results.len() {
            Outcome::Partial
        } else {
            Outcome::Fail
        };
        let mut checks = Vec::new();
        if let Some(why) = ended(&report.ending, &self.function) {
            checks.push(failed("code that runs", why));
            // Why the others were not reached is said.
            checks.extend(results.into_iter().take(report.results.len()));
        } else {
            checks.push(held("code that runs"));
            checks.extend(results);
        }
        let points =
            if outcome == Outcome::Partial { HALF } else { whole(outcome, Vec::new()).points };
        Score { outcome, points, checks }
    }
}

/// Why a program did not run to its end, by its own fault.
fn ended(ending: &Ending, function: &str) -> Option<String> {
    match ending {
        Ending::Finished | Ending::Gap(_) | Ending::Crashed(_) => None,
        Ending::Unreadable(how) => {
            Some(format!("it cannot be read: the interpreter died of it ({how})"))
        }
        Ending::SyntaxError(why) => Some(format!("it is no Python: {why}")),
        Ending::Raised { kind, message } => {
            Some(format!("it raised {kind} before any call: {message}"))
        }
        Ending::NoFunction => Some(format!("it defines no function `{function}`")),
        Ending::Refused(module) => Some(format!("it needs `{module}`, which reaches outside")),
        Ending::TimeOut => Some("it did not end in time".to_owned()),
        Ending::OutOfMemory => Some("it used up its memory".to_owned()),
        Ending::TooMuchOutput => Some("it printed too much".to_owned()),
    }
}

impl Case {
    fn check(&self, result: Option<&CaseResult>, ending: &Ending) -> Check {
        let name =
            format!("{} case: {}", if self.visible { "visible" } else { "hidden" }, self.name);
        if let (Some(want), Some(result)) = (&self.raises, result) {
            return match result {
                CaseResult::Raised { kind, .. } if kind == want => held(name),
                CaseResult::Raised { kind, .. } => {
                    failed(name, format!("raised {kind} instead of {want}"))
                }
                CaseResult::Returned(data) => failed(
                    name,
                    format!("returned {} instead of raising {want}", shown(&python(data))),
                ),
            };
        }
        match result {
            Some(CaseResult::Returned(data)) if is(data, &self.returns) => held(name),
            Some(CaseResult::Returned(data)) => failed(
                name,
                format!(
                    "returned {} instead of {}",
                    shown(&python(data)),
                    shown(&self.returns.to_string())
                ),
            ),
            Some(CaseResult::Raised { kind, message }) => {
                failed(name, format!("raised {kind}: {message}"))
            }
            None if *ending == Ending::Finished => failed(name, "was not run"),
            None => failed(name, "was not reached"),
        }
    }
}

impl Case {
    /// What became of the arguments, where the function did not leave them as they were.
    fn changed(&self, left: &[Data]) -> Option<String> {
        let (got, want) = left.iter().zip(&self.args).find(|(got, want)| !is(got, want))?;
        let (got, want) = (shown(&python(got)), shown(&want.to_string()));
        Some(format!("changed its argument {want} to {got}"))
    }
}

/// Whether a Python value is the JSON value: lists and tuples are one, and so are whole floats and
/// integers; `True` is no 1.
fn is(data: &Data, want: &Value) -> bool {
    match (data, want) {
        (Data::None, Value::Null) => true,
        (Data::Bool(got), Value::Bool(want)) => got == want,
        (Data::Str(got), Value::String(want)) => got == want,
        (Data::Int(got), Value::Number(want)) => {
            *got == want.to_string() || got.parse::<f64>().ok() == want.as_f64() && want.is_f64()
        }
        (Data::Float(got), Value::Number(want)) => match (got.parse::<f64>(), want.as_f64()) {
            (Ok(got), Some(want)) => (got - want).abs() <= NEAR * got.abs().max(want.abs()),
            _ => false,
        },
        (Data::List(got) | Data::Tuple(got), Value::Array(want)) => {
            got.len() == want.len() && got.iter().zip(want).all(|(got, want)| is(got, want))
        }
        (Data::Dict(got), Value::Object(want)) => {
            let has = |(key, value): &(Data, Data)| {
                let (Data::Str(key) | Data::Int(key)) = key else { return false };
                want.get(key).is_some_and(|want| is(value, want))
            };
            got.len() == want.len() && got.iter().all(has)
        }
        _ => false,
    }
}

/// A value as Python would show it, more or less.
fn python(data: &Data) -> String {
    let all = |items: &[Data]| items.iter().map(python).collect::<Vec<_>>().join(", ");
    match data {
        Data::None => "None".to_owned(),
        Data::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
        Data::Int(number) | Data::Float(number) => number.clone(),
        Data::Str(text) => format!("{text:?}"),
        Data::List(items) => format!("[{}]", all(items)),
        Data::Tuple(items) => format!("({})", all(items)),
        Data::Set(items) => format!("{{{}}}", all(items)),
        Data::Dict(pairs) => {
            let pair = |(key, value): &(Data, Data)| format!("{}: {}", python(key), python(value));
            format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        Data::Other(kind) => format!("a value of type {kind}"),
    }
}

impl Scorer for Code {
    fn judge(&self, answer: &Answer, means: Means<'_>) -> Score {
        match self.run(source(&answer.visible, &self.function), means) {
            Ok(report) => self.score(&report),
            Err(why) => whole(Outcome::Error, vec![failed("code that can be run here", why)]),
        }
    }

    fn stands_in(&self, _: &str) -> Option<bool> {
        // Thinking holds pieces of code; which of them would have been the answer cannot be told.
        None
    }

    fn reference(&self) -> Option<Answer> {
        Some(Answer::text(format!("```python\n{}\n```", self.solution.trim())))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn code_is_found_in_answers() {
        assert_eq!(source("def f(): pass", "f"), "def f(): pass");
        assert_eq!(
            source("Here:\n```python\ndef f(): pass\n```\nUse:\n```python\nf()\n```", "f"),
            "def f(): pass\n"
        );
        assert_eq!(source("```\nx = 1\n```", "f"), "x = 1\n");
        assert_eq!(
            source("```\ndef f(): pass\n```\n```\ndef f2(): pass\n```", "f"),
            "def f(): pass\n"
        );
        assert_eq!(source("```py\ndef f():\n    pass", "f"), "def f():\n    pass");
    }

    #[test]
    fn values_are_compared_by_meaning() {
        let int = |text: &str| Data::Int(text.to_owned());
        assert!(is(&Data::Tuple(vec![int("1"), int("2")]), &json!([1, 2])));
        assert!(is(&Data::Float("0.30000000000000004".to_owned()), &json!(0.3)));
        assert!(is(&Data::Float("2.0".to_owned()), &json!(2)));
        assert!(is(&Data::Dict(vec![(int("1"), Data::None)]), &json!({"1": null})));
        assert!(!is(&Data::Bool(true), &json!(1)));
        assert!(!is(&int("1"), &json!("1")));
        assert!(!is(&Data::List(vec![int("1")]), &json!([1, 2])));
        assert!(!is(&Data::Float("NaN".to_owned()), &json!(0)));
    }
}
