//! What Ollama says of a model: its template, its parameters, whether and how it thinks.

use serde_json::{Value, json};

use crate::backend::Thinking;
use crate::backend::http::{Http, failure};
use crate::generation::{FailureKind, GenerationFailure};

/// What is said of one model.
#[derive(Clone, Debug, Default)]
pub(super) struct Show {
    /// Its template, in Go's language.
    pub template: Option<String>,
    /// Parameters that come with it.
    pub parameters: Option<String>,
    /// Its format, e.g. `Q4_K_M`.
    pub quantization: Option<String>,
    thinks: bool,
    /// Values of `think` that it knows, where Ollama lists them.
    levels: Option<Vec<Value>>,
}

impl Show {
    /// Asks.
    pub fn ask(http: &Http, model: &str) -> Result<Self, GenerationFailure> {
        let body = json!({ "model": model }).to_string();
        let show = http.post("/api/show", &body).map_err(|failure| match failure.kind {
            FailureKind::NoSuchModel => GenerationFailure {
                message: format!("{}; get it with `ollama pull {model}`", failure.message),
                ..failure
            },
            _ => failure,
        })?;
        let text = |key: &str| show[key].as_str().map(str::to_owned);
        let can = show["capabilities"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Self {
            template: text("template"),
            parameters: text("parameters").filter(|text| !text.trim().is_empty()),
            // Some versions say this of what they do not know.
            quantization: show["details"]["quantization_level"]
                .as_str()
                .filter(|level| !level.is_empty() && *level != "unknown")
                .map(str::to_owned),
            thinks: can.iter().any(|one| one == "thinking"),
            levels: show["thinking"]["values"].as_array().cloned(),
        })
    }

    /// Whether the model does what is asked about thinking. Ollama takes a value that a model does not
    /// know for its default, without a word; gives what cannot be verified of it.
    pub fn check_thinking(
        &self,
        model: &str,
        asked: &Thinking,
    ) -> Result<Option<String>, GenerationFailure> {
        let value = match asked {
            Thinking::Default => return Ok(None),
            Thinking::Off if !self.thinks => return Ok(None),
            Thinking::Off => Value::Bool(false),
            Thinking::On => Value::Bool(true),
            Thinking::Level(level) => Value::from(level.as_str()),
        };
        let refused = |message| Err(failure(FailureKind::NotAsAsked, message));
        if !self.thinks {
            return refused(format!(
                "Ollama says that `{model}` cannot think; ask for no thinking"
            ));
        }
        match &self.levels {
            // What a model does at its levels, it does when it is simply told to think.
            Some(levels) if levels.contains(&value) || *asked == Thinking::On => Ok(None),
            Some(levels) => refused(format!(
                "Ollama would take think = {value} for the default of `{model}`, which knows: {}",
                levels.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
            )),
            None if matches!(asked, Thinking::Level(_)) => Ok(Some(format!(
                "this Ollama does not list the thinking levels of `{model}`; that it knows {value} cannot \
                 be verified, and it would take an unknown one for the default"
            ))),
            None => Ok(None),
        }
    }
}

/// Parameters as Ollama prints them, one per line, on one line.
pub(super) fn one_line(parameters: &str) -> String {
    let lines =
        parameters.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
}
