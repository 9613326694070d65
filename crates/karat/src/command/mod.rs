//! Commands: each verb put together from plan, models, workers, store and report. The top of the
//! program; nothing names it but `main`.

mod backends;
mod behaviour_judge;
mod behaviour_run;
mod bench;
mod block_series;
mod build;
mod compare;
mod control_run;
mod demo;
mod document;
mod fidelity;
mod fidelity_group;
mod fidelity_run;
mod fidelity_step;
mod finding_lines;
mod fit;
mod inspect;
mod measure;
mod memory;
mod model_records;
mod plan_behaviour;
mod plan_control;
mod plan_fidelity;
mod plan_memory;
mod plan_served;
mod plan_speed;
mod probe;
mod recorded_run;
mod report;
mod runs;
mod sandbox;
mod speed_run;
mod stored_attempts;
mod survey;
mod whole_file;
mod worker;

use std::{io, process, thread};

use anyhow::Context as _;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::{Cli, ReportFormat, Verb};
use crate::exit::Exit;
use crate::record::RunDocument;
use crate::report::{ReportOptions, formats};
use crate::settings::Environment;
use crate::ui::Ui;

pub use sandbox::code_sandbox;

/// What every command gets.
pub struct Session {
    /// The process's surroundings.
    pub environment: Environment,
    /// The terminal.
    pub ui: Ui,
}

/// Runs a parsed command line.
pub fn run(cli: Cli) -> Exit {
    match cli.verb {
        Verb::Worker => return worker::run(),
        Verb::Sandbox => return sandbox::run(),
        _ => {}
    }
    let environment = match Environment::read(cli.home) {
        Ok(environment) => environment,
        Err(error) => {
            Ui::new(cli.color, false, cli.quiet).error(&error.to_string());
            return Exit::Error;
        }
    };
    let ui = Ui::new(cli.color, environment.no_color, cli.quiet);
    on_interrupt(ui);
    let session = Session { environment, ui };
    let outcome = match &cli.verb {
        Verb::Compare(args) => compare::run(&session, args),
        Verb::Bench(args) => bench::run(&session, args),
        Verb::Fidelity(args) => fidelity::run(&session, args),
        Verb::Inspect(args) => inspect::inspect(&session, args),
        Verb::Diff(args) => inspect::diff(&session, args),
        Verb::Memory(args) => memory::run(&session, args),
        Verb::Fit(args) => fit::run(&session, args),
        Verb::Probe(args) => probe::run(&session, args),
        Verb::Quantize(args) => build::quantize(&session, args),
        Verb::Twin(args) => build::twin(&session, args),
        Verb::Report(args) => report::run(&session, args),
        Verb::Runs => runs::run(&session),
        Verb::Demo(args) => demo::run(&session, args),
        Verb::Worker => Ok(worker::run()),
        Verb::Sandbox => Ok(sandbox::run()),
    };
    outcome.unwrap_or_else(|error| {
        ui.error(&one_line(&error));
        Exit::Error
    })
}

/// Says what became of the work when the user ends it. Workers end with this process, and clean up.
fn on_interrupt(ui: Ui) {
    // Where signals cannot be listened to, the system ends the program without a word.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            ui.end_progress();
            ui.note(
                "interrupted; whatever was measured is stored, and the same command goes on from \
                 there",
            );
            process::exit(Exit::Interrupted.code().into());
        }
    });
}

/// An error and its causes as one line. A cause that a message tells already is not told again.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !line.contains(&cause) {
            let gap = if line.is_empty() { "" } else { ": " };
            line = format!("{line}{gap}{cause}");
        }
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Renders a document in the form asked for.
fn render(document: &RunDocument, format: ReportFormat, color: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for form in formats(ReportOptions { color }) {
        if form.name() == format.name() {
            form.render(document, &mut bytes)?;
        }
    }
    Ok(bytes)
}

/// Prints a document to standard output; a page for a browser not to a terminal.
fn print(session: &Session, document: &RunDocument, format: ReportFormat) -> anyhow::Result<()> {
    if format == ReportFormat::Html && session.ui.prints_to_terminal() {
        session.ui.warn(&format!(
            "HTML is for a browser, so it is not printed here; `karat report {} --format html \
             --output report.html` writes it to a file",
            document.run.id
        ));
        return Ok(());
    }
    let bytes = render(document, format, session.ui.colors_output())?;
    session.ui.data(&bytes).context("cannot write to standard output")
}
