//! First names that are usual where the language is spoken.

use serde::Deserialize;
use serde_json::Value;

use super::{Generate, Means};

/// Names by language; the last list is for every other language.
const NAMES: &[(&str, &[&str])] = &[
    (
        "pl",
        &[
            "Agata", "Bartek", "Celina", "Darek", "Ewa", "Filip", "Hania", "Igor", "Kasia", "Leon",
            "Marta", "Olek", "Piotr", "Zofia",
        ],
    ),
    (
        "de",
        &[
            "Anja", "Bernd", "Clara", "Dirk", "Emma", "Felix", "Greta", "Jonas", "Katrin", "Lukas",
            "Mia", "Otto", "Paula", "Stefan",
        ],
    ),
    (
        "fr",
        &[
            "Adèle", "Bruno", "Camille", "Denis", "Élise", "Fabien", "Hélène", "Julien", "Léa",
            "Marc", "Noémie", "Paul", "Rémi", "Zoé",
        ],
    ),
    (
        "",
        &[
            "Alice", "Ben", "Clara", "Daniel", "Emma", "Frank", "Grace", "Henry", "Julia", "Kevin",
            "Laura", "Noah", "Olivia", "Sam",
        ],
    ),
];

/// `{ kind = "names", count = 2 }`: different names, in random order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    count: usize,
}

impl Generate for Names {
    fn generate(&self, means: &mut Means<'_>) -> Result<Value, String> {
        let known =
            NAMES.iter().find(|(language, _)| *language == means.language || language.is_empty());
        let names = known.map_or(&[][..], |(_, names)| names);
        if self.count > names.len() {
            return Err(format!("there are {} names, not {}", names.len(), self.count));
        }
        let order = means.draw.order(names.len());
        Ok(order.into_iter().take(self.count).map(|index| names[index]).collect())
    }
}
