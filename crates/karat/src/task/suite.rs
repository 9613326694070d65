//! Suites: which instances of which families are asked.

use super::instance::{Drawing, Instance};
use super::{Family, TaskError, bundled};

/// The families of the quick suite, in its order.
const QUICK: [&str; 6] = [
    "code_from_spec",
    "strict_json",
    "multilingual",
    "constraint_conflict",
    "exact_arithmetic",
    "long_context_recall",
];

/// A choice of instances.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Its name for reports: `quick`, `full` or what its maker calls it.
    pub name: String,
    parts: Vec<Part>,
}

/// Instances of one language of one family.
#[derive(Clone, Debug)]
struct Part {
    family: Family,
    language: String,
    n: usize,
}

impl Suite {
    /// Six families, one instance of each, in the first language of its file.
    pub fn quick() -> Result<Self, TaskError> {
        let families = bundled()?;
        let part = |name: &str| {
            let family = find(&families, name)?.clone();
            let language = family.languages.first().cloned().unwrap_or_default();
            Ok(Part { family, language, n: 1 })
        };
        Ok(Self {
            name: "quick".to_owned(),
            parts: QUICK.into_iter().map(part).collect::<Result<_, _>>()?,
        })
    }

    /// Every bundled family in every language, as many instances as its file says.
    pub fn full() -> Result<Self, TaskError> {
        Ok(Self::of("full", bundled()?))
    }

    /// Every family of a list in every language, as many instances as its file says.
    pub fn of(name: &str, families: Vec<Family>) -> Self {
        let mut parts = Vec::new();
        for family in families {
            for language in &family.languages {
                let (language, n) = (language.clone(), family.instances);
                parts.push(Part { family: family.clone(), language, n });
            }
        }
        Self { name: name.to_owned(), parts }
    }

    /// Only the families named, each once, in that order.
    pub fn only(self, names: &[String]) -> Result<Self, TaskError> {
        let families: Vec<Family> = self.parts.iter().map(|part| part.family.clone()).collect();
        let mut parts = Vec::new();
        for (index, name) in names.iter().enumerate() {
            find(&families, name)?;
            if names[..index].contains(name) {
                continue;
            }
            parts.extend(self.parts.iter().filter(|part| part.family.name == *name).cloned());
        }
        Ok(Self { name: self.name, parts })
    }

    /// The families, each once.
    pub fn families(&self) -> Vec<&Family> {
        let mut families: Vec<&Family> = Vec::new();
        for Part { family, .. } in &self.parts {
            if !families.iter().any(|known| known.name == family.name) {
                families.push(family);
            }
        }
        families
    }

    /// The instances, family by family. Their number does not depend on the seed or the model.
    pub fn instances(&self, drawing: Drawing<'_>) -> Result<Vec<Instance>, TaskError> {
        let mut instances = Vec::with_capacity(self.n_instances());
        for Part { family, language, n } in &self.parts {
            instances.extend(family.instances(language, *n, drawing)?);
        }
        Ok(instances)
    }

    /// How many there are.
    pub fn n_instances(&self) -> usize {
        self.parts.iter().map(|part| part.n).sum()
    }
}

fn find<'a>(families: &'a [Family], name: &str) -> Result<&'a Family, TaskError> {
    families.iter().find(|family| family.name == name).ok_or_else(|| {
        let mut known: Vec<&str> = families.iter().map(|family| family.name.as_str()).collect();
        known.dedup();
        TaskError::Unknown { name: name.to_owned(), known: known.join(", ") }
    })
}
