//! Which builds each question is about. Owns the choice of pairs; never looks at a figure.

use crate::record::{Lineage, ModelRecord, ModelRole, Question};

/// A build counts as bigger from this many times the bytes on.
const BIGGER: f64 = 1.05;

/// One question about one pair, or why it cannot be asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked<'a> {
    pub(super) question: Question,
    pub(super) about: Result<(&'a ModelRecord, &'a ModelRecord), &'static str>,
}

/// The three questions, each once for every pair that it is about.
pub(super) fn asked(models: &[ModelRecord]) -> Vec<Asked<'_>> {
    [recipe(models), budget(models), ceiling(models)].concat()
}

fn of_lineage(models: &[ModelRecord], lineage: Lineage) -> Option<&ModelRecord> {
    models.iter().find(|model| model.lineage.contains(&lineage))
}

/// Builds that somebody would keep: no yardsticks and no controls.
fn keepable(models: &[ModelRecord]) -> Vec<&ModelRecord> {
    let is_control = |model: &ModelRecord| {
        let controls = [Lineage::Twin, Lineage::Naive];
        controls.iter().any(|lineage| model.lineage.contains(lineage))
            && !model.lineage.contains(&Lineage::Qat)
    };
    let is_kept = |model: &&ModelRecord| model.role == ModelRole::Candidate && !is_control(model);
    models.iter().filter(is_kept).collect()
}

fn refused(question: Question, why: &'static str) -> Vec<Asked<'static>> {
    vec![Asked { question, about: Err(why) }]
}

fn recipe(models: &[ModelRecord]) -> Vec<Asked<'_>> {
    let question = Question::Recipe;
    match (of_lineage(models, Lineage::Qat), of_lineage(models, Lineage::Twin)) {
        (Some(qat), Some(twin)) => vec![Asked { question, about: Ok((qat, twin)) }],
        (Some(_), None) => refused(
            question,
            "whether the training paid takes the QAT file's twin: `karat twin --like` makes it, --twin names it",
        ),
        (None, _) => {
            refused(question, "no file is named as quantization-aware (--qat FILE --twin FILE)")
        }
    }
}

fn budget(models: &[ModelRecord]) -> Vec<Asked<'_>> {
    let question = Question::Budget;
    let kept = keepable(models);
    // Not every server tells how large its model is.
    let sized = || kept.iter().copied().filter(|model| model.bytes > 0);
    let smallest = || sized().min_by_key(|model| model.bytes);
    let Some(small) = of_lineage(models, Lineage::Qat).or_else(smallest) else {
        return refused(question, "no build of known size is under test");
    };
    let is_bigger = |model: &&ModelRecord| model.bytes as f64 >= BIGGER * small.bytes as f64;
    let bigger: Vec<Asked<'_>> = sized()
        .filter(is_bigger)
        .map(|model| Asked { question, about: Ok((small, model)) })
        .collect();
    if bigger.is_empty() {
        return refused(question, "no bigger build to compare with, e.g. Q6_K or Q8_0");
    }
    bigger
}

fn ceiling(models: &[ModelRecord]) -> Vec<Asked<'_>> {
    let question = Question::Ceiling;
    let Some(original) = models.iter().find(|model| model.role == ModelRole::Reference) else {
        return refused(question, "the original is not in this run (--reference FILE)");
    };
    let kept = keepable(models).into_iter();
    kept.map(|build| Asked { question, about: Ok((build, original)) }).collect()
}
