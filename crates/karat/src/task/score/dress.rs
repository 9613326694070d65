//! What writers put around a text: quotes, emphasis, the delimiters of mathematics, marks of lists.
//! Owns what is dress; knows nothing of what is right.

/// Pairs that may stand around a whole text. Longer ones come before those that they begin with.
const PAIRS: &[(&str, &str)] = &[
    ("***", "***"),
    ("**", "**"),
    ("*", "*"),
    ("__", "__"),
    ("_", "_"),
    ("```", "```"),
    ("`", "`"),
    ("$$", "$$"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
    ("\\boxed{", "}"),
    ("\\mathbf{", "}"),
    ("\\textbf{", "}"),
    ("\\text{", "}"),
    ("(", ")"),
    ("\"", "\""),
    ("'", "'"),
    ("“", "”"),
    ("„", "“"),
    ("„", "”"),
    ("‘", "’"),
    ("‚", "‘"),
    ("«", "»"),
    ("»", "«"),
    ("‹", "›"),
];

/// Marks after a text that belong to the sentence and not to it.
const STOPS: &[char] = &['.', '!', '?', ':', ';', ','];

/// A text without what stands around it, at any depth: `**„B2”.**` is `B2`.
pub(super) fn undressed(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let bare = text.trim_end_matches(STOPS).trim_end();
        let inner = PAIRS
            .iter()
            .find_map(|(open, close)| bare.strip_prefix(open)?.strip_suffix(close))
            .unwrap_or(bare)
            .trim();
        if inner.len() == text.len() {
            return text;
        }
        text = inner;
    }
}

/// A line without the mark or number that makes it an entry of a list, and whether there was one.
pub(super) fn unlisted(line: &str) -> (&str, bool) {
    let line = line.trim();
    let heading = line.starts_with('#').then(|| line.trim_start_matches('#'));
    let mark = line.strip_prefix(['-', '*', '+', '•', '–', '—', '>']);
    let after_mark = heading.or(mark).or_else(|| {
        let digits = line.trim_start_matches(|character: char| character.is_ascii_digit());
        let letter = line.strip_prefix(|character: char| character.is_ascii_alphabetic());
        let is_numbered = digits.len() < line.len();
        let numbered = is_numbered.then(|| digits.strip_prefix(['.', ')'])).flatten();
        numbered.or_else(|| letter?.strip_prefix(')'))
    });
    // Without a space between them, a hyphen is a minus and a number's point is its decimal mark.
    match after_mark {
        Some(rest) if rest.starts_with(char::is_whitespace) && !rest.trim().is_empty() => {
            (rest.trim(), true)
        }
        _ => (line, false),
    }
}

/// Lines of a text that say something: no empty ones, and not the fences around code.
pub(super) fn lines(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("```"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dress_is_taken_off_at_any_depth() {
        for text in [
            "B2",
            "`B2`.",
            "**B2**",
            "\"B2.\"",
            "„B2”",
            "« B2 »",
            "_**B2**_",
            "(B2)",
            "$\\boxed{B2}$",
            "\\[ \\boxed{\\text{B2}} \\]",
        ] {
            assert_eq!(undressed(text), "B2", "{text}");
        }
        assert_eq!(undressed("*"), "*");
        assert_eq!(undressed("a*b"), "a*b");
        assert_eq!(undressed("..."), "");
    }

    #[test]
    fn entries_of_lists_lose_their_marks() {
        for line in ["- B2", " * B2", "• B2", "6. B2", "12) B2", "b) B2", "## B2"] {
            assert_eq!(unlisted(line), ("B2", true), "{line}");
        }
        for line in ["-5", "1007.5", "B2", "-", "1 007"] {
            assert_eq!(unlisted(line), (line, false), "{line}");
        }
    }
}
