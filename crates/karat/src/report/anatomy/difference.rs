//! The page of `karat diff`.

use std::io;

use super::{count, heading, oddity, plain};
use crate::anatomy::{
    ArrayChange, Changed, Difference, KeyDiff, KeyValue, Side, TemplateDiff, TensorDiff,
    TokenChange, VocabularyDiff,
};
use crate::report::PageFormat;
use crate::report::number::{file_size, short_hash};
use crate::report::page::{Block, Item, Page, Tone};
use crate::report::page_format::render;

/// Differing tokens that are listed; JSON has more.
const MAX_TOKENS: usize = 8;
/// Keys, tensors and names of templates that are listed of each kind of difference; JSON has all.
const MAX_LISTED: usize = 20;

/// A difference in the form asked for.
pub fn difference(document: &Difference, format: PageFormat, color: bool) -> io::Result<Vec<u8>> {
    render(document, &page(document), format, color)
}

fn page(diff: &Difference) -> Page {
    let (first, second) = (&diff.first, &diff.second);
    let mut page = vec![Block::Title(format!("{} → {}", first.name, second.name))];
    let fact = |side: &Side| {
        let bits = side.bits_per_weight.map(|bits| format!(", {bits:.2} bits per weight"));
        let size = file_size(side.bytes);
        (side.name.clone(), format!("{}, {size}{}", side.path, bits.unwrap_or_default()))
    };
    page.push(Block::Facts(vec![fact(first), fact(second)]));
    section(&mut page, "Metadata", key_items(&diff.metadata));
    page.extend(template_blocks(&diff.chat_template));
    section(&mut page, "Tensors", tensor_items(&diff.tensors));
    section(&mut page, "Vocabulary", vocabulary_items(&diff.vocabulary));
    for (side, oddities) in [(first, &diff.oddities_of_first), (second, &diff.oddities_of_second)] {
        let title = format!("Odd about {} alone", side.name);
        section(&mut page, &title, oddities.iter().map(oddity).collect());
    }
    page.extend(verdict(diff));
    page
}

fn section(page: &mut Page, title: &str, items: Vec<Item>) {
    if !items.is_empty() {
        page.extend([heading(title), Block::Items(items)]);
    }
}

fn key_items(keys: &KeyDiff) -> Vec<Item> {
    let pair = |pair: &KeyValue| format!("{} = {}", pair.key, pair.value.text);
    let mut items = capped(("gone", Tone::Bad), "key", keys.only_in_first.iter(), pair);
    items.extend(capped(("new", Tone::Good), "key", keys.only_in_second.iter(), pair));
    items.extend(capped(("changed", Tone::Open), "key", keys.changed.iter(), change_text));
    if items.is_empty() {
        items.push(plain(format!("the same in all {}", count(keys.same, "key"))));
    }
    items
}

/// An item for each of a list, and one for those left out: a file may have any number.
fn capped<T>(
    (label, tone): (&'static str, Tone),
    noun: &str,
    list: impl ExactSizeIterator<Item = T>,
    text: impl Fn(T) -> String,
) -> Vec<Item> {
    let n_more = list.len().saturating_sub(MAX_LISTED) as u64;
    let item = |one: T| Item { label, tone, ..plain(text(one)) };
    let mut items: Vec<Item> = list.take(MAX_LISTED).map(item).collect();
    if n_more > 0 {
        let text = format!("and {} more; --format json lists all", count(n_more, noun));
        items.push(Item { label, tone, ..plain(text) });
    }
    items
}

fn change_text(changed: &Changed) -> String {
    let (first, second) = (&changed.first, &changed.second);
    let types = if first.r#type == second.r#type {
        String::new()
    } else {
        format!(" ({} → {})", first.r#type, second.r#type)
    };
    match &changed.array {
        Some(array) => format!("{}: {}{types}", changed.key, array_text(array)),
        None => format!("{}: {} → {}{types}", changed.key, first.text, second.text),
    }
}

fn array_text(change: &ArrayChange) -> String {
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "the end".to_owned());
    let differing = match change.differing {
        0 => "one goes on".to_owned(),
        1 => "1 element differs".to_owned(),
        n => format!("{n} elements differ"),
    };
    let (first, second) = (shown(&change.first), shown(&change.second));
    format!("{differing}, the first at {}: {first} → {second}", change.first_index)
}

fn template_blocks(template: &TemplateDiff) -> Page {
    let (first, second) = (&template.first_sha256, &template.second_sha256);
    let hash =
        |sha256: &Option<String>| sha256.as_deref().map_or_else(|| "none".to_owned(), short_hash);
    let said = match (first, second) {
        (None, None) => "neither has one".to_owned(),
        (Some(ours), Some(theirs)) if ours == theirs => format!("the same, sha256 {}", hash(first)),
        _ => format!("sha256 {} → {}", hash(first), hash(second)),
    };
    let mut page = vec![heading("Chat template"), Block::Items(vec![plain(said)])];
    if !template.lines.is_empty() {
        let lines = template.lines.iter().map(|line| (line_tone(line), line.clone()));
        page.push(Block::Lines(lines.collect()));
    }
    let mut items = Vec::new();
    if template.omitted_lines > 0 {
        items
            .push(plain(format!("{} of the diff left out", count(template.omitted_lines, "line"))));
    }
    if !template.other_names.is_empty() {
        let names = template.other_names.iter().take(MAX_LISTED).cloned();
        let n_more = template.other_names.len().saturating_sub(MAX_LISTED);
        let more = (n_more > 0).then(|| format!("{n_more} more"));
        let names: Vec<String> = names.chain(more).collect();
        items.push(plain(format!("also different: {}", names.join(", "))));
    }
    if !items.is_empty() {
        page.push(Block::Items(items));
    }
    page
}

