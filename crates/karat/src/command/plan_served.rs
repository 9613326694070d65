//! What servers say before a run is planned: what each has behind the name that was given, and how long
//! texts are to the first one. A server that does not answer now fails its step later; the others go on.

use super::backends::{Patient, server_now};
use crate::generation::{FailureKind, Terms};
use crate::instrument::behaviour::draw_served::{Drawn, draw_estimated, draw_served};
use crate::record::{Finding, Severity};
use crate::settings::{BehaviourSettings, ModelName};

/// What servers said.
#[derive(Default)]
pub(super) struct Said {
    /// Of each model, what it is; none for a file, and where the server does not answer or tells
    /// nothing but the name.
    pub(super) identities: Vec<Option<String>>,
    /// Bytes of each, where a server tells them.
    pub(super) bytes: Vec<Option<u64>>,
    /// What of it the reader has to know.
    pub(super) findings: Vec<Finding>,
    /// The tasks, where no file is there to count with.
    pub(super) drawn: Option<Drawn>,
}

/// What each server says its model is: `None` where it tells nothing but the name, or not now. Beside
/// it, of each that nobody listens at, what is to be done.
pub(super) fn identities(
    models: &[ModelName],
    patient: &Patient,
) -> anyhow::Result<(Vec<Option<String>>, Vec<String>)> {
    let (mut identities, mut absent) = (Vec::new(), Vec::new());
    for name in models {
        let identity = server_now(name, patient)?.map(|mut backend| backend.identify());
        if let Some(Err(failure)) = &identity
            && failure.kind == FailureKind::Unreachable
        {
            let said = &failure.message;
            absent.push(format!("{name}: {said}; start the server, or give its address"));
        }
        identities.push(identity.and_then(Result::ok).flatten());
    }
    Ok((identities, absent))
}

/// Asks every server. `terms`: on which a model may be asked how it counts; `None` where none may.
pub(super) fn ask_servers(
    settings: &BehaviourSettings,
    terms: Option<&Terms>,
) -> anyhow::Result<Said> {
    let patient = Patient {
        worker_timeout: settings.worker_timeout,
        answer_timeout: settings.answer_timeout,
    };
    let has_file = settings.models.iter().any(|model| matches!(model, ModelName::File(_)));
    let mut said = Said::default();
    for model in &settings.models {
        let Some(mut backend) = server_now(model, &patient)? else {
            said.identities.push(None);
            said.bytes.push(None);
            continue;
        };
        let identity = backend.identify();
        if !has_file && said.drawn.is_none() {
            let mut drawn = match &identity {
                Ok(_) => draw_served(&settings.suite, &mut *backend, terms)?,
                Err(failure) => draw_estimated(&settings.suite, &failure.message)?,
            };
            drawn.counting.message.insert_str(0, &format!("{model}: "));
            said.drawn = Some(drawn);
        }
        said.bytes.push(backend.bytes());
        if matches!(&identity, Err(failure) if failure.kind == FailureKind::Unreachable) {
            said.findings.push(Finding {
                severity: Severity::Warning,
                message: format!(
                    "{model} did not answer while the run was planned; it is waited for when its turn \
                     comes"
                ),
            });
        }
        said.identities.push(identity.ok().flatten());
    }
    Ok(said)
}
