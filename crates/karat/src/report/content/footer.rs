//! Where the figures come from: machine, engine, seed, level, command.
//! Owns the closing facts; holds no measured figure.

use crate::record::{Outcome, RunDocument};
use crate::report::metric_names::{NOISE_FLOOR_RERUN, NOISE_FLOOR_UBATCH};
use crate::report::number::{MILLI_NATS, memory_size, percent, short_hash};
use crate::report::page::{Block, Page};

pub(super) fn blocks(doc: &RunDocument) -> Page {
    let (run, machine, engine) = (&doc.run, &doc.machine, &doc.engine);
    let devices = match machine.devices.as_slice() {
        [] => String::new(),
        devices => format!(", {}", devices.join(", ")),
    };
    let cores = format!("{} logical processors", machine.cores);
    let memory = memory_size(machine.memory_bytes);
    let tree = match engine.tree_sha256.as_str() {
        "" => String::new(),
        hash => format!(", tree {}", short_hash(hash)),
    };
    let state = match run.outcome {
        Outcome::Unfinished => "unfinished",
        Outcome::Done => "done",
        Outcome::Failed => "ended with failures",
    };
    let finished =
        run.finished.as_ref().map(|finished| format!(", finished {finished}")).unwrap_or_default();
    let facts = [
        ("run", format!("{}, {state}, started {}{finished}", run.id, run.started)),
        ("command", run.command.clone()),
        ("intervals", format!("level {}, seed {}", percent(run.level), run.seed)),
        ("machine", format!("{}, {}, {cores}, {memory}{devices}", machine.os, machine.cpu)),
        ("engine", format!("{}{tree}, {}", engine.crate_version, engine.system_info)),
        (
            "karat",
            format!("{}; every figure: karat report {} --format csv", run.karat_version, run.id),
        ),
    ];
    let mut facts: Vec<_> =
        facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    if let Some(floor) = noise_floor(doc) {
        facts.insert(3, ("noise floor".to_owned(), floor));
    }
    vec![Block::Heading("Where this comes from".to_owned()), Block::Facts(facts)]
}

/// The largest KLD of the original against itself, in the two ways it was run again.
fn noise_floor(doc: &RunDocument) -> Option<String> {
    let largest = |metric: &str| {
        let rows = doc.estimates.iter().filter(|row| row.metric == metric);
        rows.filter_map(|row| row.value).reduce(f64::max)
    };
    let shown = |nats: f64| {
        if nats == 0.0 { "0".to_owned() } else { format!("{:.3} {}", nats * 1e3, MILLI_NATS.unit) }
    };
    let (rerun, ubatch) = (largest(NOISE_FLOOR_RERUN)?, largest(NOISE_FLOOR_UBATCH)?);
    let meaning =
        if rerun == 0.0 { "" } else { "; the first is the floor below which nothing is claimed" };
    Some(format!(
        "KLD of the original against itself: {} run again, {} with another ubatch{meaning}",
        shown(rerun),
        shown(ubatch)
    ))
}
