//! Text from outside (names, paths, metadata, tokens) made fit for one line of a terminal.
//! Owns which characters are never shown as they are; never decides where a text appears.

use std::fmt::Write as _;

/// Whether a character moves the cursor, changes the terminal's state, reorders the text around it
/// or takes no room: controls, bidirectional marks, zero-width characters, line separators, tags.
///
/// Source: Unicode 16, general categories Cc and Cf and the line and paragraph separators.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// `text` on one line, hidden characters as escapes: `\n`, `\u{1b}`. Everything else stays as it is.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        push(&mut shown, c);
    }
    shown
}

/// As [`visible`], and at most `max_chars` characters of the text, then `…`.
pub fn visible_start(text: &str, max_chars: usize) -> String {
    let mut shown = String::new();
    let mut chars = text.chars();
    for c in chars.by_ref().take(max_chars) {
        push(&mut shown, c);
    }
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// As [`visible_start`], of bytes that are meant to be UTF-8; what is not is shown as `\xff`.
pub fn visible_bytes(bytes: &[u8], max_chars: usize) -> String {
    // A character takes at most four bytes: no need to look at the rest of a huge string.
    let end = bytes.len().min(4 * (max_chars + 1));
    let mut shown = String::new();
    let mut n_chars = 0;
    for chunk in bytes[..end].utf8_chunks() {
        for c in chunk.valid().chars() {
            if n_chars == max_chars {
                return shown + "…";
            }
            push(&mut shown, c);
            n_chars += 1;
        }
        for byte in chunk.invalid() {
            if n_chars == max_chars {
                return shown + "…";
            }
            // Writing to a string does not fail.
            let _ = write!(shown, "\\x{byte:02x}");
            n_chars += 1;
        }
    }
    if end < bytes.len() { shown + "…" } else { shown }
}

fn push(shown: &mut String, c: char) {
    if is_hidden(c) {
        match c {
            '\t' | '\n' | '\r' => shown.extend(c.escape_default()),
            _ => shown.extend(c.escape_unicode()),
        }
    } else {
        shown.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(visible(text), shown);
        assert_eq!(visible_bytes(text.as_bytes(), 1000), shown);
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        check("zażółć gęślą jaźń 漢字 🙂 C:\\models", "zażółć gęślą jaźń 漢字 🙂 C:\\models");
    }

    #[test]
    fn what_changes_a_terminal_or_hides_is_escaped() {
        check("\x1b[31mred\x07", r"\u{1b}[31mred\u{7}");
        check("a\u{202e}fig.gguf", r"a\u{202e}fig.gguf");
        check("one\ntwo\u{2028}", r"one\ntwo\u{2028}");
        check("\u{9b}2J\u{e0041}\u{200b}", r"\u{9b}2J\u{e0041}\u{200b}");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(visible_start("ąęć", 3), "ąęć");
        assert_eq!(visible_start("ąęćł", 3), "ąęć…");
        assert_eq!(visible_bytes("ąęćł".as_bytes(), 3), "ąęć…");
        assert_eq!(visible_bytes("🙂".repeat(50).as_bytes(), 2), "🙂🙂…");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_in_hex() {
        assert_eq!(visible_bytes(b"a\xff\xc4b", 9), r"a\xff\xc4b");
        assert_eq!(visible_bytes(b"\xff\xff\xff", 2), r"\xff\xff…");
    }
}
