//! Blocks of a report's content as HTML.
//! Owns headings, lists and facts; tables are `table`'s.

use maud::{Markup, html};

use super::table::{self, Captions};
use crate::report::page::{Block, Item, Tone};
use crate::visible::visible;

/// The blocks in order. A heading and the captions after it are the caption of the tables that
/// follow, so that a table says what it is by itself.
pub(super) fn markup(blocks: &[Block]) -> Markup {
    let mut captions: Vec<String> = Vec::new();
    let mut parts: Vec<Markup> = Vec::new();
    for (i, block) in blocks.iter().enumerate() {
        match block {
            // The page has a title of its own.
            Block::Title(_) => {}
            Block::Heading(text) => {
                captions = vec![text.clone()];
                if !leads_to_table(&blocks[i + 1..]) {
                    parts.push(html! { h3 { (visible(text)) } });
                }
            }
            Block::Caption(text) if text.is_empty() => {}
            Block::Caption(text) if leads_to_table(&blocks[i + 1..]) => captions.push(text.clone()),
            Block::Caption(text) => parts.push(html! { p.note { (visible(text)) } }),
            Block::Table(table) => {
                let follows_table = i > 0 && matches!(blocks[i - 1], Block::Table(_));
                let captions = if follows_table {
                    Captions::OfTableBefore(&captions)
                } else {
                    Captions::Own(&captions)
                };
                parts.push(table::markup(table, captions));
            }
            Block::Items(items) => parts.push(html! {
                ul.items { @for item in items { (self::item(item)) } }
            }),
            Block::Lines(lines) => parts.push(html! {
                pre tabindex="0" {
                    @for (tone, line) in lines { span class=[class(*tone)] { (visible(line)) } "\n" }
                }
            }),
            Block::Facts(facts) => parts.push(html! {
                dl {
                    @for (name, value) in facts {
                        div { dt { (visible(name)) } dd { (visible(value)) } }
                    }
                }
            }),
        }
    }
    html! { @for part in parts { (part) } }
}

/// Whether the next thing but captions is a table.
fn leads_to_table(rest: &[Block]) -> bool {
    let mut rest = rest.iter().skip_while(|block| matches!(block, Block::Caption(_)));
    matches!(rest.next(), Some(Block::Table(_)))
}

fn class(tone: Tone) -> Option<&'static str> {
    match tone {
        Tone::Plain => None,
        Tone::Faint => Some("faint"),
        Tone::Good => Some("is-good"),
        Tone::Bad => Some("is-bad"),
        Tone::Open => Some("is-open"),
    }
}

fn item(item: &Item) -> Markup {
    html! {
        li class=[class(item.tone)] {
            @if !item.label.is_empty() { span.label { (item.label) } " " }
            (visible(&item.text))
            @if !item.raw.is_empty() {
                pre tabindex="0" { @for line in &item.raw { (visible(line)) "\n" } }
            }
        }
    }
}
