//! Pairs that differ in more than one thing: what the answer on one is about cannot be told apart there.
//! Owns which things those are; judges no figure.

use crate::record::{Answer, Estimate, Finding, Instrument, Lineage, ModelRecord, Severity};

use super::table::Table;

/// One finding for each candidate and set of things that differ between it and builds that the answers
/// compare it with, where more than one does.
pub fn changed_at_once(
    models: &[ModelRecord],
    estimates: &[Estimate],
    answers: &[Answer],
) -> Vec<Finding> {
    let of = |name: &Option<String>| models.iter().find(|model| Some(&model.name) == name.as_ref());
    let mut found: Vec<(&ModelRecord, Vec<&'static str>, Vec<&str>)> = Vec::new();
    for answer in answers {
        let (Some(one), Some(other)) = (of(&answer.candidate), of(&answer.versus)) else {
            continue;
        };
        let things = differing(Table { rows: estimates }, one, other);
        if things.len() < 2 {
            continue;
        }
        let known = found.iter_mut().find(|(name, known, _)| *name == one && *known == things);
        match known {
            Some((.., others)) if others.contains(&other.name.as_str()) => {}
            Some((.., others)) => others.push(&other.name),
            None => found.push((one, things, vec![&other.name])),
        }
    }
    let told = found.iter().map(|(one, things, others)| Finding {
        severity: Severity::Warning,
        message: format!(
            "changed at once: {} differs from {} in {}; which of them a difference comes from cannot be \
             told from such a pair",
            one.name,
            listed(others),
            listed(things)
        ),
    });
    told.collect()
}

/// What differs between two builds besides their names.
fn differing(table: Table<'_>, one: &ModelRecord, other: &ModelRecord) -> Vec<&'static str> {
    let is_trained = |model: &ModelRecord| {
        [Lineage::Qat, Lineage::Naive].iter().any(|kind| model.lineage.contains(kind))
    };
    let known = |a: Option<bool>| a.unwrap_or(false);
    let types = (&one.tensor_types, &other.tensor_types);
    let templates = one.template_sha256.as_ref().zip(other.template_sha256.as_ref());
    let mut tasks = table.rows.iter().filter(|row| row.instrument == Instrument::Behaviour);
    let asked = tasks.clone().next().is_some();
    let is_own = |row: &Estimate| row.setting.get("sampling").is_some_and(|it| it == "recommended");
    let samplings = (&one.recommended_sampling, &other.recommended_sampling);
    let things = [
        ("training", is_trained(one) != is_trained(other)),
        ("tensor types", !types.0.is_empty() && !types.1.is_empty() && types.0 != types.1),
        ("chat template", asked && known(templates.map(|(a, b)| a != b))),
        ("sampling", tasks.any(is_own) && samplings.0 != samplings.1),
        ("the engine or server", runner(one) != runner(other)),
        ("KV cache type", kv_type(table, one) != kv_type(table, other)),
    ];
    things.into_iter().filter(|(_, differs)| *differs).map(|(thing, _)| thing).collect()
}

/// Who runs a model: the part of its name before the model's own, or nobody for a file.
fn runner(model: &ModelRecord) -> &str {
    let path = model.path.as_str();
    match path.split_once('#') {
        Some((server, _)) if server.starts_with("http") => server,
        _ if path.starts_with("ollama:") => "ollama",
        _ => "",
    }
}

/// The KV cache type that its texts were scored with, where it is not the usual one.
fn kv_type<'a>(table: Table<'a>, model: &'a ModelRecord) -> &'a str {
    table.form_of(&model.name).strip_prefix(&model.name).unwrap_or_default()
}

/// `a, b and c`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
