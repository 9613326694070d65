//! Makes the plan of a speed run over servers. They are asked what their models are, and nothing else.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::backends::Patient;
use super::block_series;
use super::plan_behaviour::{engine_of_servers, served};
use super::plan_served::identities;
use crate::clock;
use crate::instrument::speed::control::ask::COUNTING;
use crate::machine;
use crate::model::{served_names, text_names};
use crate::plan::{ControlPlan, ControlPrompt};
use crate::record::{Lineage, ModelRecord};
use crate::settings::{ControlSettings, ModelName};
use crate::store::Store;

/// A longer text is no prompt that builds complete alike, and fits no usual context.
const MOST_PROMPT_BYTES: u64 = 1 << 20;

/// The plan, which goes on with a run that was stopped; and what is to be done about each server that
/// nobody listens at.
pub(super) fn plan_control(
    store: &Store,
    settings: &ControlSettings,
) -> anyhow::Result<(ControlPlan, Vec<String>)> {
    let answer_timeout = settings.answer_timeout;
    let patient = Patient { worker_timeout: answer_timeout, answer_timeout };
    let prompt = prompt(settings.prompt.as_deref())?;
    let (served, absent) = identities(&settings.models, &patient)?;
    let names = served_names(&settings.models, &[]);
    let models = settings.models.iter().zip(names);
    let mut plan = ControlPlan {
        models: models.map(|(model, name)| describe(settings, model, &name)).collect(),
        served,
        prompt,
        max_tokens: settings.max_tokens,
        n_ctx: settings.n_ctx,
        loads_afresh: settings.models.iter().all(|name| matches!(name, ModelName::Ollama(_))),
        blocks: settings.blocks,
        seed: settings.seed,
        series: store.new_run_id(&clock::now())?,
        machine: machine::describe(Vec::new()),
        engine: engine_of_servers(),
    };
    if !settings.fresh
        && let Some(series) = block_series::unfinished(store, &plan)?
    {
        plan.series = series;
    }
    Ok((plan, absent))
}

/// What is sent: a file's text without white space around it, or the built-in prompt.
fn prompt(path: Option<&Path>) -> anyhow::Result<ControlPrompt> {
    let Some(path) = path else {
        let (name, text) = COUNTING;
        return Ok(ControlPrompt { name: name.to_owned(), text: text.to_owned() });
    };
    let shown = path.display();
    let cannot_read = || format!("cannot read text `{shown}`");
    let metadata = fs::metadata(path).with_context(cannot_read)?;
    if !metadata.is_file() {
        bail!("text `{shown}` is no regular file; save it to one first");
    }
    if metadata.len() > MOST_PROMPT_BYTES {
        bail!("--prompt `{shown}` has more than {MOST_PROMPT_BYTES} bytes; give a shorter text");
    }
    let text = String::from_utf8(fs::read(path).with_context(cannot_read)?)
        .with_context(|| format!("text `{shown}` is not UTF-8; convert it first"))?;
    let text = text.trim();
    if text.is_empty() {
        bail!("--prompt `{shown}` is empty; give a text that every build completes alike");
    }
    let name = text_names(&[path.to_owned()]).pop().unwrap_or_default();
    Ok(ControlPrompt { name, text: text.to_owned() })
}

/// A model, and what the user said it is.
fn describe(settings: &ControlSettings, model: &ModelName, name: &str) -> ModelRecord {
    let said = [(&settings.qat, Lineage::Qat), (&settings.twin, Lineage::Twin)];
    let is_it = |given: &Option<ModelName>| given.as_ref() == Some(model);
    let its = said.into_iter().filter(|(given, _)| is_it(given));
    ModelRecord { lineage: its.map(|(_, lineage)| lineage).collect(), ..served(model, name) }
}
