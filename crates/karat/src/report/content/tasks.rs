//! Single tasks: what each build did, and where two did not do the same.
//! Owns how many are shown; JSON has all of them.

use crate::record::{AttemptRecord, Flip, FlipSide, RunDocument, TaskOutcome};
use crate::report::number::duration;
use crate::report::page::{Align, Block, Cell, Column, Item, Page, Table, Tone};

/// Beyond this many attempts a table of them is no longer read.
const MOST_ATTEMPTS: usize = 60;
/// Tasks shown with their answers.
const MOST_FLIPS: usize = 6;
/// Lines, and characters of a line, shown of an answer.
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

/// The attempts that are listed one by one; none where they are too many.
pub(super) fn listed(doc: &RunDocument) -> Vec<&AttemptRecord> {
    let first: Vec<&AttemptRecord> =
        doc.attempts.iter().filter(|attempt| attempt.repeat == 0).collect();
    if first.len() > MOST_ATTEMPTS { Vec::new() } else { first }
}

fn attempts(doc: &RunDocument) -> Page {
    let first = listed(doc);
    if first.is_empty() {
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
    let of = |instance: &&str| -> Vec<&AttemptRecord> {
        first.iter().copied().filter(|attempt| attempt.instance == **instance).collect()
    };
    let n_builds = instances.iter().map(|instance| of(instance).len()).max().unwrap_or(0);
    let is_passed = |instance: &&str| {
        n_builds > 1 && of(instance).iter().all(|one| one.outcome == TaskOutcome::Pass)
    };
    let (passed, others): (Vec<&str>, Vec<&str>) = instances.iter().copied().partition(is_passed);
    let rows: Vec<_> = others
        .iter()
        .flat_map(|instance| {
            let attempts = of(instance).into_iter().enumerate();
            attempts.map(|(index, attempt)| row(attempt, index == 0)).collect::<Vec<_>>()
        })
        .collect();
    let mut page = vec![Block::Heading("Task by task".to_owned())];
    if !passed.is_empty() {
        page.push(Block::Caption(format!("every build passes {}", passed.join(", "))));
    }
    if !rows.is_empty() {
        page.push(Block::Table(Table { columns, rows }));
    }
    page
}

/// Whether the limit of tokens ended an answer that did not pass.
fn is_cut_off(attempt: &AttemptRecord) -> bool {
    let is_open = matches!(attempt.outcome, TaskOutcome::Fail | TaskOutcome::Partial);
    is_open && attempt.tokens.is_some_and(|tokens| tokens >= u64::from(attempt.max_tokens))
}

fn row(attempt: &AttemptRecord, named: bool) -> Vec<Cell> {
    let task = if named { attempt.instance.as_str() } else { "" };
    let outcome = match attempt.outcome {
        TaskOutcome::Partial => format!("partial {:.0} %", 100.0 * attempt.points),
        outcome => outcome.word().to_owned(),
    };
    let why = match (attempt.looped, attempt.answer_in_thinking) {
        (true, _) => "went round in circles".to_owned(),
        (_, Some(true)) => "the answer stands in its thinking".to_owned(),
        _ if is_cut_off(attempt) => cut(&format!("cut off; {}", attempt.reason), REASON),
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

/// A task that some builds pass and others do not, each build once, however many pairs differ by it.
struct Differing<'a> {
    instance: &'a str,
    passes: Vec<&'a FlipSide>,
    others: Vec<&'a FlipSide>,
}

fn differing(flips: &[Flip]) -> Vec<Differing<'_>> {
    let mut tasks: Vec<Differing<'_>> = Vec::new();
    for flip in flips {
        let known = tasks.iter().position(|task| task.instance == flip.instance);
        let at = known.unwrap_or(tasks.len());
        if known.is_none() {
            let instance = flip.instance.as_str();
            tasks.push(Differing { instance, passes: Vec::new(), others: Vec::new() });
        }
        let Differing { passes, others, .. } = &mut tasks[at];
        for (sides, side) in [(passes, &flip.passes), (others, &flip.other)] {
            if !sides.contains(&side) {
                sides.push(side);
            }
        }
    }
    tasks
}

fn flips(doc: &RunDocument) -> Page {
    if doc.flips.is_empty() {
        return Page::new();
    }
    let tasks = differing(&doc.flips);
    let mut page = vec![Block::Heading("Tasks that some builds pass and others do not".to_owned())];
    let hidden = tasks.len().saturating_sub(MOST_FLIPS);
    if hidden > 0 {
        page.push(Block::Caption(format!("{hidden} more: --format json")));
    }
    page.push(Block::Items(tasks.iter().take(MOST_FLIPS).map(task).collect()));
    page
}

fn task(task: &Differing<'_>) -> Item {
    let passes: Vec<&str> = task.passes.iter().map(|side| side.name.as_str()).collect();
    let others = task.others.iter().map(|side| {
        let why = match side.reason.as_str() {
            "" => String::new(),
            reason => format!(", {}", cut(reason, REASON)),
        };
        format!("{} ({}{why})", side.name, side.outcome.word())
    });
    let others = others.collect::<Vec<_>>().join(", ");
    let mut answers: Vec<(Vec<&str>, &str)> = Vec::new();
    for side in task.passes.iter().chain(&task.others) {
        match answers.iter_mut().find(|(_, answer)| *answer == side.answer) {
            Some((names, _)) => names.push(&side.name),
            None => answers.push((vec![&side.name], &side.answer)),
        }
    }
    Item {
        label: "",
        tone: Tone::Plain,
        text: format!("{}: passed by {}; not by {others}", task.instance, passes.join(", ")),
        raw: answers.iter().flat_map(|(names, answer)| given(names, answer)).collect(),
    }
}

/// Who answered, then the beginning of the answer.
fn given(names: &[&str], answer: &str) -> Vec<String> {
    let mut lines = vec![format!("{}:", names.join(", "))];
    let answer: Vec<&str> = answer.lines().filter(|line| !line.trim().is_empty()).collect();
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
