//! What people see while karat works, and where results go. The only place that prints: data on
//! standard output, progress and diagnostics on standard error.

mod progress;

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

pub use progress::Progress;

use crate::visible::visible;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The terminal, as far as karat cares.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of a stream")]
pub struct Ui {
    quiet: bool,
    color_out: bool,
    color_err: bool,
    terminal: bool,
    terminal_out: bool,
}

impl Ui {
    /// `no_color`: the environment's wish; `quiet`: no progress and no remarks.
    pub fn new(choice: ColorChoice, no_color: bool, quiet: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let color = |is_terminal| match choice {
            ColorChoice::Auto => is_terminal && !no_color,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        Self {
            quiet,
            color_out: color(io::stdout().is_terminal()),
            color_err: color(terminal),
            terminal,
            terminal_out: io::stdout().is_terminal(),
        }
    }

    /// Whether standard output is to be coloured.
    pub fn colors_output(self) -> bool {
        self.color_out
    }

    /// Whether somebody reads standard output on a terminal.
    pub fn prints_to_terminal(self) -> bool {
        self.terminal_out
    }

    /// Data: standard output, as it is. A reader that went away (`| head`) is no error.
    pub fn data(self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// A remark on what is done.
    pub fn note(self, line: &str) {
        if !self.quiet {
            self.line("", Style::new(), line);
        }
    }

    /// Something the reader has to know, quiet or not.
    pub fn warn(self, line: &str) {
        self.line("warning: ", AnsiColor::Yellow.on_default().bold(), line);
    }

    /// Why nothing came of it.
    pub fn error(self, line: &str) {
        self.line("error: ", AnsiColor::Red.on_default().bold(), line);
    }

    /// A progress line for a step of `total` parts called `unit`.
    pub fn progress(self, title: &str, total: u64, unit: &'static str) -> Progress {
        Progress::new(title, total, unit, self.terminal && !self.quiet, self.quiet)
    }

    /// Leaves the line that a progress bar is drawn on.
    pub fn end_progress(self) {
        if self.terminal && !self.quiet {
            // Nobody can be told that standard error is gone.
            let _ = writeln!(io::stderr().lock());
        }
    }

    fn line(self, label: &str, style: Style, line: &str) {
        // File names and log lines come from outside.
        let line = visible(line);
        let mut err = io::stderr().lock();
        // Nobody can be told that standard error is gone.
        let _ = if self.color_err {
            writeln!(err, "{style}{label}{style:#}{line}")
        } else {
            writeln!(err, "{label}{line}")
        };
    }
}
