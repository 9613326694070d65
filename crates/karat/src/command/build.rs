//! `karat quantize` and `karat twin`: a worker makes the file, the parent watches.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;

use super::Session;
use crate::cli::{QuantizeArgs, TwinArgs};
use crate::clock::Stopwatch;
use crate::exit::Exit;
use crate::model::check_utf8;
use crate::units::{Bytes, Span};
use crate::worker::{FailureKind, Job, Message, Supervisor, WorkerError};

/// How the maker names a file that is not whole yet.
const PART: &str = ".part";

pub(super) fn quantize(session: &Session, args: &QuantizeArgs) -> anyhow::Result<Exit> {
    refuse_unspeakable([&args.input, &args.output].into_iter().chain(&args.imatrix))?;
    let job = Job::Quantize(args.job(session.environment.n_threads));
    build(session, &job, &args.output, args.worker_timeout)
}

pub(super) fn twin(session: &Session, args: &TwinArgs) -> anyhow::Result<Exit> {
    refuse_unspeakable(
        [&args.original, &args.like, &args.output].into_iter().chain(&args.imatrix),
    )?;
    let job = Job::Twin(args.job(session.environment.n_threads));
    build(session, &job, &args.output, args.worker_timeout)
}

/// Messages to a worker are text, so that its paths must be.
fn refuse_unspeakable<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> anyhow::Result<()> {
    paths.into_iter().try_for_each(|path| Ok(check_utf8(path)?))
}

/// Makes one file in a worker and says what came out.
pub(super) fn build(
    session: &Session,
    job: &Job,
    output: &Path,
    silence: Duration,
) -> anyhow::Result<Exit> {
    let name = output.file_name().unwrap_or(output.as_os_str()).to_string_lossy().into_owned();
    let watch = Stopwatch::start();
    let mut progress = session.ui.progress(&name, 0, "tensors");
    let mut closing = String::new();
    let mut remarks = Vec::new();
    let supervisor = Supervisor { program: session.environment.program.clone(), silence };
    let outcome = supervisor.run(job, |message| {
        match message {
            Message::Progress { done, total } => {
                progress.set_total(total);
                progress.set(done);
            }
            Message::Built { bytes, bits_per_weight, types, notes } => {
                let mix: Vec<String> =
                    types.iter().map(|(ty, count)| format!("{count} {ty}")).collect();
                closing = format!(
                    "{}, {bits_per_weight:.2} bits per weight ({}) in {}",
                    Bytes(bytes),
                    mix.join(", "),
                    Span(watch.elapsed())
                );
                remarks = notes;
            }
            _ => {}
        }
        Ok::<(), anyhow::Error>(())
    });
    match outcome {
        Ok(_) => {
            progress.finish(&closing);
            for remark in remarks {
                session.ui.note(&format!("  {remark}"));
            }
            Ok(Exit::Ok)
        }
        Err(WorkerError::Failed(failure)) => {
            progress.discard();
            // A worker that can still report has cleaned up after itself.
            if let FailureKind::Reported { error, .. } = failure.kind {
                bail!(error);
            }
            sweep(output);
            session.ui.error(&format!("{name}: {failure}; nothing was written"));
            for line in failure.log {
                session.ui.note(&format!("  {line}"));
            }
            Ok(Exit::StepsFailed)
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes what a worker that died, or is about to, left half-written beside `output`.
pub(super) fn sweep(output: &Path) {
    let (Some(folder), Some(name)) = (output.parent(), output.file_name()) else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let prefix = format!(".{}.", name.to_string_lossy());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.strip_prefix(&prefix).is_some_and(|rest| rest.ends_with(PART)) {
            // What cannot be removed is left for the user to see.
            let _ = fs::remove_file(entry.path());
        }
    }
}
