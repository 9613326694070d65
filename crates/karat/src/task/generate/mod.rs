//! Generators: how a value of a task is drawn. One file each, and one line in [`GENERATORS`].

mod choice;
mod date;
mod decimal;
mod int;
mod intervals;
mod list;
mod log;
mod names;
mod sample;
mod table;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::draw::Draw;

/// What a generator may use.
pub struct Means<'a> {
    /// The stream of choices.
    pub draw: &'a mut Draw,
    /// Language of the instance, e.g. `pl`.
    pub language: &'a str,
    /// Counts a text's tokens, as the model under test does.
    pub count_tokens: &'a dyn Fn(&str) -> usize,
}

/// Draws values.
pub trait Generate {
    /// The next value.
    fn generate(&self, means: &mut Means<'_>) -> Result<Value, String>;
}

type Read = fn(Value) -> Result<Box<dyn Generate>, String>;

/// Every generator: its `kind` and how its other keys are read.
pub const GENERATORS: &[(&str, Read)] = &[
    ("choice", read::<choice::Choice>),
    ("date", read::<date::Date>),
    ("decimal", read::<decimal::Decimals>),
    ("int", read::<int::Int>),
    ("intervals", read::<intervals::Intervals>),
    ("list", read::<list::List>),
    ("log", read::<log::Log>),
    ("names", read::<names::Names>),
    ("sample", read::<sample::Sample>),
    ("table", read::<table::Table>),
];

fn read<G: Generate + DeserializeOwned + 'static>(
    keys: Value,
) -> Result<Box<dyn Generate>, String> {
    let generator: G = serde_json::from_value(keys).map_err(|error| error.to_string())?;
    Ok(Box::new(generator))
}

/// Draws a value as a table with a `kind` says.
pub fn generate(spec: &Value, means: &mut Means<'_>) -> Result<Value, String> {
    let known = || GENERATORS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let mut keys = spec.as_object().cloned().unwrap_or_default();
    let Some(Value::String(kind)) = keys.remove("kind") else {
        return Err(format!("a generator needs a `kind`, one of {}", known()));
    };
    let (_, read) = GENERATORS
        .iter()
        .find(|(name, _)| *name == kind)
        .ok_or_else(|| format!("`{kind}` is no kind of generator; there are {}", known()))?;
    read(Value::Object(keys)).map_err(|error| format!("{kind}: {error}"))?.generate(means)
}

#[cfg(test)]
mod tests;
