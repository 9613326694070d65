//! Takes the regular expressions that C++'s ECMAScript grammar and the regex crate read alike, and
//! refuses the rest with the reason: the engine matches with the one, the checks with the other.

use regex::Regex;

use crate::PatternFault;

/// Compiles `pattern` in lower case, as the engine gets it.
pub(crate) fn compile(pattern: &str) -> Result<Regex, PatternFault> {
    if pattern.is_empty() {
        return Err(PatternFault::Empty);
    }
    Scan { pattern, at: 0 }.run()?;
    Regex::new(&pattern.to_ascii_lowercase()).map_err(|error| {
        // The crate draws several lines; the last one says what is wrong.
        let lines = error.to_string();
        let last = lines.lines().last().unwrap_or("invalid").trim();
        PatternFault::Invalid(last.trim_start_matches("error: ").to_owned())
    })
}

/// What stands before a quantifier.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// Nothing that could be repeated.
    Nothing,
    /// A character, class or group.
    Atom,
    /// A quantifier, which a `?` may make lazy.
    Quantifier,
}

struct Scan<'a> {
    pattern: &'a str,
    at: usize,
}

impl Scan<'_> {
    fn run(mut self) -> Result<(), PatternFault> {
        let mut before = Before::Nothing;
        while let Some(byte) = self.peek() {
            before = match byte {
                b'\\' => self.escape()?,
                b'[' => self.class()?,
                b'(' => self.group()?,
                b'|' | b'^' | b'$' => self.step(Before::Nothing),
                b'?' if before == Before::Quantifier => self.step(Before::Nothing),
                b'*' | b'+' | b'{' | b'?' => self.quantifier(before)?,
                _ if byte.is_ascii() => self.step(Before::Atom),
                _ => return Err(self.fault(1, "is not ASCII, and tensor names are")),
            };
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.pattern.as_bytes().get(self.at).copied()
    }

    fn step(&mut self, before: Before) -> Before {
        self.at += 1;
        before
    }

    fn rest(&self) -> &str {
        &self.pattern[self.at..]
    }

    fn escape(&mut self) -> Result<Before, PatternFault> {
        let before = match self.rest().as_bytes().get(1) {
            Some(b'd' | b's' | b'w' | b'n' | b'r' | b't' | b'f' | b'v') => Before::Atom,
            Some(b'b') => Before::Nothing,
            Some(b'0'..=b'9') => return Err(self.fault(2, "refers back to a group: not supported")),
            Some(b'D' | b'S' | b'W' | b'B') => {
                return Err(self.fault(
                    2,
                    "would turn into its opposite: patterns are put in lower case, as llama-quantize does",
                ));
            }
            Some(b'<' | b'>') => return Err(self.fault(2, "needs no backslash: leave it away")),
            Some(byte) if byte.is_ascii_punctuation() => Before::Atom,
            Some(_) => return Err(self.fault(2, "is no escape of ECMAScript regular expressions")),
            None => return Err(self.fault(1, "escapes nothing: write `\\\\` for a backslash")),
        };
        self.at += 2;
        Ok(before)
    }

    fn group(&mut self) -> Result<Before, PatternFault> {
        if self.rest().starts_with("(?") && !self.rest().starts_with("(?:") {
            let problem = "opens a flag, a named group or a look-around: only (...) and (?:...) are supported";
            return Err(self.fault(3, problem));
        }
        self.at += if self.rest().starts_with("(?:") { 3 } else { 1 };
        Ok(Before::Nothing)
    }

    /// A whole class, from `[` to its `]`.
    fn class(&mut self) -> Result<Before, PatternFault> {
        self.at += 1;
        if self.peek() == Some(b'^') {
            self.at += 1;
        }
        if self.peek() == Some(b']') {
            return Err(self.fault(1, "right after `[` is read in two ways: write `\\]`"));
        }
        while let Some(byte) = self.peek() {
            match byte {
                b']' => return Ok(self.step(Before::Atom)),
                b'[' => {
                    return Err(self.fault(2, "inside a class is read in two ways: write `\\[`"));
                }
                b'\\' => {
                    if self.rest().starts_with("\\b") {
                        return Err(self.fault(2, "inside a class is no character of a name"));
                    }
                    self.escape()?;
                }
                b'&' | b'-' | b'~' if self.rest().as_bytes().get(1) == Some(&byte) => {
                    return Err(self.fault(2, "inside a class is read in two ways: write it once"));
                }
                _ if byte.is_ascii() => self.at += 1,
                _ => return Err(self.fault(1, "is not ASCII, and tensor names are")),
            }
        }
        Err(PatternFault::Invalid("unclosed character class".to_owned()))
    }

    fn quantifier(&mut self, before: Before) -> Result<Before, PatternFault> {
        if before != Before::Atom {
            return Err(self.fault(
                1,
                "has nothing to repeat: write a backslash before it to mean the character",
            ));
        }
        if self.peek() != Some(b'{') {
            return Ok(self.step(Before::Quantifier));
        }
        let counts = self.rest()[1..].split_once('}').map(|(counts, _)| counts);
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let valid = counts.is_some_and(|counts| match counts.split_once(',') {
            None => digits(counts),
            Some((least, most)) => digits(least) && (most.is_empty() || digits(most)),
        });
        if !valid {
            return Err(self.fault(
                1,
                "begins no count like {2}, {2,} or {2,3}: write `\\{` to mean the character",
            ));
        }
        self.at += counts.map_or(0, str::len) + 2;
        Ok(Before::Quantifier)
    }

    /// The fault of the `len` characters from here.
    fn fault(&self, len: usize, problem: &'static str) -> PatternFault {
        let syntax = self.rest().chars().take(len).collect();
        PatternFault::Syntax { syntax, at: self.at, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_both_grammars_are_taken() {
        for pattern in [
            "attn_v",
            r"blk\.(1|2|[3-9]|1[0-9])\.ffn_(up|gate)(_exps)?",
            r"^blk\.\d+\.attn_(?:q|k)\.weight$",
            r"blk\.[^0-4]\.",
            "a{2}b{1,}c{1,3}?d+?e*?.",
            r"\[x\]\{y\}",
            ".*=",
        ] {
            assert!(compile(pattern).is_ok(), "{pattern}: {:?}", compile(pattern));
        }
    }

    #[track_caller]
    fn check(pattern: &str, syntax: &str) {
        match compile(pattern) {
            Err(PatternFault::Syntax { syntax: found, .. }) => assert_eq!(found, syntax),
            other => panic!("{pattern}: {other:?}"),
        }
    }

    #[test]
    fn what_only_one_grammar_has_is_refused_where_it_stands() {
        check("(?i)attn", "(?i");
        check("(?P<n>a)", "(?P");
        check("a(?!b)", "(?!");
        check(r"(a)\1", r"\1");
        check(r"\pL", r"\p");
        check(r"\Aa", r"\A");
        check(r"\x41", r"\x");
        check("a[b[c]]", "[c");
        check("[a&&b]", "&&");
        check("[]a]", "]");
        check("ęa", "ę");
        check("[ę]", "ę");
    }

    #[test]
    fn escapes_that_lower_case_would_invert_are_refused() {
        check(r"blk\.\D", r"\D");
        check(r"[\S]", r"\S");
    }

    #[test]
    fn quantifiers_without_an_atom_are_refused() {
        check("*a", "*");
        check("a**", "*");
        check("(+a)", "+");
        check("a|?b", "?");
        check("a{,3}", "{");
        check("a{x}", "{");
        check("a??b???", "?");
    }

    #[test]
    fn unbalanced_brackets_are_one_line() {
        for pattern in ["(a", "a)", "[a", "a\\", "[a\\", "[z-a]"] {
            let fault = compile(pattern).unwrap_err().to_string();
            assert!(!fault.contains('\n') && !fault.is_empty(), "{pattern}: {fault}");
        }
    }
}
