//! Who is loaded in Ollama. Owns that one model is there at a time, with the context that was asked for.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::backend::http::{Http, failure};
use crate::clock::Stopwatch;
use crate::generation::{FailureKind, GenerationFailure};

use super::body::KEEP_ALIVE;

/// Time for a model to be unloaded.
const UNLOADING: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// A model that is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Resident {
    name: String,
    /// Bytes it takes.
    pub size: Option<u64>,
    /// Of them, on a GPU.
    pub size_vram: Option<u64>,
    /// Tokens of its context. Older versions do not tell.
    pub context_length: Option<u32>,
}

/// Who is loaded in one server.
pub(super) struct Residents<'h> {
    http: &'h Http,
}

impl<'h> Residents<'h> {
    pub fn of(http: &'h Http) -> Self {
        Self { http }
    }

    /// Unloads every other model, and this one where it has another context; their names.
    pub fn make_room(&self, model: &str, n_ctx: u32) -> Result<Vec<String>, GenerationFailure> {
        self.unload_but(|resident| {
            is_same(&resident.name, model) && resident.context_length == Some(n_ctx)
        })
    }

    /// Unloads every model; their names.
    pub fn unload_all(&self) -> Result<Vec<String>, GenerationFailure> {
        self.unload_but(|_| false)
    }

    fn unload_but(
        &self,
        is_welcome: impl Fn(&Resident) -> bool,
    ) -> Result<Vec<String>, GenerationFailure> {
        let mut leaving = self.now()?;
        leaving.retain(|resident| !is_welcome(resident));
        for resident in &leaving {
            self.unload(&resident.name)?;
        }
        let left = self.wait_until(|now| now.iter().all(&is_welcome))?;
        if let Some(stays) = left.iter().find(|resident| !is_welcome(resident)) {
            let message = format!(
                "Ollama keeps `{}` loaded although it was asked to unload it; one model at a time is \
                 measured (is somebody else using this server?)",
                stays.name
            );
            return Err(failure(FailureKind::NotAsAsked, message));
        }
        Ok(leaving.into_iter().map(|resident| resident.name).collect())
    }

    /// Loads the model with this context, and looks whether that is what happened.
    pub fn load(&self, model: &str, n_ctx: u32) -> Result<Resident, GenerationFailure> {
        let body = json!({
            "model": model, "stream": false, "keep_alive": KEEP_ALIVE,
            "options": { "num_ctx": n_ctx },
        });
        self.http.post("/api/generate", &body.to_string())?;
        let now = self.now()?;
        let not_as_asked = |message| Err(failure(FailureKind::NotAsAsked, message));
        if let Some(other) = now.iter().find(|resident| !is_same(&resident.name, model)) {
            return not_as_asked(format!("`{}` is loaded beside `{model}`", other.name));
        }
        let Some(resident) = now.into_iter().next() else {
            return not_as_asked(format!("Ollama loaded `{model}`, and it is not there any more"));
        };
        match resident.context_length {
            Some(got) if got != n_ctx => not_as_asked(format!(
                "Ollama runs `{model}` with a context of {got} tokens, {n_ctx} were asked for"
            )),
            _ => Ok(resident),
        }
    }

    /// Unloads the model; what was not as it should have been until then, and now.
    pub fn leave(&self, model: &str, n_ctx: u32) -> Result<Vec<String>, GenerationFailure> {
        let mut told = Vec::new();
        for resident in self.now()? {
            if !is_same(&resident.name, model) {
                told.push(format!("at the end `{}` was loaded beside `{model}`", resident.name));
            } else if resident.context_length.is_some_and(|got| got != n_ctx) {
                told.push(format!("at the end `{model}` had another context than at the start"));
            }
        }
        self.unload(model)?;
        let left = self.wait_until(|now| !now.iter().any(|one| is_same(&one.name, model)))?;
        if left.iter().any(|resident| is_same(&resident.name, model)) {
            told.push(format!(
                "Ollama still has `{model}` loaded although it was asked to unload it"
            ));
        }
        Ok(told)
    }

    fn unload(&self, model: &str) -> Result<(), GenerationFailure> {
        let body = json!({ "model": model, "stream": false, "keep_alive": 0 });
        self.http.post("/api/generate", &body.to_string())?;
        Ok(())
    }

    /// Looks until it is so, or for long enough; who is there in the end.
    fn wait_until(
        &self,
        is_so: impl Fn(&[Resident]) -> bool,
    ) -> Result<Vec<Resident>, GenerationFailure> {
        let waiting = Stopwatch::start();
        let longest = UNLOADING.min(self.http.patience().loading);
        loop {
            let now = self.now()?;
            if is_so(&now) || waiting.elapsed() > longest {
                return Ok(now);
            }
            thread::sleep(PAUSE);
        }
    }

    fn now(&self) -> Result<Vec<Resident>, GenerationFailure> {
        let ps = self.http.get("/api/ps")?;
        let models = ps["models"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(models.iter().map(resident).collect())
    }
}

/// Whether an entry of one of Ollama's lists is of the model of that name.
pub(super) fn is_of(entry: &Value, model: &str) -> bool {
    is_same(name(entry), model)
}

fn name(entry: &Value) -> &str {
    entry["name"].as_str().or_else(|| entry["model"].as_str()).unwrap_or_default()
}

fn resident(entry: &Value) -> Resident {
    Resident {
        name: name(entry).to_owned(),
        size: entry["size"].as_u64(),
        size_vram: entry["size_vram"].as_u64(),
        // Some versions say 0 for what they do not know.
        context_length: entry["context_length"]
            .as_u64()
            .filter(|&tokens| tokens > 0)
            .and_then(|tokens| tokens.try_into().ok()),
    }
}

/// Whether two names are of one model: the tag `latest` may be left out, and case does not count.
fn is_same(one: &str, other: &str) -> bool {
    let whole = |name: &str| {
        let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
        let tag = if has_tag { "" } else { ":latest" };
        format!("{name}{tag}").to_lowercase()
    };
    whole(one) == whole(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_tag_is_the_latest() {
        assert!(is_same("gemma3", "gemma3:latest"));
        assert!(is_same("hf.co/Org/Repo:q4_0", "hf.co/org/repo:Q4_0"));
        assert!(!is_same("gemma3:12b", "gemma3"));
        assert!(!is_same("host:5000/gemma3", "host:5000/gemma3:4b"));
    }

    #[test]
    fn a_context_of_nothing_is_unknown() {
        assert_eq!(resident(&json!({"name": "m", "context_length": 0})).context_length, None);
        assert_eq!(resident(&json!({"name": "m", "context_length": 64})).context_length, Some(64));
    }
}
