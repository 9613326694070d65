//! Single tasks: what each build did, and where two did not do the same.
//! Owns how many are shown; JSON has all of them.

use crate::record::{AttemptRecord, Flip, FlipSide, RunDocument, TaskOutcome};
use crate::report::number::{duration, percent};
use crate::report::page::{Align, Block, Cell, Column, Item, Page, Table, Tone};

/// Beyond this many attempts a table of them is no longer read.
const MOST_ATTEMPTS: usize = 60;
/// Flips shown with their answers.
const MOST_FLIPS: usize = 6;
/// Lines, and characters of a line, that a flip shows of an answer.
const LINES: usize = 6;
const WIDTH: usize = 88;
/// Characters of a reason in the table.
const REASON: usize = 44;

pub(super) fn blocks(doc: &RunDocument) -> Page {
    let mut page = attempts(doc);
    page.extend(flips(doc));
    page
}

fn tone(outcome: TaskOutcome) -> Tone {
    match outcome {
        TaskOutcome::Pass => Tone::Good,
        TaskOutcome::Partial | TaskOutcome::Starved => Tone::Open,
        TaskOutcome::Fail => Tone::Bad,
        TaskOutcome::Error => Tone::Faint,
    }
}

fn attempts(doc: &RunDocument) -> Page {
    let first: Vec<&AttemptRecord> =
        doc.attempts.iter().filter(|attempt| attempt.repeat == 0).collect();
    if first.is_empty() || first.len() > MOST_ATTEMPTS {
        return Page::new();
    }
    let mut instances: Vec<&str> = Vec::new();
    for attempt in &first {
        if !instances.contains(&attempt.instance.as_str()) {
            instances.push(&attempt.instance);
        }
    }
    let columns = vec![
        Column::new("task", "", Align::Left),
        Column::new("build", "", Align::Left),
        Column::new("outcome", "", Align::Left),
        Column::new("tokens", "", Align::Point),
        Column::new("time", "", Align::Left),
        Column::new("why", "", Align::Left),
    ];
    let rows = instances.iter().flat_map(|instance| {
        let of_instance = first.iter().filter(move |attempt| attempt.instance == **instance);
        of_instance.enumerate().map(|(index, attempt)| row(attempt, index == 0))
    });
    vec![
        Block::Heading("Task by task".to_owned()),
        Block::Table(Table { columns, rows: rows.collect() }),
    ]
}

fn row(attempt: &AttemptRecord, named: bool) -> Vec<Cell> {
    let task = if named { attempt.instance.as_str() } else { "" };
    let outcome = match attempt.outcome {
        TaskOutcome::Partial => format!("partial {}", percent(attempt.points)),
        outcome => outcome.word().to_owned(),
    };
    let why = match (attempt.looped, attempt.answer_in_thinking) {
        (true, _) => "went round in circles".to_owned(),
        (_, Some(true)) => "the answer stands in its thinking".to_owned(),
        _ => cut(&attempt.reason, REASON),
    };
    let tokens = attempt.tokens.map_or_else(Cell::missing, |n| Cell::plain(n.to_string()));
    let time = attempt.seconds.map_or_else(Cell::missing, |s| Cell::plain(duration(s)));
    vec![
        Cell::plain(task),
        Cell::plain(&attempt.candidate),
        Cell::toned(outcome, tone(attempt.outcome)),
        tokens,
        time,
        Cell::plain(why),
    ]
}

fn flips(doc: &RunDocument) -> Page {
    if doc.flips.is_empty() {
        return Page::new();
    }
    let mut page = vec![Block::Heading("Tasks that one of two builds alone passes".to_owned())];
    let hidden = doc.flips.len().saturating_sub(MOST_FLIPS);
    if hidden > 0 {
        page.push(Block::Caption(format!("{hidden} more: --format json")));
    }
    page.push(Block::Items(doc.flips.iter().take(MOST_FLIPS).map(flip).collect()));
    page
}

fn flip(flip: &Flip) -> Item {
    let why = match flip.other.reason.as_str() {
        "" => String::new(),
        reason => format!(": {}", cut(reason, 2 * REASON)),
    };
    Item {
        label: "",
        tone: Tone::Plain,
        text: format!(
            "{}: {} passes, {} does not ({}){why}",
            flip.instance,
            flip.passes.name,
            flip.other.name,
            flip.other.outcome.word()
        ),
        raw: [&flip.passes, &flip.other].into_iter().flat_map(side).collect(),
    }
}

/// The name, then the beginning of the answer.
fn side(side: &FlipSide) -> Vec<String> {
    let mut lines = vec![format!("{} answers:", side.name)];
    let answer: Vec<&str> = side.answer.lines().filter(|line| !line.trim().is_empty()).collect();
    if answer.is_empty() {
        lines.push("  (nothing)".to_owned());
    }
    lines.extend(answer.iter().take(LINES).map(|line| format!("  {}", cut(line, WIDTH))));
    if answer.len() > LINES {
        lines.push(format!("  … {} more lines", answer.len() - LINES));
    }
    lines
}

fn cut(text: &str, most: usize) -> String {
    let flat = text.replace(['\n', '\r', '\t'], " ");
    if flat.chars().count() <= most {
        return flat;
    }
    flat.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
