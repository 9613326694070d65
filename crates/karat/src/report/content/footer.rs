//! Where the figures come from: machine, engine, seed, level, command.
//! Owns the closing facts; holds no measured figure.

use crate::record::{Outcome, RunDocument};
use crate::report::number::{memory_size, percent, short_hash};
use crate::report::page::{Block, Page};

pub(super) fn blocks(doc: &RunDocument) -> Page {
    let (run, machine, engine) = (&doc.run, &doc.machine, &doc.engine);
    let devices = match machine.devices.as_slice() {
        [] => String::new(),
        devices => format!(", {}", devices.join(", ")),
    };
    let cores = format!("{} logical processors", machine.cores);
    let memory = memory_size(machine.memory_bytes);
    let tree = short_hash(&engine.tree_sha256);
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
        ("engine", format!("{}, tree {tree}, {}", engine.crate_version, engine.system_info)),
        (
            "karat",
            format!("{}; every figure: karat report {} --format csv", run.karat_version, run.id),
        ),
    ];
    let facts = facts.map(|(name, value)| (name.to_owned(), value));
    vec![Block::Heading("Where this comes from".to_owned()), Block::Facts(facts.to_vec())]
}
