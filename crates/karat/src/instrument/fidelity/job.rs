//! The fidelity jobs of workers: one cuts windows out of a text, others load the models and send
//! windows as they are scored.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use karat_llama::{EngineError, Model, ModelParams, Threads, Vocab};

use super::pass::{Pass, PassError, WindowScores};
use super::text::Text;
use super::token_text::describe;
use super::window::Window;
use crate::backend::embedded::EmbeddedParams;
use crate::backend::embedded_logits::{EmbeddedLogits, Vocabulary};
use crate::backend::{BackendError, Logits};
use crate::machine;
use crate::metric::kernel::Kernel;
use crate::plan::{Part, TrackOf};
use crate::settings::RulerSpec;
use crate::units::count;
use crate::worker::{Channel, CutJob, CutWindow, FidelityJob, Load, Message, ScoredTrack};

/// Why a job stopped.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// A model could not be loaded.
    #[error("{source}")]
    Load {
        /// Index into the job's models.
        model: usize,
        /// Why.
        source: BackendError,
    },
    /// The engine failed apart from any model.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A window could not be scored.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// The text cannot be read.
    #[error("cannot read text `{}`: {reason}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A line of a file of conversations is none, or gives nothing to score.
    #[error("`{}` line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A model's chat template is missing or broken.
    #[error("`{}`: {reason}", model.display())]
    Template {
        /// The model.
        model: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A window beyond the end of the text was asked for.
    #[error(
        "text has {}, window {want} was asked for: it changed while karat ran",
        count(*got as u64, "window")
    )]
    NoWindow {
        /// Windows in the text.
        got: usize,
        /// Index asked for.
        want: u32,
    },
}

impl JobError {
    /// The model to blame, where one is.
    pub fn model(&self) -> Option<usize> {
        match self {
            Self::Load { model, .. }
            | Self::Pass(PassError::Backend { model, .. } | PassError::Row { model, .. }) => {
                Some(*model)
            }
            Self::Engine(_)
            | Self::Text { .. }
            | Self::Line { .. }
            | Self::Template { .. }
            | Self::NoWindow { .. } => None,
        }
    }
}

/// Cuts windows out of a text.
pub fn cut(job: &CutJob) -> Result<Vec<CutWindow>, JobError> {
    let vocab = vocabulary(&job.vocabulary)?;
    let text = Text::read(&vocab, &job.vocabulary, &job.text, &job.ruler)?;
    let cut = |&window_idx: &u32| {
        let window = text.window(window_idx as usize, job.part);
        let none = JobError::NoWindow { got: text.n_windows(), want: window_idx };
        window.map(|window| window.cut(window_idx)).ok_or(none)
    };
    job.windows.iter().map(cut).collect()
}

/// Runs a job to its end; every finished window is sent at once.
pub fn run(job: &FidelityJob, channel: &Channel) -> Result<(), JobError> {
    let threads = Threads::new(job.n_threads)?;
    let mut models = load_models(job, &threads, channel)?;
    let vocab = match models.iter().find_map(EmbeddedLogits::vocab) {
        Some(vocab) => vocab.clone(),
        None => vocabulary(&job.vocabulary)?,
    };
    let mut second_lane = second_lane(job, &models, &threads, channel);
    let mut pass =
        Pass::new(as_logits(&mut models), job.own.clone(), job.pairs.clone(), Kernel::detect())
            .with_worst(&job.worst)
            .with_threads(job.n_threads as usize);
    if let Some(models) = &mut second_lane {
        pass = pass.with_lane(as_logits(models));
    }
    let working = |model| channel.send(&Message::Working { model });
    pass.score_all(job.windows.iter().map(Window::from), working, |nth, scores| {
        let cut = &job.windows[nth];
        let tracks = encode(job, &vocab, &Window::from(cut), &scores);
        if let Some(bytes) = machine::peak_memory() {
            channel.send(&Message::Peak { bytes });
        }
        channel.send(&Message::Window { window_idx: cut.window_idx, tracks });
    })?;
    Ok(())
}

fn as_logits(models: &mut [EmbeddedLogits]) -> Vec<&mut dyn Logits> {
    models.iter_mut().map(|model| model as &mut dyn Logits).collect()
}

/// A context per member; members of one file share its weights.
fn load_models(
    job: &FidelityJob,
    threads: &Threads,
    channel: &Channel,
) -> Result<Vec<EmbeddedLogits>, JobError> {
    let mut models: Vec<EmbeddedLogits> = Vec::with_capacity(job.members.len());
    for (model, load) in job.members.iter().enumerate() {
        channel.send(&Message::Working { model });
        let heart = channel.clone();
        let (path, params, alive) = (&load.path, params(job, load), move || heart.alive());
        let loaded = match job.members[..model].iter().position(|other| other.path == *path) {
            Some(other) => models[other].beside(&params, threads, alive),
            None if *path == job.vocabulary => {
                EmbeddedLogits::load(path, &params, threads, Vocabulary::Whole, alive)
            }
            None => EmbeddedLogits::load(path, &params, threads, Vocabulary::Size, alive),
        };
        models.push(loaded.map_err(|source| JobError::Load { model, source })?);
    }
    Ok(models)
}

/// One more context of every model, where a GPU computes and the host would only wait for it. Where
/// memory is too short for that, the pass does without, a little slower.
fn second_lane(
    job: &FidelityJob,
    models: &[EmbeddedLogits],
    threads: &Threads,
    channel: &Channel,
) -> Option<Vec<EmbeddedLogits>> {
    if job.ruler.gpu_layers == Some(0) || job.windows.len() < 2 {
        return None;
    }
    let beside = |(model, load): (&EmbeddedLogits, &Load)| {
        let heart = channel.clone();
        model.beside(&params(job, load), threads, move || heart.alive()).ok()
    };
    models.iter().zip(&job.members).map(beside).collect()
}

fn params(job: &FidelityJob, load: &Load) -> EmbeddedParams {
    let RulerSpec { n_ctx, n_ubatch: n_batch, gpu_layers, .. } = job.ruler;
    EmbeddedParams { n_ctx, n_batch, n_ubatch: load.n_ubatch, kv: load.kv, gpu_layers }
}

/// The vocabulary of a model file, without its weights.
pub fn vocabulary(path: &Path) -> Result<Vocab, JobError> {
    let params = ModelParams { vocab_only: true, ..ModelParams::default() };
    Ok(Model::load(path, &params, |_| true)?.vocab())
}

fn encode(
    job: &FidelityJob,
    vocab: &Vocab,
    window: &Window<'_>,
    scores: &WindowScores,
) -> Vec<ScoredTrack> {
    let own = job.own.iter().zip(&scores.own).map(|(&model, scores)| ScoredTrack {
        of: match job.part {
            Part::FirstHalf => TrackOf::OwnFirstHalf(model),
            Part::SecondHalf => TrackOf::Own(model),
        },
        data: BASE64.encode(scores.encode()),
        worst: None,
    });
    let mut tracks: Vec<ScoredTrack> = own.collect();
    for (index, &pair) in job.pairs.iter().enumerate() {
        let positions = job.worst.contains(&index).then(|| scores.worst[index].positions());
        let describe = |position| describe(vocab, window, position);
        tracks.push(ScoredTrack {
            of: match job.part {
                Part::FirstHalf => TrackOf::PairFirstHalf(pair),
                Part::SecondHalf => TrackOf::Pair(pair),
            },
            data: BASE64.encode(scores.pairs[index].encode()),
            worst: positions.map(|positions| positions.iter().map(describe).collect()),
        });
    }
    tracks
}
