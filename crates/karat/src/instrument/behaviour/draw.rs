//! Tasks of a suite, drawn: with a model's vocabulary where one is at hand.

use crate::settings::{SuiteName, SuiteSpec};
use crate::task::{Drawing, Instance, Suite, TaskError, read_folder};

/// Bytes of a token where no vocabulary says it, about what English text has in large vocabularies.
const BYTES_PER_TOKEN: usize = 4;

/// The families of a suite, read and checked.
pub fn suite(spec: &SuiteSpec) -> Result<Suite, TaskError> {
    let suite = match (&spec.folder, spec.name) {
        (Some(folder), _) => Suite::of("own", read_folder(folder)?),
        (None, SuiteName::Quick) => Suite::quick()?,
        (None, SuiteName::Full) => Suite::full()?,
    };
    if spec.only.is_empty() { Ok(suite) } else { suite.only(&spec.only) }
}

/// The instances, each with the tokens of its messages. `count` counts the tokens of a text.
pub fn draw(
    spec: &SuiteSpec,
    count: &dyn Fn(&str) -> usize,
) -> Result<Vec<(Instance, u64)>, TaskError> {
    let fixed = spec.fixed.clone().into_iter().collect();
    let drawing = Drawing { seed: spec.seed, count_tokens: count, fixed: &fixed };
    let with_tokens = |mut instance: Instance| {
        instance.max_tokens = spec.max_tokens.unwrap_or(instance.max_tokens);
        let tokens = instance.messages.iter().map(|message| count(&message.content)).sum::<usize>();
        (instance, tokens as u64)
    };
    Ok(suite(spec)?.instances(drawing)?.into_iter().map(with_tokens).collect())
}

/// Tokens of a text by its length.
pub fn estimated_tokens(text: &str) -> usize {
    text.len().div_ceil(BYTES_PER_TOKEN)
}
