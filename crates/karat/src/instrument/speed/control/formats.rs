//! The format of a build as its server names it, for whose a difference is. Pure.

use crate::plan::ControlPlan;
use crate::record::{Finding, Lineage};

use super::super::attribution::{Attribution, attributions};
use super::super::conditions::note;

/// The type that holds most weights of a build that is named like this: `Q4_K` of `Q4_K_M`. The last
/// part of the name of a mix says how much of it is in larger types.
///
/// Names are those of llama.cpp's `llama_ftype`, e.g. `LLAMA_FTYPE_MOSTLY_Q4_K_M`.
fn main_type(name: &str) -> String {
    let name = name.to_uppercase();
    let mix = ["_XS", "_S", "_M", "_L", "_XL"].into_iter().find_map(|end| name.strip_suffix(end));
    match mix {
        Some(main) if main.ends_with("_K") => main.to_owned(),
        _ => name,
    }
}

/// Which differences can be told apart, and what is to be said of that. `named`: the format of each
/// model as its server names it.
pub(super) fn told_apart(
    plan: &ControlPlan,
    named: &[Option<&str>],
) -> (Vec<Attribution>, Option<Finding>) {
    if !plan.models.iter().any(|model| model.lineage.contains(&Lineage::Qat)) {
        return (Vec::new(), None);
    }
    let models = || plan.models.iter().zip(named);
    let unknown: Vec<&str> = models()
        .filter(|(_, named)| named.is_none())
        .map(|(model, _)| model.name.as_str())
        .collect();
    if !unknown.is_empty() {
        let message = format!(
            "format, build and recipe are not told apart: no server says in which format {} is; probe \
             the files for that",
            unknown.join(", ")
        );
        return (Vec::new(), Some(note(message)));
    }
    let main_types: Vec<String> = named.iter().flatten().map(|name| main_type(name)).collect();
    let main_types: Vec<&str> = main_types.iter().map(String::as_str).collect();
    let formats: Vec<String> = models()
        .map(|(model, named)| format!("{} {}", model.name, named.unwrap_or_default()))
        .collect();
    let message = format!(
        "formats are those that the server names ({}); tensor types, and so whether a twin is one, \
         cannot be seen over servers",
        formats.join(", ")
    );
    (attributions(&plan.models, &main_types), Some(note(message)))
}

#[cfg(test)]
mod tests {
    use super::main_type;

    #[test]
    fn a_mix_has_the_type_that_its_name_begins_with() {
        for (name, main) in [
            ("Q4_K_M", "Q4_K"),
            ("q5_k_s", "Q5_K"),
            ("Q2_K_XL", "Q2_K"),
            ("Q6_K", "Q6_K"),
            ("Q4_0", "Q4_0"),
            ("IQ3_M", "IQ3_M"),
            ("BF16", "BF16"),
        ] {
            assert_eq!(main_type(name), main);
        }
    }
}
