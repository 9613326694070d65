//! What `karat inspect` and `karat diff` say. Owns order and words; never looks into a file.

mod difference;
mod inspection;
mod inspection_facts;

pub use difference::difference;
pub use inspection::inspection;

use super::page::{Block, Item, Tone};
use crate::anatomy::Oddity;
use crate::record::Severity;

fn oddity(oddity: &Oddity) -> Item {
    let (label, tone) = match oddity.severity {
        Severity::Note => ("note", Tone::Plain),
        Severity::Warning => ("warning", Tone::Open),
    };
    Item { label, tone, text: oddity.message.clone(), raw: Vec::new() }
}

fn plain(text: impl Into<String>) -> Item {
    Item { label: "", tone: Tone::Plain, text: text.into(), raw: Vec::new() }
}

fn heading(text: &str) -> Block {
    Block::Heading(text.to_owned())
}

/// `1 token`, `8192 tokens`.
fn count(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