fn line_tone(line: &str) -> Tone {
    match line.as_bytes().first() {
        Some(b'+') => Tone::Good,
        Some(b'-') => Tone::Bad,
        Some(b'@') => Tone::Faint,
        _ => Tone::Plain,
    }
}

fn tensor_items(tensors: &TensorDiff) -> Vec<Item> {
    let dims = |dims: &[u64]| dims.iter().map(u64::to_string).collect::<Vec<_>>().join(" x ");
    let mut items = capped(("", Tone::Plain), "group", tensors.types.iter(), |change| {
        let (first, second) = (change.first, change.second);
        format!("{}: {first} → {second} ({})", change.tensors, count(change.count, "tensor"))
    });
    items.extend(capped(("shape", Tone::Bad), "group", tensors.shapes.iter(), |change| {
        let (first, second) = (dims(&change.first), dims(&change.second));
        format!("{}: {first} → {second} ({})", change.tensors, count(change.count, "tensor"))
    }));
    let group = |(pattern, n): (&String, &u64)| format!("{pattern} ({})", count(*n, "tensor"));
    items.extend(capped(("gone", Tone::Bad), "group", tensors.only_in_first.iter(), group));
    items.extend(capped(("new", Tone::Good), "group", tensors.only_in_second.iter(), group));
    let rest = match (items.is_empty(), tensors.same) {
        (true, n) => format!("the same types and shapes in all {}", count(n, "tensor")),
        (false, n) => format!("the same type and shape: {}", count(n, "tensor")),
    };
    items.push(Item { tone: Tone::Faint, ..plain(rest) });
    items
}

fn vocabulary_items(vocabulary: &VocabularyDiff) -> Vec<Item> {
    let mut items = Vec::new();
    let (ours, theirs) = (vocabulary.first_tokens, vocabulary.second_tokens);
    if ours != theirs {
        items.push(plain(format!("{ours} → {}", count(theirs, "token"))));
    }
    let tokens =
        |token: &TokenChange| format!("{}: `{}` → `{}`", token.id, token.first, token.second);
    items.extend(listed("token", vocabulary.differing_tokens, &vocabulary.tokens, tokens));
    let types = |token: &TokenChange| {
        format!("{} `{}`: {} → {}", token.id, token.text, token.first, token.second)
    };
    items.extend(listed("token type", vocabulary.differing_types, &vocabulary.types, types));
    let arrays = [("scores", &vocabulary.scores), ("merges", &vocabulary.merges)];
    for (name, change) in arrays {
        items
            .extend(change.as_ref().map(|change| plain(format!("{name}: {}", array_text(change)))));
    }
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    items.extend(vocabulary.special.iter().map(|(role, first, second)| {
        plain(format!("{role}: {} → {}", shown(first), shown(second)))
    }));
    items.extend(
        vocabulary.lists.iter().map(|(key, first, second)| {
            plain(format!("{key}: {} → {}", shown(first), shown(second)))
        }),
    );
    if items.is_empty() {
        items.push(plain(format!(
            "the same {}, types, scores and special ids",
            count(ours, "token")
        )));
    }
    items
}

fn listed(
    what: &str,
    n: u64,
    tokens: &[TokenChange],
    text: impl Fn(&TokenChange) -> String,
) -> Option<Item> {
    let raw: Vec<String> = tokens.iter().take(MAX_TOKENS).map(text).collect();
    let shown =
        if n > raw.len() as u64 { format!("; the first {}", raw.len()) } else { String::new() };
    let differ = if n == 1 { "differs" } else { "differ" };
    (n > 0).then(|| Item { raw, ..plain(format!("{} {differ}{shown}", count(n, what))) })
}

/// Whether the two can be compared, last, where a terminal shows it.
fn verdict(diff: &Difference) -> Page {
    let comparable = &diff.comparable;
    let mut items: Vec<Item> = Vec::new();
    for finding in &comparable.findings {
        items.push(Item { label: "but", tone: Tone::Open, ..plain(finding.message.clone()) });
    }
    let (label, tone, text) = if let Some(reason) = &comparable.reason {
        ("no", Tone::Bad, reason.clone())
    } else if diff.is_empty() {
        let text = "headers without a difference; tensor data were not compared";
        ("yes", Tone::Good, format!("{text}{}", clause(comparable)))
    } else {
        ("yes", Tone::Good, format!("builds of the same model{}", clause(comparable)))
    };
    items.push(Item { label, tone, ..plain(text) });
    vec![heading("Can they be compared?"), Block::Items(items)]
}

fn clause(comparable: &crate::anatomy::Comparable) -> String {
    match comparable.findings.len() {
        0 => String::new(),
        1 => ", with the remark above".to_owned(),
        n => format!(", with the {n} remarks above"),
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_LISTED, Tone, capped};

    /// The items of so many keys: how many, and what the last one says.
    #[track_caller]
    fn check(n_keys: usize, n_items: usize, last: &str) {
        let items = capped(("new", Tone::Good), "key", 0..n_keys, |key| key.to_string());
        assert_eq!(items.len(), n_items);
        assert_eq!(items.last().map_or("", |item| item.text.as_str()), last);
    }

    #[test]
    fn a_list_without_end_is_cut_and_says_how_much_is_left_out() {
        check(0, 0, "");
        check(MAX_LISTED, MAX_LISTED, "19");
        check(MAX_LISTED + 1, MAX_LISTED + 1, "and 1 key more; --format json lists all");
        check(500_000, MAX_LISTED + 1, "and 499980 keys more; --format json lists all");
    }
}
