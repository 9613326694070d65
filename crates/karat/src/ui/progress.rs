//! One line per step: how much is done, how fast, how long it will take, and what it shows so far.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::clock::Stopwatch;
use crate::units::Span;
use crate::visible::visible;

/// Without a terminal a line is printed at most this often.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// The progress of one step.
pub struct Progress {
    bar: ProgressBar,
    title: String,
    unit: &'static str,
    total: u64,
    done: u64,
    /// Done before this step began: no part of its rate.
    before: u64,
    begun: Stopwatch,
    // Plain lines, where there is no terminal to redraw.
    last_plain: Option<Stopwatch>,
}

impl Progress {
    pub(super) fn new(
        title: &str,
        total: u64,
        unit: &'static str,
        redraw: bool,
        quiet: bool,
    ) -> Self {
        let target =
            if redraw { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        // The template is a constant; a wrong one shows itself as the default style.
        if let Ok(style) = ProgressStyle::with_template(&format!(
            "{{prefix}} {{bar:24}} {{pos}}/{{len}} {unit} · {{per_sec}} · {{eta}} left  {{msg}}"
        )) {
            bar.set_style(
                style
                    .with_key(
                        "per_sec",
                        |state: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
                            let _ = write!(w, "{:.1}/s", state.per_sec());
                        },
                    )
                    .progress_chars("━━─"),
            );
        }
        let title = visible(title);
        bar.set_prefix(title.clone());
        if redraw {
            bar.enable_steady_tick(Duration::from_millis(500));
        }
        let plain = !redraw && !quiet;
        Self {
            bar,
            title,
            unit,
            total,
            done: 0,
            before: 0,
            begun: Stopwatch::start(),
            last_plain: plain.then(Stopwatch::start),
        }
    }

    /// `done` parts were done before: they count as done and not as fast.
    pub fn resume_at(&mut self, done: u64) {
        (self.done, self.before) = (done, done);
        self.begun = Stopwatch::start();
        self.bar.set_position(done);
        self.bar.reset_eta();
    }

    /// `n` more parts are done.
    pub fn advance(&mut self, n: u64) {
        self.set(self.done + n);
    }

    /// `done` parts are done.
    pub fn set(&mut self, done: u64) {
        self.done = done;
        self.bar.set_position(done);
        let due = self.last_plain.is_some_and(|last| last.elapsed() >= PLAIN_EVERY);
        if due && done < self.total {
            self.last_plain = Some(Stopwatch::start());
            let spent = self.begun.elapsed().as_secs_f64();
            let rate = (done - self.before) as f64 / spent;
            let left = (self.total - done) as f64 / rate;
            let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
            let Self { title, unit, total, .. } = self;
            let span = Span(left);
            plain(&format!("{title}: {done}/{total} {unit}, {rate:.1}/s, {span} left"));
        }
    }

    /// The number of parts is known now.
    pub fn set_total(&mut self, total: u64) {
        self.total = total;
        self.bar.set_length(total);
    }

    /// What the step shows so far.
    pub fn show(&self, so_far: &str) {
        self.bar.set_message(visible(so_far));
    }

    /// The step is over and leaves no line.
    pub fn discard(self) {
        self.bar.finish_and_clear();
    }

    /// The step is over; its line stays as `closing`.
    pub fn finish(self, closing: &str) {
        let Self { bar, title, last_plain, .. } = self;
        let line = format!("{title}: {}", visible(closing));
        if bar.is_hidden() {
            if last_plain.is_some() {
                plain(&line);
            }
            return;
        }
        bar.finish_and_clear();
        plain(&line);
    }
}

fn plain(line: &str) {
    // Nobody can be told that standard error is gone.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
