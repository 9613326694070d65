//! `karat worker`: the child's side. Does one job and says how it ended.

use std::path::PathBuf;

use karat_llama::{DeviceKind, EngineError, LogLevel};
use karat_quant::{
    FileTypeName, ImatrixChoice, QuantError, QuantizeReport, TensorTypeRule, TwinReport, parse_type,
};

use super::build;
use crate::exit::Exit;
use crate::instrument::behaviour;
use crate::instrument::fidelity::job::{self, JobError};
use crate::instrument::fidelity::text::Text;
use crate::instrument::memory;
use crate::instrument::speed;
use crate::machine;
use crate::record::EngineRecord;
use crate::ui::{ColorChoice, Ui};
use crate::worker::{Channel, Job, Message, QuantizeJob, Request, SurveyJob, SurveyReply, TwinJob};

/// Why a job failed, and whether its input is at fault.
struct JobFailure {
    error: String,
    model: Option<usize>,
    bad_input: bool,
}

impl From<JobError> for JobFailure {
    fn from(error: JobError) -> Self {
        let bad_input = matches!(
            error,
            JobError::Text { .. } | JobError::Line { .. } | JobError::Template { .. }
        );
        Self { error: error.to_string(), model: error.model(), bad_input }
    }
}

impl From<EngineError> for JobFailure {
    fn from(error: EngineError) -> Self {
        Self { error: error.to_string(), model: None, bad_input: false }
    }
}

impl From<behaviour::job::JobError> for JobFailure {
    fn from(error: behaviour::job::JobError) -> Self {
        let bad_input = matches!(error, behaviour::job::JobError::Task(_));
        Self { error: error.to_string(), model: None, bad_input }
    }
}

impl From<QuantError> for JobFailure {
    fn from(error: QuantError) -> Self {
        Self { error: error.to_string(), model: None, bad_input: true }
    }
}

pub(super) fn run() -> Exit {
    let (channel, Request { job, .. }) = match Channel::open() {
        Ok(opened) => opened,
        Err(error) => {
            Ui::new(ColorChoice::Never, true, true).error(&error.to_string());
            return Exit::Error;
        }
    };
    let half_written = output(&job);
    Channel::die_with_parent(move || {
        if let Some(half_written) = half_written {
            build::sweep(&half_written);
        }
    });
    let log = channel.clone();
    karat_llama::capture_logs(move |level, line| {
        if level >= LogLevel::Info {
            if let Some((done, total)) = karat_quant::parse_progress(line) {
                log.send(&Message::Progress { done: done.into(), total: total.into() });
            }
            log.send(&Message::Log { line: line.to_owned() });
        }
    });
    let outcome = match &job {
        Job::Survey(survey_job) => survey(survey_job, &channel),
        Job::Cut(cut) => job::cut(cut)
            .map(|windows| channel.send(&Message::Cut(windows)))
            .map_err(JobFailure::from),
        Job::Fidelity(fidelity) => job::run(fidelity, &channel).map_err(JobFailure::from),
        Job::Speed(speed_job) => speed::job::run(speed_job, &channel).map_err(JobFailure::from),
        Job::Sweep(sweep_job) => {
            speed::sweep::run(*sweep_job, &channel);
            Ok(())
        }
        Job::Quantize(quantize_job) => quantize(quantize_job, &channel),
        Job::Twin(twin_job) => twin(twin_job, &channel),
        Job::Memory(memory_job) => memory::job::run(memory_job, &channel).map_err(JobFailure::from),
        Job::Draw(draw) => behaviour::job::draw_tasks(draw, &channel).map_err(JobFailure::from),
        Job::Generate(job) => behaviour::job::generate(job, &channel).map_err(JobFailure::from),
    };
    match outcome {
        Ok(()) => {
            channel.send(&Message::Done { peak_memory_bytes: machine::peak_memory() });
            Exit::Ok
        }
        Err(JobFailure { error, model, bad_input }) => {
            channel.send(&Message::Failed { error, model, bad_input });
            Exit::Error
        }
    }
}

/// The file that a job makes; half-written, it is removed where the job will not end.
fn output(job: &Job) -> Option<PathBuf> {
    match job {
        Job::Quantize(QuantizeJob { output, .. }) | Job::Twin(TwinJob { output, .. }) => {
            Some(output.clone())
        }
        Job::Survey(_)
        | Job::Cut(_)
        | Job::Fidelity(_)
        | Job::Speed(_)
        | Job::Sweep(_)
        | Job::Memory(_)
        | Job::Draw(_)
        | Job::Generate(_) => None,
    }
}

fn survey(job: &SurveyJob, channel: &Channel) -> Result<(), JobFailure> {
    let identity = karat_llama::identity();
    let devices = karat_llama::devices()
        .into_iter()
        .filter(|device| device.kind != DeviceKind::Cpu)
        .map(|device| format!("{} ({})", device.name, device.description))
        .collect();
    // Who asks only for the engine may have a model that the engine does not know.
    let texts = if job.texts.is_empty() {
        Vec::new()
    } else {
        let vocab = job::vocabulary(&job.model)?;
        let read = |path: &PathBuf| {
            Text::read(&vocab, &job.model, path, &job.ruler)
                .map(|text| text.survey(job.most_windows))
        };
        job.texts.iter().map(read).collect::<Result<Vec<_>, JobError>>()?
    };
    let engine = EngineRecord {
        crate_version: identity.crate_version,
        tree_sha256: identity.tree_sha256,
        system_info: identity.system_info,
    };
    channel.send(&Message::Survey(SurveyReply { engine, devices, texts }));
    Ok(())
}

fn quantize(job: &QuantizeJob, channel: &Channel) -> Result<(), JobFailure> {
    let file_type = FileTypeName::parse(&job.file_type)?;
    let mut made = karat_quant::QuantizeJob::new(&job.input, &job.output, file_type);
    made.imatrix = job.imatrix.as_ref().map(ImatrixChoice::new);
    made.pure = job.pure;
    made.tensor_types = job
        .tensor_types
        .iter()
        .map(|item| TensorTypeRule::parse(item))
        .collect::<Result<_, _>>()?;
    let parse = |name: &Option<String>| name.as_deref().map(parse_type).transpose();
    made.token_embedding_type = parse(&job.token_embedding_type)?;
    made.output_type = parse(&job.output_type)?;
    made.leave_output = job.leave_output;
    made.allow_requantize = job.allow_requantize;
    made.overwrite = job.overwrite;
    made.n_threads = job.n_threads;
    let report = karat_quant::quantize(&made)?;
    channel.send(&built(&report, Vec::new()));
    Ok(())
}

fn twin(job: &TwinJob, channel: &Channel) -> Result<(), JobFailure> {
    let mut made = karat_quant::TwinJob::new(&job.like, &job.original, &job.output);
    made.imatrix = job.imatrix.as_ref().map(ImatrixChoice::new);
    made.overwrite = job.overwrite;
    made.n_threads = job.n_threads;
    let TwinReport { build, n_matched, unmatched } = karat_quant::twin(&made)?;
    let mut notes = vec![format!(
        "{n_matched} of {} tensors have the wanted type",
        n_matched + unmatched.len()
    )];
    notes.extend(unmatched.iter().map(ToString::to_string));
    channel.send(&built(&build, notes));
    Ok(())
}

fn built(report: &QuantizeReport, notes: Vec<String>) -> Message {
    Message::Built {
        bytes: report.bytes_out,
        bits_per_weight: report.bits_per_weight,
        types: report.types.iter().map(|ty| (ty.ty.to_string(), ty.n_tensors as u64)).collect(),
        notes,
    }
}
