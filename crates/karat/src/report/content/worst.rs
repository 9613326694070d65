//! The tokens at which each build is farthest from the original, with what stands before them.
//! Owns this table and how a token is shown on one line; all of them in full are in json.

use super::caption;
use crate::record::{LikelyToken, RunDocument, TokenInContext, WorstToken};
use crate::report::number::{percent, short};
use crate::report::page::{Align, Block, Cell, Column, Page, Table, Tone};
use crate::report::rows::{Rows, Ruler, same_ruler};
use crate::visible::{visible, visible_start};

/// Tokens shown per build, all texts together.
const SHOWN: usize = 3;
/// Characters shown of what stands before a token, of the token, and of a guess.
const CONTEXT: usize = 18;
const TARGET: usize = 10;
const GUESS: usize = 8;

pub(super) fn blocks(doc: &RunDocument, rows: Rows<'_>, ruler: &Ruler) -> Page {
    let here: Vec<&WorstToken> =
        doc.worst_tokens.iter().filter(|token| same_ruler(&token.setting, ruler)).collect();
    let mut table_rows = Vec::new();
    for build in rows.candidates().into_iter().chain(rows.references()) {
        let mut worst: Vec<&WorstToken> =
            here.iter().copied().filter(|token| token.candidate == build).collect();
        // Stable: within a text they come in order already.
        worst.sort_by(|one, other| size(&other.token).total_cmp(&size(&one.token)));
        for (place, token) in worst.into_iter().take(SHOWN).enumerate() {
            table_rows.push(row(if place == 0 { build } else { "" }, token));
        }
    }
    let Some(first) = here.first() else { return Page::new() };
    let reference = caption::reference_name(rows, &first.reference);
    let columns = vec![
        Column::new("build", "", Align::Left),
        Column::new("KLD", "nats", Align::Point),
        Column::new("text", "", Align::Left),
        Column::new("what stands before ▸ the token", "", Align::Left),
        Column::new("original", "expects", Align::Left),
        Column::new("build", "expects", Align::Left),
    ];
    let caption = format!(
        "the {SHOWN} tokens of largest KLD of each build, over all texts · each with the likeliest \
         next token to either model and its probability · more of them, with the five likeliest: \
         --format json"
    );
    vec![
        Block::Heading(format!("Worst tokens, against {reference}")),
        Block::Caption(caption),
        Block::Table(Table { columns, rows: table_rows }),
    ]
}

fn row(build: &str, worst: &WorstToken) -> Vec<Cell> {
    let token = &worst.token;
    let kld = token.kld.map_or_else(|| "∞".to_owned(), short);
    let before = one_line_end(&token.context, CONTEXT);
    vec![
        Cell::plain(build),
        Cell::plain(kld),
        Cell::toned(&worst.scope, Tone::Faint),
        Cell::plain(format!("{before}▸{}", one_line(&token.target, TARGET))),
        guess(&token.top_reference),
        guess(&token.top_candidate),
    ]
}

fn guess(top: &[LikelyToken]) -> Cell {
    top.first().map_or_else(Cell::missing, |likely| {
        let share = percent((likely.probability * 100.0).round() / 100.0);
        Cell::plain(format!("{} {share}", one_line(&likely.text, GUESS)))
    })
}

/// The beginning of a text, with everything shown that would not be seen: blanks as `␣`.
fn one_line(text: &str, max_chars: usize) -> String {
    visible_start(&text.replace(' ', "␣"), max_chars)
}

/// The end of a text, in words: blanks stay blanks, because there is more than one token of it.
fn one_line_end(text: &str, max_chars: usize) -> String {
    let mut end: Vec<String> = Vec::new();
    let mut width = 0;
    // An escape is shown whole or not at all.
    for c in text.chars().rev() {
        let shown = visible(c.encode_utf8(&mut [0; 4]));
        width += shown.chars().count();
        if width > max_chars {
            end.push("…".to_owned());
            break;
        }
        end.push(shown);
    }
    end.into_iter().rev().collect()
}

fn size(token: &TokenInContext) -> f64 {
    token.kld.unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::{one_line, one_line_end};

    #[test]
    fn blanks_and_hidden_characters_of_a_token_are_seen() {
        assert_eq!(one_line(" the", 10), "␣the");
        assert_eq!(one_line("\n  ", 10), "\\n␣␣");
        assert_eq!(one_line("\u{1b}[31m\u{202e}", 10), "\\u{1b}[31m\\u{202e}");
        assert_eq!(one_line("incomprehensible", 8), "incompre…");
    }

    #[test]
    fn the_end_of_a_context_is_nearest_to_the_token() {
        assert_eq!(one_line_end("one two", 10), "one two");
        assert_eq!(one_line_end("one two three", 9), "…two three");
        assert_eq!(one_line_end("a\r\u{9b}2J", 40), "a\\r\\u{9b}2J");
        assert_eq!(one_line_end("a\r\u{9b}2J", 7), "…2J");
    }
}
