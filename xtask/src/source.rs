//! Reads Rust source well enough for `tidy`: code without comments, strings and test modules,
//! and the modules that it names. Not a parser: macros are read as they stand.

/// The code of `source`: comments and the contents of strings and characters become spaces, so
/// that lines and columns stay where they were.
pub fn code_only(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    let mut previous = ' ';
    while let Some(first) = rest.chars().next() {
        let in_word = previous.is_alphanumeric() || previous == '_';
        let skipped = match first {
            '/' => comment_len(rest),
            '"' => Some(string_len(rest)),
            '\'' => char_len(rest),
            'b' | 'c' | 'r' if !in_word => prefixed_string_len(rest),
            _ => None,
        };
        let len = skipped.unwrap_or(first.len_utf8());
        let (taken, after) = rest.split_at(len);
        if skipped.is_some() {
            out.extend(taken.chars().map(|c| if c == '\n' { c } else { ' ' }));
            previous = ' ';
        } else {
            out.push_str(taken);
            previous = first;
        }
        rest = after;
    }
    out
}

/// Length in bytes of the comment that `text` begins with; block comments nest.
fn comment_len(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(text.len())
}

/// Length of the string literal that `text` begins with, both quotes included.
fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of a character literal; `None` for a lifetime.
fn char_len(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        chars.next();
        return chars.find(|&(_, c)| c == '\'').map(|(at, _)| at + 1);
    }
    chars.next().filter(|&(_, c)| c == '\'').map(|(at, _)| at + 1)
}

/// Length of `b"…"`, `c"…"`, `r"…"`, `r#"…"#`, `br#"…"#`; `None` for anything else.
fn prefixed_string_len(text: &str) -> Option<usize> {
    let prefix = text.find(|c| !matches!(c, 'b' | 'c' | 'r'))?;
    let raw = text[..prefix].ends_with('r');
    let hashes = text[prefix..].bytes().take_while(|&b| b == b'#').count();
    if prefix > 2 || (hashes > 0 && !raw) || !text[prefix + hashes..].starts_with('"') {
        return None;
    }
    if !raw {
        return Some(prefix + string_len(&text[prefix..]));
    }
    let start = prefix + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// `code` up to its test module, which by convention ends the file.
pub fn without_tests(code: &str) -> &str {
    let mut at = 0;
    while let Some(found) = code[at..].find("#[cfg(test)]") {
        let start = at + found;
        let after = &code[start + "#[cfg(test)]".len()..];
        let header = after.trim_start().lines().next().unwrap_or_default();
        if header.starts_with("mod ") && header.ends_with('{') {
            return &code[..start];
        }
        at = code.len() - after.len();
    }
    code
}

/// Positions of `needle` in `text` where it stands as a whole word or path.
pub fn whole_words<'t>(text: &'t str, needle: &'t str) -> impl Iterator<Item = usize> + 't {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(needle).map(|(at, _)| at).filter(move |&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + needle.len()..].chars().next();
        let closed = needle.ends_with(|c| !in_word(c));
        !before.is_some_and(in_word) && (closed || !after.is_some_and(in_word))
    })
}

/// One-based line of the byte position `at`.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The top-level items of the crate that `code` names, with their positions: through
/// `crate::name`, `crate::{name, …}`, or as many `super::` as lead from a file of module
/// `depth` (0 for the crate's root, 1 for `a.rs` and `a/mod.rs`, ...) up to the root.
pub fn crate_items(code: &str, depth: usize) -> Vec<(usize, &str)> {
    let mut items = Vec::new();
    for at in whole_words(code, "crate::") {
        first_idents(&code[at + "crate::".len()..], at, &mut items);
    }
    if depth > 0 {
        let climb = "super::".repeat(depth);
        for at in whole_words(code, &climb) {
            // A longer chain of `super` contains this one; it ends where the chain ends.
            if !code[..at].ends_with("::") {
                first_idents(&code[at + climb.len()..], at, &mut items);
            }
        }
    }
    items
}

/// The identifier that `path` begins with, or those that begin the members of its `{…}` group.
fn first_idents<'t>(path: &'t str, at: usize, items: &mut Vec<(usize, &'t str)>) {
    let Some(group) = path.strip_prefix('{') else {
        items.push((at, ident(path)));
        return;
    };
    let mut depth = 0_usize;
    let mut expects_name = true;
    for (offset, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return,
            '}' => depth -= 1,
            ',' if depth == 0 => expects_name = true,
            c if expects_name && (c.is_alphabetic() || c == '_') => {
                items.push((at, ident(&group[offset..])));
                expects_name = false;
            }
            _ => {}
        }
    }
}

fn ident(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_code(source: &str, want: &str) {
        let code = code_only(source);
        let squeezed: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(squeezed.join(" "), want);
        assert_eq!(code.matches('\n').count(), source.matches('\n').count());
    }

    #[test]
    fn comments_vanish() {
        check_code("a // b\nc /* d /* e */ f */ g", "a c g");
    }

    #[test]
    fn strings_vanish_in_every_form() {
        check_code(r##"a("b\"c", b"d", r"e\", r#"f"g"#, br"h", c"i") j"##, "a( , , , , , ) j");
    }

    #[test]
    fn characters_vanish_and_lifetimes_stay() {
        check_code(
            r"f('a', '\'', b'x', '\u{e9}') g<'b>(x: &'static c)",
            "f( , , b , ) g<'b>(x: &'static c)",
        );
    }

    #[test]
    fn names_that_look_like_string_prefixes_stay() {
        check_code("bar(r, b, rb) br#loop", "bar(r, b, rb) br#loop");
    }

    #[track_caller]
    fn check_items(code: &str, depth: usize, want: &[&str]) {
        let names: Vec<&str> = crate_items(code, depth).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, want);
    }

    #[test]
    fn single_paths_and_groups_are_found() {
        check_items(
            "use crate::a::B; use crate::{c, d::{e, f}, g as h};",
            1,
            &["a", "c", "d", "g"],
        );
    }

    #[test]
    fn paths_inside_code_are_found() {
        check_items("fn f() { crate::a::b(my_crate::c) }", 1, &["a"]);
    }

    #[test]
    fn super_counts_where_it_reaches_the_root() {
        check_items("use super::a; use super::super::b;", 1, &["a", "super"]);
        check_items("use super::a; use super::super::b;", 2, &["b"]);
    }

    #[test]
    fn only_an_inline_test_module_ends_the_code() {
        assert_eq!(without_tests("a\n#[cfg(test)]\nmod t {\n b }"), "a\n");
        let external = "#[cfg(test)]\nmod t;\nfn a() {}";
        assert_eq!(without_tests(external), external);
    }

    #[test]
    fn words_are_matched_whole() {
        let found = |text, needle| whole_words(text, needle).count();
        assert_eq!(found("unsafe_code unsafe {", "unsafe"), 1);
        assert_eq!(found("print!() eprint!()", "print!"), 1);
        assert_eq!(found("env::var(x) env::vars()", "env::var"), 1);
    }
}
