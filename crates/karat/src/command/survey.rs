//! Asks a worker who the engine is, what devices it sees, and how many tokens texts have.

use std::time::Duration;

use anyhow::bail;

use super::Session;
use crate::worker::{FailureKind, Job, Message, Supervisor, SurveyJob, SurveyReply, WorkerError};

/// Runs the survey; a worker that fails says why in one line.
pub(super) fn survey(
    session: &Session,
    worker_timeout: Duration,
    job: SurveyJob,
) -> anyhow::Result<SurveyReply> {
    let supervisor =
        Supervisor { program: session.environment.program.clone(), silence: worker_timeout };
    let task = task(&job);
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
        (Err(WorkerError::Failed(failure)), _) => match &failure.kind {
            FailureKind::Reported { error, .. } => bail!("{error}"),
            _ if failure.log.is_empty() => bail!("{task}: {failure}"),
            _ => bail!("{task}: {failure}; {}", failure.log.join("; ")),
        },
        (Err(error), _) => Err(error.into()),
    }
}

/// What the worker is about to do, for the message should it die of it.
fn task(job: &SurveyJob) -> String {
    let texts: Vec<String> = job.texts.iter().map(|text| format!("`{}`", text.display())).collect();
    let what = if texts.is_empty() { "the vocabulary".to_owned() } else { texts.join(", ") };
    format!("while reading {what} with `{}`", job.model.display())
}

/// Refuses layers on a GPU that this build cannot see.
pub(super) fn check_gpu(gpu_layers: Option<u32>, reply: &SurveyReply) -> anyhow::Result<()> {
    if gpu_layers != Some(0) && reply.devices.is_empty() {
        bail!(
            "--gpu-layers: this build of karat sees no GPU; build it with --features cuda, metal or \
             vulkan, or leave the flag out"
        );
    }
    Ok(())
}
