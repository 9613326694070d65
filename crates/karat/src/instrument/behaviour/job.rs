//! Behaviour jobs inside a worker: drawing tasks with a model's vocabulary, and one model's answers.

use karat_llama::{Model, ModelParams, Special, Threads};

use super::ask::{ask, terms_of, warm_up};
use super::draw::draw;
use crate::backend::embedded::EmbeddedParams;
use crate::backend::embedded_generate::EmbeddedGenerate;
use crate::backend::{BackendError, Generate as _};
use crate::generation::GenerationFailure;
use crate::settings::Kv;
use crate::task::TaskError;
use crate::worker::{Channel, DrawJob, DrawReply, GenerateJob, Message};

/// Batch sizes of the runners.
const N_BATCH: u32 = 2048;
const N_UBATCH: u32 = 512;

/// Why a job failed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The model or the engine.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The tasks.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The model cannot be asked as wanted.
    #[error(transparent)]
    NotReady(#[from] GenerationFailure),
}

/// Draws the tasks of a suite with the lengths that they have in a model's vocabulary.
pub fn draw_tasks(job: &DrawJob, channel: &Channel) -> Result<(), JobError> {
    let params = ModelParams { vocab_only: true, ..ModelParams::default() };
    let model = Model::load(&job.vocabulary, &params, |_| true).map_err(BackendError::from)?;
    let vocab = model.vocab();
    let count = |text: &str| {
        channel.alive();
        vocab.tokenize(text, false, Special::AsText).map_or(0, |tokens| tokens.len())
    };
    let (instances, prompt_tokens) = draw(&job.suite, &count)?.into_iter().unzip();
    channel.send(&Message::Drawn(DrawReply { instances, prompt_tokens }));
    Ok(())
}

/// Answers every turn with one model.
pub fn generate(job: &GenerateJob, channel: &Channel) -> Result<(), JobError> {
    let threads = Threads::new(job.n_threads).map_err(BackendError::from)?;
    let params = EmbeddedParams {
        n_ctx: job.terms.n_ctx,
        n_batch: N_BATCH.min(job.terms.n_ctx),
        n_ubatch: N_UBATCH.min(job.terms.n_ctx),
        kv: Kv::F16,
        gpu_layers: job.gpu_layers,
    };
    let alive = channel.clone();
    let mut backend = EmbeddedGenerate::load(&job.model, &params, &threads, move || alive.alive())?;
    channel.send(&Message::Ready(backend.get_ready(&job.terms)?));
    if let Some(first) = job.turns.first() {
        warm_up(&mut backend, &job.instances[first.instance], &job.terms);
    }
    for &turn in &job.turns {
        let instance = &job.instances[turn.instance];
        let terms = terms_of(&job.terms, instance, turn.repeat);
        let (reply, looped) =
            ask(&mut backend, instance, &terms, job.to_the_end, &|| channel.alive());
        channel.send(&Message::Answered { turn, reply, looped });
    }
    channel.send(&Message::Told(backend.finish()?));
    Ok(())
}
