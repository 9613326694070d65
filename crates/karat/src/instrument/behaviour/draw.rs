//! Tasks of a suite, drawn.

use crate::settings::{SuiteName, SuiteSpec};
use crate::task::{Drawing, Instance, Suite, TaskError, read_folder};

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
