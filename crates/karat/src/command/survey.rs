//! Asks a worker who the engine is, which devices it sees, and how many tokens texts have.

use std::time::Duration;

use anyhow::bail;

use super::Session;
use crate::worker::{FailureKind, Job, Message, Supervisor, SurveyJob, SurveyReply, WorkerError};

pub(super) fn survey(
    session: &Session,
    silence: Duration,
    job: SurveyJob,
) -> anyhow::Result<SurveyReply> {
    let supervisor = Supervisor { program: session.environment.program.clone(), silence };
    let mut reply = None;
    let outcome = supervisor.run(&Job::Survey(job), |message| {
        if let Message::Survey(survey) = message {
            reply = Some(survey);
        }
        Ok::<(), anyhow::Error>(())
    });
    match (outcome, reply) {
        (Ok(_), Some(reply)) => Ok(reply),
        (Ok(_), None) => bail!("the worker gave no answer"),
        (Err(WorkerError::Failed(failure)), _) => match failure.kind {
            FailureKind::Reported { error, .. } => bail!(error),
            kind if failure.log.is_empty() => bail!("{kind}"),
            kind => bail!("{kind}; {}", failure.log.join("; ")),
        },
        (Err(error), _) => Err(error.into()),
    }
}
