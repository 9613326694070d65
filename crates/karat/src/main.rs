//! The binary: parses the command line and leaves the rest to the library.

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use karat::cli::Cli;
use karat::command;
use karat::exit::Exit;
use karat::ui::{ColorChoice, Ui};

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => ExitCode::from(command::run(cli).code()),
        Err(error) => usage(&error),
    }
}

/// Help goes out as it is; a mistake is one line.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        // A reader that went away is no error.
        let _ = error.print();
        return ExitCode::from(if error.use_stderr() { Exit::Error.code() } else { 0 });
    }
    let text = error.to_string();
    let said = text.split("\n\nUsage:").next().unwrap_or(&text);
    let said = said.split("\n\nFor more information").next().unwrap_or(said);
    let said = said.replace("\n\n  tip:", "; tip:");
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    Ui::new(ColorChoice::Auto, true, false).error(&format!("{line} (see --help)"));
    ExitCode::from(Exit::Error.code())
}
