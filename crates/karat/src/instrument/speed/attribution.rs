//! Whose the difference in speed is: the format's, the build's or the recipe's. Pure.
//!
//! A is the QAT file, T its twin (the original in exactly A's tensor types), B another build whose
//! main type is A's (other types elsewhere), O a build of another main type. Along the chain
//! A, T, B, O one thing changes at a time, and logarithms of ratios add up:
//! ln(A/O) = ln(A/T) recipe + ln(T/B) build + ln(B/O) format. Without B, T stands for the format with
//! A's own mix of types; without T, build and recipe are one step and cannot be separated.

use crate::record::{Lineage, ModelRecord};

/// One step of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Name of the row.
    pub(super) metric: &'static str,
    /// Name for people.
    pub(super) title: &'static str,
    /// Faster side as asked, an index of the plan's models.
    pub(super) one: usize,
    /// The other side.
    pub(super) other: usize,
}

/// A QAT file against a build of another format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribution {
    /// The QAT file.
    pub(super) qat: usize,
    /// The build of another format.
    pub(super) other: usize,
    /// The steps between them; empty where nothing lies between.
    pub(super) parts: Vec<Part>,
    /// Whether a twin separates build from recipe.
    pub(super) has_twin: bool,
}

/// Every question that the models of a plan ask: one for each build of another format.
/// `main_types`: the type that holds most of each one's weights.
pub(super) fn attributions(models: &[ModelRecord], main_types: &[&str]) -> Vec<Attribution> {
    let of = |lineage| models.iter().position(|model| model.lineage.contains(&lineage));
    let Some(qat) = of(Lineage::Qat) else { return Vec::new() };
    let twin = of(Lineage::Twin);
    let plain = |model: &usize| *model != qat && Some(*model) != twin;
    let others = || (0..models.len()).filter(plain);
    let build = others().find(|&model| main_types[model] == main_types[qat]);
    let formats = others().filter(|&model| main_types[model] != main_types[qat]);
    formats
        .map(|other| {
            let part = |metric, title, one, other| Part { metric, title, one, other };
            let parts = match (twin, build) {
                (Some(twin), Some(build)) => vec![
                    part("recipe_share", "recipe", qat, twin),
                    part("build_share", "build", twin, build),
                    part("format_share", "format", build, other),
                ],
                (Some(twin), None) => vec![
                    part("recipe_share", "recipe", qat, twin),
                    part("format_share", "format", twin, other),
                ],
                (None, Some(build)) => vec![
                    part("build_and_recipe_share", "build and recipe together", qat, build),
                    part("format_share", "format", build, other),
                ],
                (None, None) => Vec::new(),
            };
            Attribution { qat, other, parts, has_twin: twin.is_some() }
        })
        .collect()
}
