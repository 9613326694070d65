//! Backends by the names that users give them.

use std::time::Duration;

use crate::backend::ollama::Ollama;
use crate::backend::openai::OpenAi;
use crate::backend::{Patience, Served};
use crate::generation::{FailureKind, GenerationFailure};
use crate::settings::{ModelName, Servers};

/// For a server that is not there yet, or is still loading: nobody wants to wait longer for one that is
/// not there at all.
const LOADING: Duration = Duration::from_mins(1);

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patient {
    /// A worker that says nothing for this long hangs.
    pub(super) worker_timeout: Duration,
    /// The longest that a server may take for one answer.
    pub(super) answer_timeout: Duration,
}

/// The backend of a model on a server; none for a file.
pub(super) fn server(
    name: &ModelName,
    patient: &Patient,
) -> anyhow::Result<Option<Box<dyn Served>>> {
    backend(name, patient, LOADING, |ollama| ollama)
}

/// The same for questions while a run is planned: one that nobody listens at is not waited for.
pub(super) fn server_now(
    name: &ModelName,
    patient: &Patient,
) -> anyhow::Result<Option<Box<dyn Served>>> {
    backend(name, patient, Duration::ZERO, |ollama| ollama)
}

/// The same, where loading is ours to do loaded anew each time that it gets ready.
pub(super) fn fresh_server(
    name: &ModelName,
    patient: &Patient,
) -> anyhow::Result<Option<Box<dyn Served>>> {
    backend(name, patient, LOADING, Ollama::afresh)
}

/// That the server still has the model that the run was planned for.
pub(super) fn check_identity(
    backend: &mut dyn Served,
    planned: Option<&str>,
) -> Result<(), GenerationFailure> {
    let now = backend.identify()?;
    if now.as_deref() == planned {
        return Ok(());
    }
    Err(GenerationFailure {
        kind: FailureKind::NotAsAsked,
        message: format!(
            "the server says of the model: {}; when the run was planned it said: {}; the same command \
             again begins a new series",
            now.as_deref().unwrap_or("nothing"),
            planned.unwrap_or("nothing")
        ),
        partial: None,
    })
}

fn backend(
    name: &ModelName,
    patient: &Patient,
    absent: Duration,
    loading: impl Fn(Ollama) -> Ollama,
) -> anyhow::Result<Option<Box<dyn Served>>> {
    let servers = Servers::read()?;
    let patience = Patience {
        first_byte: patient.answer_timeout,
        total: patient.answer_timeout,
        loading: LOADING.min(patient.answer_timeout),
        absent,
        ..Patience::default()
    };
    Ok(match name {
        ModelName::File(_) => None,
        ModelName::Ollama(model) => {
            let ollama = Ollama::new(&servers.ollama, model, servers.api_key, patience);
            Some(Box::new(loading(ollama)))
        }
        ModelName::OpenAi { base, model } => {
            Some(Box::new(OpenAi::new(base, model, servers.api_key, patience)))
        }
    })
}
