//! Whether tasks can be passed at all: the answer that a scorer takes for right is judged before any
//! model is asked.

use super::score::Means;
use super::{Instance, Outcome, TaskError};

/// Judges the reference answer of the first instance of each family and language; an error names the
/// file and why its own answer does not pass.
pub fn check_solvable(instances: &[Instance], means: Means<'_>) -> Result<(), TaskError> {
    for (index, instance) in instances.iter().enumerate() {
        let is_alike = |other: &Instance| {
            (&other.family, &other.language) == (&instance.family, &instance.language)
        };
        if instances[..index].iter().any(is_alike) {
            continue;
        }
        let wrong = |why: String| TaskError::Instance {
            file: format!("{}.toml", instance.family),
            key: "scorer".to_owned(),
            language: instance.language.clone(),
            why,
        };
        let scorer = instance.scorer().map_err(wrong)?;
        let Some(answer) = scorer.reference() else { continue };
        let score = scorer.judge(&answer, means);
        if score.outcome != Outcome::Pass {
            let broken = score.checks.into_iter().filter(|check| !check.held);
            let why: Vec<String> =
                broken.take(1).map(|check| format!("{}: {}", check.name, check.why)).collect();
            return Err(wrong(format!("its own right answer does not pass: {}", why.join(""))));
        }
    }
    Ok(())
}
